"""Bringing the schema up to date with Alembic, and partitions with it, in one transaction.

Imported by whoever upgrades alone: a service only asks which `revision` there is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, func, select, text

from card_core.errors import SchemaOutdatedError, TamperedRowError
from card_core.store import partitions


def upgrade(engine: Engine) -> None:
    """Run what is missing. Of several processes one goes first and the others find it done.

    Raises SchemaOutdatedError if the database is newer than this program; TamperedRowError.
    """
    with _without_foreign_keys(engine) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": partitions.ADVISORY_LOCK}
            )
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            # The database is at a revision that this program does not know.
            raise SchemaOutdatedError from None
        partitions.make_all(connection, connection.execute(select(func.now())).scalar_one())
        if connection.dialect.name == "sqlite":
            _check_foreign_keys(connection)


@contextmanager
def _without_foreign_keys(engine: Engine) -> Iterator[Connection]:
    """SQLite changes a table by making it anew and dropping the old one, which its foreign keys
    would refuse; it can do without them only from before a transaction to after it."""
    with engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            yield connection
            return
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


def _check_foreign_keys(connection: Connection) -> None:
    """Raises TamperedRowError for a row that refers to none."""
    broken = connection.execute(text("PRAGMA foreign_key_check")).first()
    if broken is not None:
        raise TamperedRowError(str(broken[0]), str(broken[1]))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "card_core.store:migrations")
    return config
