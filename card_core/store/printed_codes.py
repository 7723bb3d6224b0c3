"""Printed codes (打印码): short codes on paper, whose long code is made when one is first shown.

A row is not followed by the audit log, since it changes with a scan; its HMAC and the seal of the
code hold it to itself.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import printed_codes as table

SWEEP_ROWS_MAX = 20_000


@dataclass(frozen=True, slots=True, repr=False)
class PrintedCode:
    """id: of `index`. valid_until: until then it may be shown for the first time. code: what it
    stands for since it was shown; None while it was not."""

    id: str
    holder_id: str
    valid_until: datetime
    code: str | None = None


def index(tx: Reader, text: str) -> str:
    """The row's id for the digits; 64 hex. The digits themselves are kept nowhere."""
    return tx.cipher.blind_index("printed_code", text).hex()


def add(tx: Transaction, new: PrintedCode) -> None:
    """The holder's only one: those from before that nobody has shown are gone.

    Raises StoreConflictError, at the end of the transaction or before, if it is there.
    """
    tx.connection.execute(
        delete(table).where(table.c.holder_id == new.holder_id, table.c.code.is_(None))
    )
    guarded.add(
        tx,
        table,
        {
            "id": new.id,
            "holder_id": new.holder_id,
            "valid_until": new.valid_until,
            "code": None,
        },
    )


def find(tx: Reader, row_id: str, lock: Lock = Lock.NONE) -> PrintedCode | None:
    """Raises TamperedRowError for a row that was changed, or copied from another."""
    row = guarded.get(tx, table, row_id, lock)
    if row is None:
        return None
    code = row.code
    opened = None if code is None else tx.cipher.open(table.name, "code", row_id, code).decode()
    return PrintedCode(row.id, row.holder_id, row.valid_until, opened)


def set_code(tx: Transaction, row_id: str, code: str) -> None:
    sealed = tx.cipher.seal(table.name, "code", row_id, code.encode())
    guarded.change(tx, table, row_id, code=sealed)


def sweep(tx: Transaction, before: datetime, rows_max: int = SWEEP_ROWS_MAX) -> int:
    """Delete at most so many that could not be shown any more before this; how many went."""
    old = select(table.c.id).where(table.c.valid_until < before).order_by(table.c.valid_until)
    chosen = old.limit(rows_max).with_for_update(skip_locked=True)
    return tx.connection.execute(delete(table).where(table.c.id.in_(chosen))).rowcount
