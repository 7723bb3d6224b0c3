"""Applications made one by one (申领单): each sealed whole, with a blind index of its person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from card_core.application import ApplicationKind
from card_core.applying import Channel, FilingEvidence, MakingMode
from card_core.states import FilingState
from card_core.store import bulk, guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.holders import index_of
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import filings as table

_IN_MAX = 500
_OPEN = (FilingState.FILED.value, FilingState.ACCEPTED.value)


@dataclass(frozen=True, slots=True, repr=False)
class Filing:
    """filed_by: the operator's or the holder's id. refusal: a stable word, where it was refused.

    batch_id: once it was taken in. number_index: of the person who gets the card.
    """

    id: str
    number_index: bytes
    kind: ApplicationKind
    channel: Channel
    mode: MakingMode
    state: FilingState
    filed_by: str
    checker_id: str | None
    evidence: FilingEvidence | None
    refusal: str | None
    batch_id: str | None
    filed_at: datetime
    decided_at: datetime | None


def lock(tx: Transaction, lock_: Lock) -> None:
    """OWN for whoever files one application; SHARED for what opens many at once, or cards."""
    tx.lock("filings", lock_)


def numbers_with_open_one(tx: Reader, numbers: Sequence[str]) -> set[str]:
    """Those of the social security numbers with one that is filed or accepted."""
    any_open = select(table.c.id).where(table.c.state.in_(_OPEN)).limit(1)
    if tx.connection.execute(any_open).first() is None:
        return set()
    number_by_index = {index_of(tx, number): number for number in numbers}
    indexes = list(number_by_index)
    found: set[str] = set()
    for at in range(0, len(indexes), _IN_MAX):
        statement = select(table.c.number_index).where(
            bulk.among_indexes(tx, table.c.number_index, indexes[at : at + _IN_MAX]),
            table.c.state.in_(_OPEN),
        )
        found |= {number_by_index[one] for one in tx.connection.execute(statement).scalars()}
    return found


def add(
    tx: Transaction,
    filing: Filing,
    content: bytes,
    reference: str | None,
) -> None:
    """content: the application, JSON in its one form. reference: of the evidence."""
    guarded.add(
        tx,
        table,
        {
            "id": filing.id,
            "number_index": filing.number_index,
            "content": tx.cipher.seal(table.name, "content", filing.id, content),
            "kind": filing.kind.value,
            "channel": filing.channel.value,
            "mode": filing.mode.value,
            "state": filing.state.value,
            "filed_by": filing.filed_by,
            "checker_id": filing.checker_id,
            "evidence": None if filing.evidence is None else filing.evidence.value,
            "evidence_reference": _sealed_reference(tx, filing.id, reference),
            "refusal": None,
            "batch_id": None,
            "filed_at": filing.filed_at,
            "decided_at": filing.decided_at,
        },
    )


def get(tx: Reader, filing_id: str, lock_: Lock = Lock.NONE) -> Filing | None:
    row = guarded.get(tx, table, filing_id, lock_)
    return None if row is None else _record(row)


def content_of(tx: Reader, filing_id: str) -> bytes:
    """The application as it was filed. Raises TamperedRowError."""
    row = guarded.get(tx, table, filing_id)
    if row is None:
        raise LookupError(filing_id)
    content: bytes = tx.cipher.open(table.name, "content", filing_id, row.content)
    return content


def reference_of(tx: Reader, filing_id: str) -> str | None:
    """The number of the document that shows who applies for a child. Raises TamperedRowError."""
    row = guarded.get(tx, table, filing_id)
    if row is None or row.evidence_reference is None:
        return None
    opened = tx.cipher.open(table.name, "evidence_reference", filing_id, row.evidence_reference)
    return opened.decode()


def page(
    tx: Reader,
    state: FilingState,
    *,
    mode: MakingMode | None = None,
    after: str = "",
    limit: int = PAGE_SIZE_MAX,
) -> list[Filing]:
    """At most `limit` in this state, the oldest first, whose id comes behind `after`."""
    statement = select(table).where(table.c.state == state.value, table.c.id > after)
    if mode is not None:
        statement = statement.where(table.c.mode == mode.value)
    statement = statement.order_by(table.c.id).limit(check_limit(limit))
    return [_record(row) for row in guarded.rows(tx, table, statement)]


def of_holder(tx: Reader, holder_id: str, number: str) -> list[Filing]:
    """At most a page, the newest first: filed by this holder, or of this number."""
    statement = (
        select(table)
        .where((table.c.filed_by == holder_id) | (table.c.number_index == index_of(tx, number)))
        .order_by(table.c.id.desc())
        .limit(PAGE_SIZE_MAX)
    )
    return [_record(row) for row in guarded.rows(tx, table, statement)]


def count_open_by(tx: Reader, filed_by: str) -> int:
    """How many of this one's are filed or accepted and not yet taken in."""
    statement = select(func.count()).where(table.c.filed_by == filed_by, table.c.state.in_(_OPEN))
    count: int = tx.connection.execute(statement).scalar_one()
    return count


def has_open_one(tx: Reader, filed_by: str, number: str) -> bool:
    """Whether one that this one filed for this number is filed or accepted."""
    statement = select(table.c.id).where(
        table.c.filed_by == filed_by,
        table.c.number_index == index_of(tx, number),
        table.c.state.in_(_OPEN),
    )
    return tx.connection.execute(statement).first() is not None


def has_accepted_one(tx: Reader, number: str) -> bool:
    """Whether one for this number is accepted and not yet taken in, whoever filed it."""
    statement = select(table.c.id).where(
        table.c.number_index == index_of(tx, number),
        table.c.state == FilingState.ACCEPTED.value,
    )
    return tx.connection.execute(statement).first() is not None


def decide(tx: Transaction, filing: Filing, state: FilingState, now: datetime, **more: Any) -> None:
    """more: checker_id, refusal, batch_id."""
    guarded.change(tx, table, filing.id, state=state.value, decided_at=now, **more)


def keep_evidence(
    tx: Transaction, filing: Filing, evidence: FilingEvidence, reference: str
) -> None:
    sealed = _sealed_reference(tx, filing.id, reference)
    guarded.change(tx, table, filing.id, evidence=evidence.value, evidence_reference=sealed)


def _sealed_reference(tx: Reader, filing_id: str, reference: str | None) -> bytes | None:
    if reference is None:
        return None
    return tx.cipher.seal(table.name, "evidence_reference", filing_id, reference.encode())


def _record(row: Any) -> Filing:
    return Filing(
        row.id,
        row.number_index,
        ApplicationKind(row.kind),
        Channel(row.channel),
        MakingMode(row.mode),
        FilingState(row.state),
        row.filed_by,
        row.checker_id,
        None if row.evidence is None else FilingEvidence(row.evidence),
        row.refusal,
        row.batch_id,
        row.filed_at,
        row.decided_at,
    )
