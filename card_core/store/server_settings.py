"""What a commit is worth on this database, and how many may be connected, as it says itself."""

from collections.abc import Mapping

from sqlalchemy import text

from card_core.store.database import CONNECTIONS, Reader

POSTGRESQL = (
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "max_connections",
    "superuser_reserved_connections",
)
SQLITE = ("journal_mode", "synchronous")
# SQLite tells numbers: 2 is FULL, 3 is EXTRA.
SQLITE_DURABLE = frozenset({"2", "3"})
CONNECTIONS_PER_PROCESS = 2 * CONNECTIONS


def read(tx: Reader) -> Mapping[str, str]:
    """The settings in force for this connection, by the database's own names."""
    if tx.connection.dialect.name == "sqlite":
        return {
            name: str(tx.connection.execute(text(f"PRAGMA {name}")).scalar()) for name in SQLITE
        }
    return {name: str(tx.connection.execute(text(f"SHOW {name}")).scalar()) for name in POSTGRESQL}


def not_durable(settings: Mapping[str, str]) -> list[str]:
    """The settings under which a commit that was told may be lost with the power."""
    if "fsync" in settings:
        return [name for name in POSTGRESQL[:3] if settings[name] == "off"]
    journals = settings["journal_mode"] == "wal"
    synchronous = settings["synchronous"] in SQLITE_DURABLE
    return [
        name
        for name, is_durable in zip(SQLITE, (journals, synchronous), strict=True)
        if not is_durable
    ]
