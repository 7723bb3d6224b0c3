"""A PostgreSQL of our own for one run, with the durability that it has by default.

Unlike the one of the tests it waits for the disk: that is what is measured.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

START_SECONDS_MAX = 60
SETTINGS = {"listen_addresses": "", "max_connections": "200", "log_min_messages": "fatal"}
ROLE = "sscard"


def binaries() -> Path | None:
    """The directory of initdb and postgres, the newest; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else found[0].parent if found else None


@contextmanager
def running(where: Path) -> Iterator[str]:
    """Yields the URL of an empty database. where: the directory of the binaries."""
    owner = _owner()
    home = Path(tempfile.mkdtemp(prefix="sscard-bench-pg-"))
    try:
        if owner:
            shutil.chown(home, user=owner)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        subprocess.run(
            [where / "initdb", "--pgdata", home / "data", "--username", ROLE, *options],
            user=owner,
            cwd=home,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        with _started(where, home, owner):
            yield f"postgresql://{ROLE}@/postgres?host={home}"
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _started(where: Path, home: Path, owner: str | None) -> Iterator[None]:
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [where / "postgres", "-D", home / "data", "-k", home, *settings],
            user=owner,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + START_SECONDS_MAX
        while not _answers(home):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((home / "log").read_text(errors="replace")[-400:])
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(START_SECONDS_MAX)


def _answers(home: Path) -> bool:
    try:
        psycopg.connect(host=str(home), user=ROLE, dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _owner() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    users = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in users else "nobody"
