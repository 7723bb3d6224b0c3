"""Signed checkpoints of the audit log, for those who copy them out of the database."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select

from card_core.store.database import Lock, Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import audit_checkpoints as table


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """content, signature: as `card_core.checkpoint` has them, which proves them, not this row."""

    number: int
    at: datetime
    content: bytes
    signature: bytes


def lock(tx: Transaction) -> None:
    """Of those who keep a checkpoint, one does so at a time."""
    tx.lock("audit_checkpoints", Lock.OWN)


def latest(tx: Reader) -> SignedCheckpoint | None:
    row = tx.connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).first()
    return None if row is None else SignedCheckpoint(*row)


def page(tx: Reader, *, after: int = 0, limit: int = PAGE_SIZE_MAX) -> list[SignedCheckpoint]:
    """At most `limit` checkpoints whose number comes behind `after`, in their order."""
    statement = select(table).where(table.c.number > after).order_by(table.c.number)
    found = tx.connection.execute(statement.limit(check_limit(limit)))
    return [SignedCheckpoint(*row) for row in found]


def add(tx: Transaction, new: SignedCheckpoint) -> None:
    tx.connection.execute(
        insert(table).values(
            number=new.number, at=new.at, content=new.content, signature=new.signature
        )
    )


def sweep(tx: Transaction, until: datetime) -> int:
    """Delete those from before `until`, but never the latest; how many."""
    last = select(func.max(table.c.number)).scalar_subquery()
    done = tx.connection.execute(delete(table).where(table.c.at < until, table.c.number < last))
    return done.rowcount
