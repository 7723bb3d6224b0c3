"""Visits (就诊): what an institution may do under one code, and how much of it is done."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from card_core.codes import ForWhom, Presence
from card_core.states import VisitState
from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import visits as table


@dataclass(frozen=True, slots=True)
class Visit:
    """scan_id: the scan that opened it. ecard_id: whose state counts, too, where an e-card's code
    did. ends_at: at this instant it is over, whatever its state.

    steps_max, consuming_max, amount_max_fen: its limits; steps, consuming, amount_fen: what is
    used of them.
    """

    id: str
    holder_id: str
    card_id: str
    ecard_id: int | None
    institution_id: str
    scan_id: str
    business_types: frozenset[str]
    opened_at: datetime
    ends_at: datetime
    issuer: int
    presence: Presence
    for_whom: ForWhom
    steps_max: int
    consuming_max: int
    amount_max_fen: int
    steps: int = 0
    consuming: int = 0
    amount_fen: int = 0
    state: VisitState = VisitState.OPEN

    def is_open(self, now: datetime) -> bool:
        return self.state is VisitState.OPEN and now < self.ends_at

    def with_step(self, *, consumes: bool, amount_fen: int | None) -> "Visit | None":
        """The visit after one more step; None where that would go beyond its limits."""
        after = replace(
            self,
            steps=self.steps + 1,
            consuming=self.consuming + consumes,
            amount_fen=self.amount_fen + (amount_fen or 0),
        )
        if (
            after.steps > after.steps_max
            or after.consuming > after.consuming_max
            or after.amount_fen > after.amount_max_fen
        ):
            return None
        return after

    def without_step(self, *, consumes: bool, amount_fen: int | None) -> "Visit":
        """The visit before a step that `with_step` counted."""
        return replace(
            self,
            steps=self.steps - 1,
            consuming=self.consuming - consumes,
            amount_fen=self.amount_fen - (amount_fen or 0),
        )


def lock_name(visit_id: str) -> str:
    """What `Transaction.lock` knows a visit by."""
    return f"{table.name}/{visit_id}"


def get_all(tx: Reader, visit_ids: Collection[str]) -> tuple[dict[str, Visit], set[str]]:
    """Visits by id, as many as there are, and the ids of those that fail their HMAC."""
    rows, tampered = guarded.find_intact(tx, table, "id", visit_ids)()
    return {row.id: _record(row) for row in rows}, tampered


def get(tx: Reader, visit_id: str, lock: Lock = Lock.NONE) -> Visit | None:
    row = guarded.get(tx, table, visit_id, lock)
    return None if row is None else _record(row)


def of_holder(
    tx: Reader, holder_id: str, *, before: str = "", limit: int = PAGE_SIZE_MAX
) -> list[Visit]:
    """At most `limit` visits of a holder, the newest first, whose id comes before `before`."""
    statement = select(table).where(table.c.holder_id == holder_id)
    if before:
        statement = statement.where(table.c.id < before)
    statement = statement.order_by(table.c.id.desc()).limit(check_limit(limit))
    return [_record(row) for row in guarded.rows(tx, table, statement)]


def add_all(tx: Transaction, visits: Sequence[Visit]) -> None:
    guarded.add_all(
        tx,
        table,
        [
            {
                "id": visit.id,
                "holder_id": visit.holder_id,
                "card_id": visit.card_id,
                "ecard_id": visit.ecard_id,
                "institution_id": visit.institution_id,
                "scan_id": visit.scan_id,
                "business_types": ",".join(sorted(visit.business_types)),
                "opened_at": visit.opened_at,
                "ends_at": visit.ends_at,
                "issuer": visit.issuer,
                "presence": visit.presence.value,
                "for_whom": visit.for_whom.value,
                "steps_max": visit.steps_max,
                "consuming_max": visit.consuming_max,
                "amount_max_fen": visit.amount_max_fen,
                "steps": visit.steps,
                "consuming": visit.consuming,
                "amount_fen": visit.amount_fen,
                "state": visit.state.value,
            }
            for visit in visits
        ],
    )


def keep_steps(tx: Transaction, visit: Visit) -> None:
    """Write down how much of the visit's limits is used."""
    guarded.change(
        tx,
        table,
        visit.id,
        steps=visit.steps,
        consuming=visit.consuming,
        amount_fen=visit.amount_fen,
    )


def set_state(tx: Transaction, visit_id: str, state: VisitState) -> None:
    guarded.change(tx, table, visit_id, state=state.value)


def _record(row: Any) -> Visit:
    return Visit(
        id=row.id,
        holder_id=row.holder_id,
        card_id=row.card_id,
        ecard_id=row.ecard_id,
        institution_id=row.institution_id,
        scan_id=row.scan_id,
        business_types=frozenset(row.business_types.split(",")),
        opened_at=row.opened_at,
        ends_at=row.ends_at,
        issuer=row.issuer,
        presence=Presence(row.presence),
        for_whom=ForWhom(row.for_whom),
        steps_max=row.steps_max,
        consuming_max=row.consuming_max,
        amount_max_fen=row.amount_max_fen,
        steps=row.steps,
        consuming=row.consuming,
        amount_fen=row.amount_fen,
        state=VisitState(row.state),
    )
