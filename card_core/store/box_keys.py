"""The wrapped code box key of each UTC day."""

from datetime import date, datetime

from sqlalchemy import select

from card_core.errors import StoreConflictError
from card_core.store import guarded
from card_core.store.database import Reader, Transaction
from card_core.store.schema import code_box_keys as table


def get(tx: Reader, day: date) -> bytes | None:
    """The day's key as it was wrapped (`kernel.box_keys`), None if there is none yet."""
    wrapped: bytes | None = tx.connection.execute(
        select(table.c.wrapped).where(table.c.day == day)
    ).scalar()
    return wrapped


def keep(tx: Transaction, day: date, wrapped: bytes, now: datetime) -> bytes:
    """Keep the day's key unless there is one, and return the one that is kept."""
    guarded.add_if_absent(tx, table, {"day": day, "wrapped": wrapped, "created_at": now})
    kept = get(tx, day)
    if kept is None:
        raise StoreConflictError
    return kept
