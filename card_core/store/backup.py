"""Copies of a whole database: SQLite by its own backup, PostgreSQL by its own programs.

Both are taken while the service runs, and show one moment.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy
from sqlalchemy import make_url

from card_core.errors import CardCoreError

SQLITE_NAME = "sscard.db"
POSTGRESQL_NAME = "sscard.dump"
PAGES_AT_ONCE = 2048
PROGRAM_SECONDS_MAX = 6 * 3600


class BackupError(CardCoreError):
    """code: what went wrong; a program's own words are not repeated, they may hold anything."""

    def __init__(self, code: str, message_zh: str, message_en: str) -> None:
        self.code = code
        self.message_zh = message_zh
        self.message_en = message_en
        super().__init__()


def name_for(url: str) -> str:
    """Of the file in a backup that holds a database of this kind."""
    return SQLITE_NAME if _is_sqlite(url) else POSTGRESQL_NAME


def take(url: str, path: Path) -> None:
    """Copy the database at `url` into a new file. Raises BackupError."""
    if _is_sqlite(url):
        _take_sqlite(_path_of(url), path)
    else:
        with _program("pg_dump", url) as (program, environment):
            _run([program, "--format=custom", "--no-owner", f"--file={path}"], environment)


def put_back(path: Path, url: str) -> None:
    """Make the database at `url` from a file that `take` made.

    Raises BackupError where there is a database already, or the file is no sound one.
    """
    if _is_sqlite(url):
        _put_back_sqlite(path, _path_of(url))
        return
    engine = sqlalchemy.create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        (tables,) = cursor.fetchone() or (0,)
    engine.dispose()
    if tables:
        raise _not_empty()
    with _program("pg_restore", url) as (program, environment):
        options = ["--exit-on-error", "--single-transaction", "--no-owner"]
        database = f"--dbname={environment['PGDATABASE']}"
        _run([program, *options, database, str(path)], environment)


def _take_sqlite(source: Path, path: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as read,
            closing(sqlite3.connect(path)) as written,
        ):
            read.backup(written, pages=PAGES_AT_ONCE, sleep=0.005)
            # The copy stands alone, and can be read from a medium that can't be written.
            written.execute("PRAGMA journal_mode=DELETE")
            _check_sqlite(written)
    except sqlite3.Error as error:
        raise BackupError(
            "backup_failed",
            "数据库备份失败，请检查磁盘空间和数据库文件。",
            "The database could not be copied; check the free space and the database's file.",
        ) from error


def _put_back_sqlite(path: Path, target: Path) -> None:
    if target.exists():
        raise _not_empty()
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as read:
            _check_sqlite(read)
            with closing(sqlite3.connect(target)) as written:
                read.backup(written)
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise BackupError(
            "backup_unusable",
            "备份中的数据库文件已损坏，请使用另一份备份。",
            "The backup's database is damaged; use another backup.",
        ) from error


def _check_sqlite(connection: sqlite3.Connection) -> None:
    (told,) = connection.execute("PRAGMA integrity_check").fetchone()
    if told != "ok":
        raise sqlite3.DatabaseError("integrity_check")


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _path_of(url: str) -> Path:
    return Path(make_url(url).database or "")


@contextmanager
def _program(name: str, url: str) -> Iterator[tuple[str, dict[str, str]]]:
    """PostgreSQL's own program, and the environment that tells it where. The password stays off
    the command line, which everybody on the machine can read."""
    found = shutil.which(name)
    if found is None:
        raise BackupError(
            "postgresql_tools_missing",
            f"找不到 {name}。请安装与服务器同版本的 PostgreSQL 客户端。",
            f"{name} was not found. Install PostgreSQL's client programs, of the server's version.",
        )
    parsed = make_url(url)
    host = parsed.host or parsed.query.get("host")
    told = {
        "PGHOST": host,
        "PGPORT": parsed.port and str(parsed.port),
        "PGUSER": parsed.username,
        "PGPASSWORD": parsed.password,
        "PGDATABASE": parsed.database,
        **{f"PG{name.upper()}": parsed.query.get(name) for name in ("sslmode", "sslrootcert")},
    }
    given = {name: str(value) for name, value in told.items() if value}
    yield found, {**os.environ, **given}


def _run(command: list[str], environment: dict[str, str]) -> None:
    try:
        subprocess.run(  # noqa: S603 - a program that was found, and our own arguments
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=PROGRAM_SECONDS_MAX,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BackupError(
            "postgresql_tool_failed",
            f"{Path(command[0]).name} 未成功，原因见上方输出。",
            f"{Path(command[0]).name} failed; what it printed says why.",
        ) from error


def _not_empty() -> BackupError:
    return BackupError(
        "database_not_empty",
        "目标数据库已存在或不为空，未作更改。请恢复到新的数据库或空的工作目录。",
        "There is a database already, and nothing was changed. Restore into a new database or an "
        "empty home.",
    )
