"""Erasing what is personal of a person (删除个人信息): the rows stay, with nothing of the person.

What is left says that there was somebody: ids, cards with their numbers, states and dates, scans,
visits and receipts, which others keep the signed evidence of. No name, number or address leads to
it any more, nor does it lead to one. Every value that went is overwritten under the row's own
place, so that a row of a table reads as any other; `holders.erased_at` says which people are gone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Select, Table, delete, or_, select, update

from card_core.states import ApprovalState, CardState, FilingState
from card_core.store import (
    bulk,
    consents,
    credentials,
    guarded,
    holder_changes,
    person_checks,
    scan_reports,
)
from card_core.store.credentials import SubjectKind
from card_core.store.database import Reader, Transaction
from card_core.store.holder_changes import ChangeKind
from card_core.store.holders import index_of
from card_core.store.schema import (
    applications,
    approvals,
    card_dates,
    cards,
    filings,
    guardianships,
    holder_exports,
    holders,
    makings,
    stock_cards,
)
from card_core.store.schema import holder_changes as changes

NOTHING: Final = b"{}"
_AT_ONCE: Final = 200
_EMPTY_RECORD: Final = {
    "social_security_number": "",
    "name": "",
    "sex": "",
    "birth_on": date.min.isoformat(),
    "ethnic_group": "",
    "phone": "",
    "address": "",
    "guardian_name": "",
    "guardian_number": "",
}
_PARTIES: Final = (guardianships.c.ward_id, guardianships.c.guardian_id)
_CAME_TO_NOTHING: Final = (FilingState.REFUSED.value, FilingState.WITHDRAWN.value)
_NO_CHANGE: Final = {ChangeKind.MERGE: NOTHING, ChangeKind.CORRECTION: b'{"after":{},"before":{}}'}


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows of each kind were of the person."""

    records: int
    changes: int
    applications: int
    filings: int
    guardianships: int
    stock_cards: int
    makings: int
    approvals: int
    consents: int
    scan_reports: int


def is_erased(tx: Reader, holder_id: str) -> bool:
    statement = select(holders.c.erased_at).where(holders.c.id == holder_id)
    return tx.connection.execute(statement).scalar() is not None


def last_cancelled_on(tx: Reader, record_ids: Collection[str]) -> date | None:
    """When the last of these records' cards was cancelled; None where nobody noted it of one."""
    statement = (
        select(card_dates.c.cancelled_on)
        .select_from(cards)
        .outerjoin(card_dates, card_dates.c.card_id == cards.c.id)
        .where(bulk.among(tx, cards.c.holder_id, list(record_ids)))
    )
    days = list(tx.connection.execute(statement).scalars())
    return None if None in days else max(days, default=date.min)


def lapsed(tx: Reader, before: date, *, after: str, limit: int) -> list[str]:
    """At most `limit` ids, behind `after`, of records with a card that was cancelled before this
    day, with no live one, that are not erased. Whether the person's others agree is looked at by
    whoever erases."""
    live = select(cards.c.id).where(
        cards.c.holder_id == holders.c.id, cards.c.state != CardState.CANCELLED.value
    )
    gone = (
        select(cards.c.id)
        .join(card_dates, card_dates.c.card_id == cards.c.id)
        .where(cards.c.holder_id == holders.c.id, card_dates.c.cancelled_on < before)
    )
    statement = (
        select(holders.c.id)
        .where(holders.c.id > after, holders.c.erased_at.is_(None), gone.exists(), ~live.exists())
        .order_by(holders.c.id)
        .limit(limit)
    )
    return list(tx.connection.execute(statement).scalars())


def erase_person(
    tx: Transaction,
    record_ids: Collection[str],
    numbers: Collection[str],
    acts: Collection[str],
    now: datetime,
) -> Erased:
    """record_ids: all of the person's records. numbers: all that the person has had. acts: whose
    proposals hold what is personal.

    Raises TamperedRowError where a row that decides does not fit its HMAC.
    """
    indexes = [index_of(tx, number) for number in numbers]
    erased = Erased(
        records=len(record_ids),
        changes=_erase_changes(tx, record_ids),
        applications=_erase_rows(tx, applications, indexes),
        filings=_erase_filings(tx, indexes, now),
        guardianships=_erase_guardianships(tx, record_ids),
        stock_cards=_erase_rows(tx, stock_cards, indexes),
        makings=_erase_makings(tx, record_ids),
        approvals=_erase_approvals_of(tx, record_ids, acts, now),
        consents=consents.withdraw_all(tx, record_ids, now),
        scan_reports=scan_reports.remove_of(tx, record_ids),
    )
    person_checks.remove_of(tx, indexes)
    for record_id in record_ids:
        credentials.remove(tx, SubjectKind.HOLDER, record_id)
        _erase_record(tx, record_id, now)
    tx.connection.execute(
        delete(holder_exports).where(bulk.among(tx, holder_exports.c.holder_id, list(record_ids)))
    )
    return erased


def is_any_filing(tx: Reader, before: datetime) -> bool:
    """Whether there is an application by itself that came to nothing before this."""
    return tx.connection.execute(_old_filings(before).limit(1)).first() is not None


def erase_filings(tx: Transaction, before: datetime, now: datetime) -> int:
    """Erase what is personal of some of those that came to nothing before this; how many."""
    statement = _old_filings(before).order_by(filings.c.id).limit(_AT_ONCE)
    ids = list(tx.connection.execute(statement).scalars())
    for filing_id in ids:
        _erase_filing(tx, filing_id, now)
    return len(ids)


def is_any_approval(tx: Reader, before: datetime) -> bool:
    """Whether there is a proposal that was decided before this and is not erased."""
    return tx.connection.execute(_decided(before).limit(1)).first() is not None


def erase_approvals(tx: Transaction, before: datetime, now: datetime) -> int:
    """Erase the content of some proposals that were decided before this; how many."""
    statement = _decided(before).order_by(approvals.c.id).limit(_AT_ONCE)
    found = guarded.rows(tx, approvals, statement)
    for row in found:
        _erase_approval(tx, row.id, now)
    return len(found)


def _erase_record(tx: Transaction, record_id: str, now: datetime) -> None:
    values: dict[str, Any] = {
        column: tx.cipher.seal(holders.name, column, record_id, value.encode())
        for column, value in _EMPTY_RECORD.items()
    }
    values["number_index"] = tx.cipher.blind_index("erased_holder", record_id)
    tx.connection.execute(
        update(holders).where(holders.c.id == record_id).values(**values, erased_at=now)
    )


def _erase_changes(tx: Transaction, record_ids: Collection[str]) -> int:
    found = holder_changes.of_records(tx, record_ids)
    for one in found:
        content = tx.cipher.seal(changes.name, "content", one.id, _NO_CHANGE[one.kind])
        guarded.change(tx, changes, one.id, content=content, number_index=None)
    return len(found)


def _erase_rows(tx: Transaction, table: Table, indexes: Collection[bytes]) -> int:
    """Applications, or cards of a stock, of these numbers."""
    statement = select(table.c.id).where(bulk.among_indexes(tx, table.c.number_index, indexes))
    ids = list(tx.connection.execute(statement).scalars())
    for row_id in ids:
        nobody = tx.cipher.blind_index(f"erased_{table.name}", row_id)
        values = {
            "content": tx.cipher.seal(table.name, "content", row_id, NOTHING),
            "number_index": nobody,
        }
        if "code_index" in table.c:
            values["code_index"] = nobody
        tx.connection.execute(update(table).where(table.c.id == row_id).values(**values))
    return len(ids)


def _erase_filings(tx: Transaction, indexes: Collection[bytes], now: datetime) -> int:
    """Applications made one by one, of these numbers; ids of who filed them stay."""
    statement = select(filings.c.id).where(bulk.among_indexes(tx, filings.c.number_index, indexes))
    ids = list(tx.connection.execute(statement).scalars())
    for filing_id in ids:
        _erase_filing(tx, filing_id, now)
    return len(ids)


def _erase_filing(tx: Transaction, filing_id: str, now: datetime) -> None:
    guarded.change(
        tx,
        filings,
        filing_id,
        number_index=tx.cipher.blind_index("erased_filings", filing_id),
        content=tx.cipher.seal(filings.name, "content", filing_id, NOTHING),
        evidence_reference=None,
        erased_at=now,
    )


def _erase_guardianships(tx: Transaction, record_ids: Collection[str]) -> int:
    """The numbers of the documents, of wards and of guardians alike."""
    ids_of = [bulk.among(tx, column, list(record_ids)) for column in _PARTIES]
    ids = list(tx.connection.execute(select(guardianships.c.id).where(or_(*ids_of))).scalars())
    for guardianship_id in ids:
        nothing = tx.cipher.seal(guardianships.name, "evidence_reference", guardianship_id, b"")
        guarded.change(tx, guardianships, guardianship_id, evidence_reference=nothing)
    return len(ids)


def _erase_makings(tx: Transaction, record_ids: Collection[str]) -> int:
    statement = (
        select(cards.c.id)
        .join(makings, makings.c.id == cards.c.id)
        .where(bulk.among(tx, cards.c.holder_id, list(record_ids)))
    )
    ids = list(tx.connection.execute(statement).scalars())
    for card_id in ids:
        guarded.change(tx, makings, card_id, account=None, chip=None, code_index=None)
    return len(ids)


def _erase_approvals_of(
    tx: Transaction, record_ids: Collection[str], acts: Collection[str], now: datetime
) -> int:
    """What was proposed about one of these records. Opens all proposals of these acts that are not
    erased: as many as the policy lets there be."""
    words = [one.encode() for one in record_ids]
    statement = select(approvals).where(
        approvals.c.act.in_(acts),
        approvals.c.state != ApprovalState.PENDING.value,
        approvals.c.erased_at.is_(None),
    )
    found = [
        row.id
        for row in guarded.rows(tx, approvals, statement)
        if any(
            word in tx.cipher.open(approvals.name, "content", row.id, row.content) for word in words
        )
    ]
    for approval_id in found:
        _erase_approval(tx, approval_id, now)
    return len(found)


def _old_filings(before: datetime) -> Select[Any]:
    return select(filings.c.id).where(
        filings.c.state.in_(_CAME_TO_NOTHING),
        filings.c.decided_at < before,
        filings.c.erased_at.is_(None),
    )


def _decided(before: datetime) -> Select[Any]:
    return select(approvals).where(
        approvals.c.state != ApprovalState.PENDING.value,
        approvals.c.decided_at < before,
        approvals.c.erased_at.is_(None),
    )


def _erase_approval(tx: Transaction, approval_id: str, now: datetime) -> None:
    content = tx.cipher.seal(approvals.name, "content", approval_id, NOTHING)
    guarded.change(tx, approvals, approval_id, content=content, erased_at=now)
