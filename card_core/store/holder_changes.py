"""What became of holders' records: the trace of merges (合并) and corrections (更正).

A merge changes no row of the record that went: its cards, scans and phones keep its id, under which
codes were spent, and are found under the record that stays by way of this trace. A merged record
no longer has the index that its number was found by; the index stands here, to say where it went.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select

from card_core.store import bulk, guarded
from card_core.store.database import Reader, Transaction
from card_core.store.schema import holder_changes as table

# Of one person. More than a handful is a mistake that somebody should look at.
RECORDS_MAX = 100


class ChangeKind(StrEnum):
    MERGE = "merge"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True, repr=False)
class HolderChange:
    """holder_id: the record that stays, or was corrected. merged_id: the one that went, of a merge.

    content: JSON with personal data; `number` and `name` of a merged record, or of a correction
    `before` and `after`, each with the values that changed. changed_at: aware, UTC.
    """

    id: str
    holder_id: str
    kind: ChangeKind
    merged_id: str | None
    evidence: str
    content: dict[str, Any]
    checker_id: str
    changed_at: datetime


def add(tx: Transaction, new: HolderChange, *, number_index: bytes | None = None) -> None:
    """number_index: what a merged record was found by."""
    content = json.dumps(new.content, ensure_ascii=False).encode()
    guarded.add(
        tx,
        table,
        {
            "id": new.id,
            "holder_id": new.holder_id,
            "kind": new.kind.value,
            "merged_id": new.merged_id,
            "number_index": number_index,
            "evidence": new.evidence,
            "content": tx.cipher.seal(table.name, "content", new.id, content),
            "checker_id": new.checker_id,
            "changed_at": new.changed_at,
        },
    )


def merged_into(tx: Reader, holder_id: str) -> str | None:
    """The record that this one was merged into; None for one that was not."""
    row = guarded.first(tx, table, select(table).where(table.c.merged_id == holder_id))
    return None if row is None else str(row.holder_id)


def record_that_stays(tx: Reader, holder_id: str) -> str:
    """Where a record's person is now: behind all merges, the record itself if there was none."""
    for _ in range(RECORDS_MAX):
        into = merged_into(tx, holder_id)
        if into is None:
            break
        holder_id = into
    return holder_id


def indexes_of_merged(tx: Reader, indexes: Collection[bytes]) -> dict[bytes, str]:
    """Of these blind indexes those that a merged record was found by, with what it went into."""
    found = select(table).where(bulk.among_indexes(tx, table.c.number_index, indexes))
    return {row.number_index: row.holder_id for row in guarded.rows(tx, table, found)}


def forget_index(tx: Transaction, number_index: bytes) -> None:
    """The record that stays has taken this number for its own, and is found by it itself."""
    statement = select(table).where(table.c.number_index == number_index)
    for row in guarded.rows(tx, table, statement):
        guarded.change(tx, table, row.id, number_index=None)


def record_ids(tx: Reader, holder_id: str) -> list[str]:
    """The record and all that were merged into it, itself first; at most RECORDS_MAX."""
    found, new = [holder_id], [holder_id]
    while new and len(found) < RECORDS_MAX:
        statement = select(table).where(bulk.among(tx, table.c.holder_id, new))
        merged = [row.merged_id for row in guarded.rows(tx, table, statement.order_by(table.c.id))]
        new = [one for one in merged if one is not None and one not in found]
        found += new
    return found[:RECORDS_MAX]


def of_records(tx: Reader, holder_ids: Collection[str]) -> list[HolderChange]:
    """The changes of these records, the oldest first."""
    statement = select(table).where(bulk.among(tx, table.c.holder_id, list(holder_ids)))
    return [_record(tx, row) for row in guarded.rows(tx, table, statement.order_by(table.c.id))]


def _record(tx: Reader, row: Row[Any]) -> HolderChange:
    content = json.loads(tx.cipher.open(table.name, "content", row.id, row.content))
    return HolderChange(
        row.id,
        row.holder_id,
        ChangeKind(row.kind),
        row.merged_id,
        row.evidence,
        content,
        row.checker_id,
        row.changed_at,
    )
