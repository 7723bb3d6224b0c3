"""Batches (制卡批次) and the ledger of their chunks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from card_core.states import BatchKind, BatchState
from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import batch_chunks
from card_core.store.schema import batches as table

_NOT_WHOLE = (BatchState.IMPORTING.value, BatchState.DROPPED.value)


@dataclass(frozen=True, slots=True)
class Batch:
    """accepted, refused: rows of the roster. issued: cards made so far. created_at: aware, UTC.

    content_root: 32 bytes over all applications. file_digest: SM3 of the roster file.
    first_card_serial: of the card numbers that its release took for it, one for each row accepted.
    return_bank, return_digest: of the bank's return that is being taken: whose, and 32 bytes.
    """

    id: str
    name: str
    state: BatchState
    maker_id: str
    accepted: int
    refused: int
    issued: int
    content_root: bytes
    file_digest: bytes
    created_at: datetime
    first_card_serial: int | None = None
    kind: BatchKind = BatchKind.ROSTER
    return_bank: str | None = None
    return_digest: bytes | None = None

    @property
    def is_whole(self) -> bool:
        """Whether its rows came in to the last one: before that, nobody sees it."""
        return self.state.value not in _NOT_WHOLE


@dataclass(frozen=True, slots=True)
class Chunk:
    """number: from 1. size: how many applications, or cards of a stock. digest: 32 bytes over them.

    The card numbers are None until it is issued, and where no card of a stock was taken over.
    """

    batch_id: str
    number: int
    size: int
    digest: bytes
    first_card_number: str | None
    last_card_number: str | None
    issued_at: datetime | None

    @property
    def is_issued(self) -> bool:
        return self.issued_at is not None


def get(tx: Reader, batch_id: str, lock: Lock = Lock.NONE) -> Batch | None:
    row = guarded.get(tx, table, batch_id, lock)
    return None if row is None else _record(row)


def page(
    tx: Reader,
    *,
    kind: BatchKind = BatchKind.ROSTER,
    before: str = "",
    limit: int = PAGE_SIZE_MAX,
) -> list[Batch]:
    """At most `limit` batches that came in whole, the newest first, whose id comes before
    `before`."""
    statement = select(table).order_by(table.c.id.desc()).limit(check_limit(limit))
    statement = statement.where(table.c.state.not_in(_NOT_WHOLE))
    is_kind = table.c.kind == _stored(kind)
    statement = statement.where(table.c.kind.is_(None) if _stored(kind) is None else is_kind)
    if before:
        statement = statement.where(table.c.id < before)
    return [_record(row) for row in guarded.rows(tx, table, statement)]


def not_whole(tx: Reader) -> list[Batch]:
    """Imports that are under way, and those of which rows are left to be dropped."""
    statement = select(table).where(table.c.state.in_(_NOT_WHOLE)).order_by(table.c.id)
    dropped = BatchState.DROPPED.value
    statement = statement.where((table.c.state != dropped) | (table.c.accepted > 0))
    return [_record(row) for row in guarded.rows(tx, table, statement)]


def chunks(tx: Reader, batch_id: str) -> list[Chunk]:
    """The ledger of a batch, in the order of the chunks' numbers; empty for no such batch."""
    statement = select(batch_chunks).where(batch_chunks.c.batch_id == batch_id)
    found = tx.connection.execute(statement.order_by(batch_chunks.c.number))
    return [Chunk(*row) for row in found]


def lock_unissued(tx: Transaction, batch_id: str) -> list[Chunk]:
    """Lock the chunks that are not issued, once those are done that somebody is at.

    From the last one on: whoever issues takes the first, and would be run after to the end.
    """
    wanted = (batch_chunks.c.batch_id == batch_id, batch_chunks.c.issued_at.is_(None))
    statement = select(batch_chunks).where(*wanted).order_by(batch_chunks.c.number.desc())
    found = [Chunk(*row) for row in tx.connection.execute(statement.with_for_update())]
    return found[::-1]


_DIGESTS = (
    "SELECT digest FROM batch_chunks WHERE batch_id = %s ORDER BY number",
    "SELECT digest FROM batch_chunks WHERE batch_id = ? ORDER BY number",
)


def digests(tx: Reader, batch_id: str) -> list[bytes]:
    """Of all chunks, in the order of their numbers: asked for each chunk of thousands."""
    return [digest for (digest,) in tx.run(_DIGESTS[tx.is_sqlite], (batch_id,)).fetchall()]


def lock_chunk(tx: Transaction, batch_id: str, number: int) -> Chunk | None:
    statement = select(batch_chunks).where(
        batch_chunks.c.batch_id == batch_id, batch_chunks.c.number == number
    )
    row = tx.connection.execute(statement.with_for_update()).first()
    return None if row is None else Chunk(*row)


def claim_chunk(tx: Transaction, batch_id: str) -> Chunk | None:
    """Lock the first chunk that is not issued and that nobody else has locked."""
    statement = (
        select(batch_chunks)
        .where(batch_chunks.c.batch_id == batch_id, batch_chunks.c.issued_at.is_(None))
        .order_by(batch_chunks.c.number)
        .limit(1)
    )
    row = tx.connection.execute(statement.with_for_update(skip_locked=True)).first()
    return None if row is None else Chunk(*row)


def add(tx: Transaction, batch: Batch, ledger: Sequence[Chunk]) -> None:
    guarded.add(
        tx,
        table,
        {
            "id": batch.id,
            "name": batch.name,
            "state": batch.state.value,
            "maker_id": batch.maker_id,
            "accepted": batch.accepted,
            "refused": batch.refused,
            "issued": batch.issued,
            "content_root": batch.content_root,
            "file_digest": batch.file_digest,
            "created_at": batch.created_at,
            "first_card_serial": None,
            "kind": _stored(batch.kind),
        },
    )
    add_chunks(tx, ledger)


def set_return(tx: Transaction, batch: Batch, bank: str | None, digest: bytes | None) -> None:
    """Note whose return is being taken, and which file; None and None where it is taken."""
    guarded.change(tx, table, batch.id, return_bank=bank, return_digest=digest)


def add_chunks(tx: Transaction, ledger: Sequence[Chunk]) -> None:
    if ledger:
        kept = ("batch_id", "number", "size", "digest")
        rows = [{name: getattr(chunk, name) for name in kept} for chunk in ledger]
        tx.connection.execute(insert(batch_chunks), rows)


def replace_chunk(tx: Transaction, chunk: Chunk) -> None:
    """Write size and digest of a chunk that has more rows now."""
    tx.connection.execute(
        update(batch_chunks)
        .where(batch_chunks.c.batch_id == chunk.batch_id, batch_chunks.c.number == chunk.number)
        .values(size=chunk.size, digest=chunk.digest)
    )


def drop_chunks(tx: Transaction, batch_id: str) -> None:
    """Of a batch that never came in whole."""
    tx.connection.execute(delete(batch_chunks).where(batch_chunks.c.batch_id == batch_id))


def set_complete(
    tx: Transaction, batch: Batch, *, refused: int, content_root: bytes, state: BatchState
) -> None:
    guarded.change(
        tx, table, batch.id, refused=refused, content_root=content_root, state=state.value
    )


def set_state(tx: Transaction, batch: Batch, state: BatchState) -> None:
    guarded.change(tx, table, batch.id, state=state.value)


def set_released(tx: Transaction, batch: Batch, state: BatchState, first_card_serial: int) -> None:
    guarded.change(tx, table, batch.id, state=state.value, first_card_serial=first_card_serial)


def set_issued(tx: Transaction, batch: Batch, issued: int, state: BatchState) -> None:
    guarded.change(tx, table, batch.id, issued=issued, state=state.value)


def set_counts(
    tx: Transaction, batch: Batch, *, issued: int, accepted: int, refused: int, state: BatchState
) -> None:
    """As `set_issued`, where cards of a stock are refused when they are taken over."""
    guarded.change(
        tx, table, batch.id, issued=issued, accepted=accepted, refused=refused, state=state.value
    )


def mark_issued(
    tx: Transaction, chunk: Chunk, first: str | None, last: str | None, now: datetime
) -> Chunk:
    """Write the ledger row: these card numbers, now."""
    tx.connection.execute(
        update(batch_chunks)
        .where(batch_chunks.c.batch_id == chunk.batch_id, batch_chunks.c.number == chunk.number)
        .values(first_card_number=first, last_card_number=last, issued_at=now)
    )
    return replace(chunk, first_card_number=first, last_card_number=last, issued_at=now)


def _record(row: Row[Any]) -> Batch:
    return Batch(
        row.id,
        row.name,
        BatchState(row.state),
        row.maker_id,
        row.accepted,
        row.refused,
        row.issued,
        row.content_root,
        row.file_digest,
        row.created_at,
        row.first_card_serial,
        BatchKind.ROSTER if row.kind is None else BatchKind(row.kind),
        row.return_bank,
        row.return_digest,
    )


def _stored(kind: BatchKind) -> str | None:
    """None for a roster, as the batches have it that were there before there was another kind."""
    return None if kind is BatchKind.ROSTER else kind.value
