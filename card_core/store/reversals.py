"""Reversals (退费, 退药, 冲正): what was taken back of a scan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select

from card_core.store import guarded
from card_core.store.database import Reader, Transaction
from card_core.store.schema import reversals as table


class ReversalKind(StrEnum):
    """refund 退费: money back. return 退药: medicine back, and its money if any. void 冲正: all of
    a scan that should not have been."""

    REFUND = "refund"
    RETURN = "return"
    VOID = "void"


@dataclass(frozen=True, slots=True, repr=False)
class Reversal:
    """amount_fen: what went back; None where the scan moved no money."""

    id: str
    scan_id: str
    kind: ReversalKind
    amount_fen: int | None
    reversed_at: datetime
    terminal_id: str
    institution_id: str
    holder_id: str
    operator: str
    department: str


def add(tx: Transaction, reversal: Reversal) -> None:
    sealed = {
        column: tx.cipher.seal(table.name, column, reversal.id, value.encode())
        for column, value in (
            ("operator", reversal.operator),
            ("department", reversal.department),
        )
    }
    guarded.add(
        tx,
        table,
        {
            "id": reversal.id,
            "scan_id": reversal.scan_id,
            "kind": reversal.kind.value,
            "amount_fen": reversal.amount_fen,
            "reversed_at": reversal.reversed_at,
            "terminal_id": reversal.terminal_id,
            "institution_id": reversal.institution_id,
            "holder_id": reversal.holder_id,
            **sealed,
        },
    )


def of_scan(tx: Reader, scan_id: str) -> list[Reversal]:
    """All reversals of a scan, the first first; the kernel limits how many there are."""
    return of_scans(tx, [scan_id])


def of_scans(tx: Reader, scan_ids: Sequence[str]) -> list[Reversal]:
    """All reversals of a page of scans, the first first."""
    if not scan_ids:
        return []
    statement = (
        select(table).where(table.c.scan_id.in_(scan_ids)).order_by(table.c.reversed_at, table.c.id)
    )
    return [_record(tx, row) for row in guarded.rows(tx, table, statement)]


def _record(tx: Reader, row: Row[Any]) -> Reversal:
    return Reversal(
        id=row.id,
        scan_id=row.scan_id,
        kind=ReversalKind(row.kind),
        amount_fen=row.amount_fen,
        reversed_at=row.reversed_at,
        terminal_id=row.terminal_id,
        institution_id=row.institution_id,
        holder_id=row.holder_id,
        operator=tx.cipher.open(table.name, "operator", row.id, row.operator).decode(),
        department=tx.cipher.open(table.name, "department", row.id, row.department).decode(),
    )
