"""Bringing the schema up to date with Alembic, in one transaction.

Imported by whoever upgrades alone: a service only asks which `revision` there is.
"""

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, text

from card_core.errors import SchemaOutdatedError

# Any number will do, as long as nothing else in the database uses it.
_ADVISORY_LOCK = 0x5353_4341_5244


def upgrade(engine: Engine) -> None:
    """Run what is missing. Of several processes one goes first and the others find it done.

    Raises SchemaOutdatedError if the database is newer than this program.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK}
            )
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            # The database is at a revision that this program does not know.
            raise SchemaOutdatedError from None


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "card_core.store:migrations")
    return config
