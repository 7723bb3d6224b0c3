"""Scans, and the nonces they spent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select

from card_core.store import guarded
from card_core.store.database import Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import scans as table
from card_core.store.schema import spent
from card_core.verdicts import Reason


@dataclass(frozen=True, slots=True, repr=False)
class Scan:
    """One scan, accepted or refused. holder_id, card_id: None where the code named no card.

    operator, department: the institution's own words for who scanned where, or empty.
    """

    id: str
    scanned_at: datetime
    terminal_id: str
    institution_id: str
    holder_id: str | None
    card_id: str | None
    business_type: str
    reason: Reason
    minted_at: datetime | None
    amount_fen: int | None
    operator: str
    department: str


def spend(tx: Transaction, holder_id: str, minted_at: datetime, nonce: bytes, scan_id: str) -> bool:
    """Spend a code's nonce; False if it is spent already.

    The primary key decides, across all institutions: of scans that run together one inserts, and
    the others wait for its commit.
    """
    values = {
        "holder_id": holder_id,
        "minted_at": int(minted_at.timestamp()),
        "nonce": nonce,
        "scan_id": scan_id,
    }
    return guarded.add_if_absent(tx, spent, values)


def add(tx: Transaction, scan: Scan) -> None:
    tx.connection.execute(
        insert(table).values(
            id=scan.id,
            scanned_at=scan.scanned_at,
            terminal_id=scan.terminal_id,
            institution_id=scan.institution_id,
            holder_id=scan.holder_id,
            card_id=scan.card_id,
            business_type=scan.business_type,
            reason=scan.reason.value,
            minted_at=scan.minted_at,
            amount_fen=scan.amount_fen,
            operator=tx.cipher.seal(table.name, "operator", scan.id, scan.operator.encode()),
            department=tx.cipher.seal(table.name, "department", scan.id, scan.department.encode()),
        )
    )


def of_holder(
    tx: Reader, holder_id: str, *, before: str = "", limit: int = PAGE_SIZE_MAX
) -> list[Scan]:
    """At most `limit` scans of a holder, the newest first, whose id comes before `before`."""
    return _page(tx, select(table).where(table.c.holder_id == holder_id), before, limit)


def of_terminal(
    tx: Reader, terminal_id: str, *, before: str = "", limit: int = PAGE_SIZE_MAX
) -> list[Scan]:
    """At most `limit` scans by a terminal, the newest first, whose id comes before `before`."""
    return _page(tx, select(table).where(table.c.terminal_id == terminal_id), before, limit)


def _page(tx: Reader, statement: Select[Any], before: str, limit: int) -> list[Scan]:
    if before:
        statement = statement.where(table.c.id < before)
    statement = statement.order_by(table.c.id.desc()).limit(check_limit(limit))
    return [_record(tx, row) for row in tx.connection.execute(statement)]


def _record(tx: Reader, row: Row[Any]) -> Scan:
    return Scan(
        id=row.id,
        scanned_at=row.scanned_at,
        terminal_id=row.terminal_id,
        institution_id=row.institution_id,
        holder_id=row.holder_id,
        card_id=row.card_id,
        business_type=row.business_type,
        reason=Reason(row.reason),
        minted_at=row.minted_at,
        amount_fen=row.amount_fen,
        operator=tx.cipher.open(table.name, "operator", row.id, row.operator).decode(),
        department=tx.cipher.open(table.name, "department", row.id, row.department).decode(),
    )
