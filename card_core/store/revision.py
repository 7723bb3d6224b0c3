"""Which version of the schema a database has, and which one this program has.

Asked at every start, so without Alembic, which is large and slow to import; `migration` upgrades.
"""

from functools import cache
from importlib import resources
from typing import Final

from sqlalchemy import Connection, inspect, text

_TABLE: Final = "alembic_version"


def of_database(connection: Connection) -> str | None:
    """Of the last migration that was run; None for a database that never had one."""
    if not inspect(connection).has_table(_TABLE):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {_TABLE}"))  # noqa: S608 - a constant
    return found


@cache
def of_program() -> str:
    """Of the last migration that is carried along: files are named by their revision."""
    versions = resources.files("card_core.store").joinpath("migrations", "versions")
    names = (entry.name for entry in versions.iterdir() if entry.name.endswith(".py"))
    return max(name.split("_", 1)[0] for name in names)
