"""Approvals (复核): what a maker proposed, sealed, with its hash, and what became of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from card_core.states import ApprovalState
from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import approvals as table


@dataclass(frozen=True, slots=True)
class Approval:
    """act: the act's word. summary: what the approver reads. content_hash: SM3, in hex."""

    id: str
    act: str
    summary: str
    content_hash: str
    maker_id: str
    checker_id: str | None
    state: ApprovalState
    created_at: datetime
    decided_at: datetime | None


def get(tx: Reader, approval_id: str, lock: Lock = Lock.NONE) -> Approval | None:
    row = guarded.get(tx, table, approval_id, lock)
    return None if row is None else _record(row)


def pending(tx: Reader, *, after: str = "", limit: int = PAGE_SIZE_MAX) -> list[Approval]:
    """At most `limit` approvals that wait for a decision, whose id comes behind `after`."""
    statement = (
        select(table)
        .where(table.c.state == ApprovalState.PENDING.value, table.c.id > after)
        .order_by(table.c.id)
        .limit(check_limit(limit))
    )
    return [_record(row) for row in guarded.rows(tx, table, statement)]


def content_of(tx: Reader, approval_id: str) -> Any:
    """The proposed act's content, as JSON. Raises TamperedRowError."""
    row = guarded.get(tx, table, approval_id)
    if row is None:
        return None
    return json.loads(tx.cipher.open(table.name, "content", row.id, row.content))


def add(tx: Transaction, approval: Approval, content: bytes) -> None:
    guarded.add(
        tx,
        table,
        {
            "id": approval.id,
            "act": approval.act,
            "summary": approval.summary,
            "content": tx.cipher.seal(table.name, "content", approval.id, content),
            "content_hash": approval.content_hash,
            "maker_id": approval.maker_id,
            "checker_id": approval.checker_id,
            "state": approval.state.value,
            "created_at": approval.created_at,
            "decided_at": approval.decided_at,
        },
    )


def close(
    tx: Transaction, approval: Approval, state: ApprovalState, checker_id: str, now: datetime
) -> None:
    guarded.change(tx, table, approval.id, state=state.value, checker_id=checker_id, decided_at=now)


def _record(row: Row[Any]) -> Approval:
    return Approval(
        row.id,
        row.act,
        row.summary,
        row.content_hash,
        row.maker_id,
        row.checker_id,
        ApprovalState(row.state),
        row.created_at,
        row.decided_at,
    )
