"""A private PostgreSQL for the tests: in a temporary directory, on a socket nobody else can reach.

The binaries come from PATH or from Debian's own directory; where they are absent and this process
may, Debian's package is installed. The system's own cluster is never started or touched. Tests that
can't have a server are skipped with the reason in plain words; in continuous integration
(CI=true) that is a failure, so that half of the databases doesn't go missing unseen.

The server runs without fsync: these tests kill clients, never the machine, and a client's
death loses nothing that was committed. What has to hold when power goes is PostgreSQL's to prove.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psycopg
from servers import debian

ROLE = "sscard"
START_TIMEOUT_SECONDS = 60
CONSEQUENCE = "the tests on PostgreSQL did not run"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # What some tests look through, byte by byte.
    "max_wal_size": "64MB",
    "min_wal_size": "32MB",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
}


class PostgreSQLServer:
    """A running server. `home` holds its socket, which clients connect to, and its data."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._made = 0

    def url(self, database: str) -> str:
        return f"postgresql://{ROLE}@/{database}?host={self.home}"

    @property
    def socket(self) -> Path:
        """Where it listens; for whoever puts something in between."""
        return self.home / ".s.PGSQL.5432"

    def create(self, template: str = "template1") -> str:
        """Make an empty database, or a copy of one to which nobody is connected, and return its
        name."""
        self._made += 1
        name = f"test_{self._made}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def checkpoint(self) -> None:
        """Have everything that was committed in the files."""
        self._run("CHECKPOINT")

    def files_of(self, url: str) -> list[Path]:
        """The files of one database, the journal aside."""
        with psycopg.connect(url) as connection:
            row = connection.execute(
                "SELECT oid::text FROM pg_database WHERE datname = current_database()"
            ).fetchone()
        if row is None:
            raise LookupError(url)
        return list((self.home / "data" / "base" / row[0]).iterdir())

    def _run(self, statement: str) -> None:
        with psycopg.connect(
            host=str(self.home), user=ROLE, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())


@contextmanager
def running_postgresql(**settings: str) -> Iterator[PostgreSQLServer]:
    """Start a server; stop it, by its own process id, at the end. settings: instead of ours."""
    binaries = _binaries()
    owner = _owner()
    # A socket's path may have 107 bytes, so the directory is right under the temporary one.
    home = Path(tempfile.mkdtemp(prefix="sscard-pg-"))
    try:
        if owner is not None:
            shutil.chown(home, user=owner)
        _initialise(binaries, home, owner)
        with _started(binaries, home, owner, SETTINGS | settings) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _initialise(binaries: Path, home: Path, owner: str | None) -> None:
    command = [binaries / "initdb", "--pgdata", home / "data", "--username", ROLE]
    options = [
        "--auth=trust",
        "--wal-segsize=1",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--no-instructions",
    ]
    done = subprocess.run(
        [*command, *options], user=owner, cwd=home, capture_output=True, text=True, check=False
    )
    if done.returncode:
        unavailable(f"initdb failed: {done.stderr.strip()[-400:]}")


@contextmanager
def _started(
    binaries: Path, home: Path, owner: str | None, settings: Mapping[str, str]
) -> Iterator[PostgreSQLServer]:
    options = [f"--{name}={value}" for name, value in settings.items()]
    server = [binaries / "postgres", "-D", home / "data", "-k", home, *options]
    # Where util-linux is there, a test process that is killed takes its server with it.
    setpriv = shutil.which("setpriv")
    command = [setpriv, "--pdeathsig", "INT", *server] if setpriv else server
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, user=owner, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        _wait_until_ready(process, home)
        yield PostgreSQLServer(home)
    finally:
        process.send_signal(signal.SIGINT)  # fast shutdown: sessions are ended, nothing is lost
        try:
            process.wait(timeout=START_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            psycopg.connect(host=str(home), user=ROLE, dbname="postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (home / "log").read_text(errors="replace").strip()
                unavailable(f"PostgreSQL did not start: {log[-400:]}")
            time.sleep(0.05)
        else:
            return


def _binaries() -> Path:
    """The directory of initdb and postgres; installs them first where they are absent."""
    found = _find_binaries()
    if found is None:
        debian.install("postgresql", consequence=CONSEQUENCE)
        found = _find_binaries()
    if found is None:
        unavailable("Debian's package postgresql brought no initdb")
    return found


def _find_binaries() -> Path | None:
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for directory in candidates:
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return directory
    return None


def _owner() -> str | None:
    """PostgreSQL refuses to run as root: then it runs as a user with no rights of its own."""
    if os.geteuid() != 0:
        return None
    users = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in users else "nobody"


def unavailable(reason: str) -> NoReturn:
    debian.unavailable(f"{CONSEQUENCE}: {reason}")
