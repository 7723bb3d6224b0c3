"""Short codes, each a second name of a long one, for as long as that lives."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select

from card_core.store.database import Reader, Transaction
from card_core.store.schema import short_codes as table

SWEEP_ROWS_MAX = 20_000


@dataclass(frozen=True, slots=True, repr=False)
class ShortCode:
    """text: the short code's digits. code: the long code's. expires_at: when both are useless."""

    text: str
    code: str
    holder_id: str
    expires_at: datetime


def add(tx: Transaction, new: ShortCode) -> None:
    """Raises StoreConflictError, at the end of the transaction or before, if it is there."""
    row_id = _index(tx, new.text)
    tx.connection.execute(
        insert(table).values(
            id=row_id,
            holder_id=new.holder_id,
            code=tx.cipher.seal(table.name, "code", row_id, new.code.encode()),
            expires_at=new.expires_at,
        )
    )


def find_code(tx: Reader, text: str) -> str | None:
    """The long code that this short one stands for, whatever its age; None if there is none.

    Raises TamperedRowError for a row that was changed, or copied from another.
    """
    row_id = _index(tx, text)
    sealed = tx.connection.execute(select(table.c.code).where(table.c.id == row_id)).scalar()
    if sealed is None:
        return None
    return tx.cipher.open(table.name, "code", row_id, sealed).decode()


def count_of(tx: Reader, holder_id: str, now: datetime) -> int:
    """How many of the holder's are not expired."""
    statement = select(func.count()).where(
        table.c.holder_id == holder_id, table.c.expires_at >= now
    )
    return tx.connection.execute(statement).scalar_one()


def sweep(tx: Transaction, now: datetime, rows_max: int = SWEEP_ROWS_MAX) -> int:
    """Delete at most so many of those that expired before `now`; how many went.

    Rows that another transaction is deleting are left to it.
    """
    old = select(table.c.id).where(table.c.expires_at < now).order_by(table.c.expires_at)
    chosen = old.limit(rows_max).with_for_update(skip_locked=True)
    return tx.connection.execute(delete(table).where(table.c.id.in_(chosen))).rowcount


def _index(tx: Reader, text: str) -> str:
    return tx.cipher.blind_index("short_code", text).hex()
