"""Guardianships (监护关系): which holder acts for which child, on what evidence, until when."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from card_core.applying import FilingEvidence
from card_core.states import BindingState
from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX
from card_core.store.schema import guardianships as table


@dataclass(frozen=True, slots=True)
class Guardianship:
    """ends_on: the ward's 16th birthday, in Asia/Shanghai: from that day on it is over."""

    id: str
    ward_id: str
    guardian_id: str
    state: BindingState
    evidence: FilingEvidence
    ends_on: date
    began_at: datetime
    ended_at: datetime | None = None

    def is_in_force(self, today: date) -> bool:
        return self.state is BindingState.ACTIVE and today < self.ends_on


def add(tx: Transaction, new: Guardianship, reference: str) -> None:
    """reference: the number of the document that shows it."""
    sealed = tx.cipher.seal(table.name, "evidence_reference", new.id, reference.encode())
    guarded.add(
        tx,
        table,
        {
            "id": new.id,
            "ward_id": new.ward_id,
            "guardian_id": new.guardian_id,
            "state": new.state.value,
            "evidence": new.evidence.value,
            "evidence_reference": sealed,
            "ends_on": new.ends_on,
            "began_at": new.began_at,
            "ended_at": None,
        },
    )


def get(tx: Reader, guardianship_id: str, lock: Lock = Lock.NONE) -> Guardianship | None:
    row = guarded.get(tx, table, guardianship_id, lock)
    return None if row is None else _record(row)


def reference_of(tx: Reader, guardianship_id: str) -> str | None:
    """The number of the document that shows it. Raises TamperedRowError."""
    row = guarded.get(tx, table, guardianship_id)
    if row is None:
        return None
    opened = tx.cipher.open(
        table.name, "evidence_reference", guardianship_id, row.evidence_reference
    )
    return opened.decode()


def active_between(tx: Reader, ward_id: str, guardian_id: str) -> Guardianship | None:
    statement = select(table).where(
        table.c.ward_id == ward_id,
        table.c.guardian_id == guardian_id,
        table.c.state == BindingState.ACTIVE.value,
    )
    row = guarded.first(tx, table, statement)
    return None if row is None else _record(row)


def of_holder(tx: Reader, holder_id: str) -> list[Guardianship]:
    """At most a page, the newest first: as ward or as guardian, ended ones too."""
    statement = (
        select(table)
        .where((table.c.ward_id == holder_id) | (table.c.guardian_id == holder_id))
        .order_by(table.c.id.desc())
        .limit(PAGE_SIZE_MAX)
    )
    return [_record(row) for row in guarded.rows(tx, table, statement)]


def end(tx: Transaction, guardianship_id: str, now: datetime) -> None:
    guarded.change(tx, table, guardianship_id, state=BindingState.ENDED.value, ended_at=now)


def _record(row: Any) -> Guardianship:
    return Guardianship(
        row.id,
        row.ward_id,
        row.guardian_id,
        BindingState(row.state),
        FilingEvidence(row.evidence),
        row.ends_on,
        row.began_at,
        row.ended_at,
    )
