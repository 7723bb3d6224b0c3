"""The exports that holders took of their own data lately, so that a stolen session takes few."""

from datetime import datetime

from sqlalchemy import delete, func, insert, select

from card_core.store.database import Reader, Transaction
from card_core.store.schema import holder_exports as table

SWEEP_ROWS_MAX = 1000


def count_since(tx: Reader, holder_id: str, since: datetime) -> int:
    statement = select(func.count()).where(table.c.holder_id == holder_id, table.c.at > since)
    count: int = tx.connection.execute(statement).scalar_one()
    return count


def add(tx: Transaction, export_id: str, holder_id: str, at: datetime) -> None:
    tx.connection.execute(insert(table).values(id=export_id, holder_id=holder_id, at=at))


def sweep(tx: Transaction, before: datetime) -> int:
    """Forget those from before `before`, some at a time; how many."""
    old = select(table.c.id).where(table.c.at < before).limit(SWEEP_ROWS_MAX)
    return tx.connection.execute(delete(table).where(table.c.id.in_(old))).rowcount
