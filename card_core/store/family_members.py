"""Family members (亲情服务): whose e-card another holder's phone may show."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from card_core.states import BindingState
from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX
from card_core.store.schema import family_members as table


class Relation(StrEnum):
    """What the holder of the e-card is to whoever shows it."""

    PARENT = "parent"
    CHILD = "child"
    SPOUSE = "spouse"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FamilyMember:
    """holder_id: whose e-card. shower_id: who shows it; None for an offer that nobody took.

    guardianship_id: what it rests on for a ward; None where the holder consented. expires_at: of
    an offer.
    """

    id: str
    holder_id: str
    shower_id: str | None
    relation: Relation
    state: BindingState
    guardianship_id: str | None
    offered_at: datetime
    expires_at: datetime | None = None
    ended_at: datetime | None = None


def lock_shower(tx: Transaction, shower_id: str) -> None:
    """Of one holder's members one is taken at a time, so that they are counted."""
    tx.lock(f"family_members/of/{shower_id}", Lock.OWN)


def add(tx: Transaction, new: FamilyMember, code_digest: bytes | None = None) -> None:
    """code_digest: keyed, of the code by which an offer is taken."""
    guarded.add(
        tx,
        table,
        {
            "id": new.id,
            "holder_id": new.holder_id,
            "shower_id": new.shower_id,
            "relation": new.relation.value,
            "state": new.state.value,
            "guardianship_id": new.guardianship_id,
            "code_digest": code_digest,
            "offered_at": new.offered_at,
            "expires_at": new.expires_at,
            "ended_at": None,
        },
    )


def get(tx: Reader, member_id: str, lock: Lock = Lock.NONE) -> FamilyMember | None:
    row = guarded.get(tx, table, member_id, lock)
    return None if row is None else _record(row)


def find_offer(tx: Transaction, code_digest: bytes) -> FamilyMember | None:
    """The offer with this code, locked: of two who take it one finds it."""
    statement = select(table.c.id).where(table.c.code_digest == code_digest)
    member_id = tx.connection.execute(statement).scalar()
    if member_id is None:
        return None
    row = guarded.get(tx, table, member_id, Lock.OWN)
    return None if row is None or row.code_digest != code_digest else _record(row)


def active_between(tx: Reader, holder_id: str, shower_id: str) -> FamilyMember | None:
    statement = select(table).where(
        table.c.holder_id == holder_id,
        table.c.shower_id == shower_id,
        table.c.state == BindingState.ACTIVE.value,
    )
    row = guarded.first(tx, table, statement)
    return None if row is None else _record(row)


def shown_by(tx: Reader, shower_id: str) -> list[FamilyMember]:
    """At most a page of those whose e-cards this holder may show."""
    return _active(tx, table.c.shower_id == shower_id)


def showing(tx: Reader, holder_id: str) -> list[FamilyMember]:
    """At most a page of those who may show this holder's e-card."""
    return _active(tx, table.c.holder_id == holder_id)


def resting_on(tx: Reader, guardianship_id: str) -> list[FamilyMember]:
    return _active(tx, table.c.guardianship_id == guardianship_id)


def of_holder(tx: Reader, holder_id: str) -> list[FamilyMember]:
    """At most a page, the newest first: on either side, offers and ended ones too."""
    statement = (
        select(table)
        .where((table.c.holder_id == holder_id) | (table.c.shower_id == holder_id))
        .order_by(table.c.id.desc())
        .limit(PAGE_SIZE_MAX)
    )
    return [_record(row) for row in guarded.rows(tx, table, statement)]


def resting_on_consent(tx: Reader, holder_id: str) -> list[FamilyMember]:
    """At most a page of this holder's offers, and of who shows their e-card by their consent."""
    statement = (
        select(table)
        .where(
            table.c.holder_id == holder_id,
            table.c.guardianship_id.is_(None),
            table.c.state != BindingState.ENDED.value,
        )
        .order_by(table.c.id)
        .limit(PAGE_SIZE_MAX)
    )
    return [_record(row) for row in guarded.rows(tx, table, statement)]


def count_offers(tx: Reader, holder_id: str, now: datetime) -> int:
    """How many offers of this holder could be taken now."""
    statement = select(func.count()).where(
        table.c.holder_id == holder_id,
        table.c.state == BindingState.OFFERED.value,
        table.c.expires_at > now,
    )
    count: int = tx.connection.execute(statement).scalar_one()
    return count


def take(tx: Transaction, member_id: str, shower_id: str, relation: Relation) -> None:
    """The code is spent."""
    guarded.change(
        tx,
        table,
        member_id,
        state=BindingState.ACTIVE.value,
        shower_id=shower_id,
        relation=relation.value,
        code_digest=None,
    )


def end(tx: Transaction, member_id: str, now: datetime) -> None:
    guarded.change(
        tx, table, member_id, state=BindingState.ENDED.value, ended_at=now, code_digest=None
    )


def _active(tx: Reader, where: Any) -> list[FamilyMember]:
    statement = select(table).where(where, table.c.state == BindingState.ACTIVE.value)
    found = guarded.rows(tx, table, statement.order_by(table.c.id).limit(PAGE_SIZE_MAX))
    return [_record(row) for row in found]


def _record(row: Any) -> FamilyMember:
    return FamilyMember(
        row.id,
        row.holder_id,
        row.shower_id,
        Relation(row.relation),
        BindingState(row.state),
        row.guardianship_id,
        row.offered_at,
        row.expires_at,
        row.ended_at,
    )
