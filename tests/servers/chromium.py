"""Debian's Chromium for the journeys in a browser, installed where it may be.

A journey that can't have its browser is skipped with the reason in plain words; in continuous
integration (CI=true) that is a failure, so that no journey goes missing unseen.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
PACKAGES = ("chromium", "fonts-noto-cjk")
INSTALL_TIMEOUT_SECONDS = 900

# Nothing but the pages under test may be asked for, and no other process may be needed.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> Path:
    """The browser's path; installs it first where it is absent and this process may."""
    # Two test processes must not run the package manager at the same time.
    with (Path(tempfile.gettempdir()) / f"sscard-chromium-{os.geteuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not CHROMIUM.exists():
            _install()
    return CHROMIUM


def _install() -> None:
    if shutil.which("apt-get") is None:
        _unavailable("there is no apt-get to install Chromium with")
    if os.geteuid() != 0:
        _unavailable(f"Chromium is absent; as root: apt-get install {' '.join(PACKAGES)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES],
    ):
        try:
            subprocess.run(
                command,
                env=environment,
                capture_output=True,
                text=True,
                timeout=INSTALL_TIMEOUT_SECONDS,
                check=True,
            )
        except subprocess.TimeoutExpired:
            _unavailable(f"{' '.join(command)} took over {INSTALL_TIMEOUT_SECONDS} s")
        except subprocess.CalledProcessError as error:
            _unavailable(f"{' '.join(command)} failed: {error.stderr.strip()[-400:]}")


def _unavailable(reason: str) -> None:
    message = f"the browser journeys did not run: {reason}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
