"""Debian packages that tests need, installed where this process may install.

A test that can't have what it needs is skipped with the reason in plain words; in continuous
integration (CI=true) that is a failure, so that no test goes missing unseen.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

INSTALL_TIMEOUT_SECONDS = 900


def install(*packages: str, consequence: str) -> None:
    """Install packages, or end the test with the consequence and the reason."""
    if shutil.which("apt-get") is None:
        unavailable(f"{consequence}: there is no apt-get to install {packages[0]} with")
    if os.geteuid() != 0:
        unavailable(f"{consequence}; as root: apt-get install {' '.join(packages)}")
    # Two test processes must not run the package manager at the same time.
    with (Path(tempfile.gettempdir()) / "sscard-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
        ):
            _run(command, consequence)


def _run(command: list[str], consequence: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
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
        unavailable(f"{consequence}: {' '.join(command)} took over {INSTALL_TIMEOUT_SECONDS} s")
    except subprocess.CalledProcessError as error:
        unavailable(f"{consequence}: {' '.join(command)} failed: {error.stderr.strip()[-400:]}")


def unavailable(message: str) -> NoReturn:
    """Skip the test, or fail it where CI=true."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
