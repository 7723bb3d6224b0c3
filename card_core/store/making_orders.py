"""Making orders (制卡单): which cards of a batch one maker makes, and the ledger of their records.

A chunk is prepared once its records stand in the ledger, sealed, with their root; it is signed
after that, and the first signature is the one that is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from card_core.errors import TamperedRowError
from card_core.states import OrderState
from card_core.store import guarded
from card_core.store.cipher import same
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.makings import packed_positions, unpacked_positions
from card_core.store.schema import making_chunks
from card_core.store.schema import making_orders as table


@dataclass(frozen=True, slots=True)
class Order:
    """number: from 1 within the batch. records: in its file. made, failed: what was answered.

    key_number: of the card issuing key that signs. file_digest: of the file that was written last,
    32 bytes. created_at: aware, UTC. return_digest: of the maker's return that is being taken, 32
    bytes; None at other times.
    """

    id: str
    batch_id: str
    number: int
    maker_id: str
    issuer: int
    key_number: int
    state: OrderState
    records: int
    made: int
    failed: int
    file_digest: bytes | None
    created_at: datetime
    return_digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class OrderChunk:
    """number: from 1. first_number: of its first record in the file. positions: in the batch.

    root, signature: None until it is prepared, and signed.
    """

    order_id: str
    number: int
    first_number: int
    positions: tuple[int, ...]
    root: bytes | None
    signature: bytes | None

    @property
    def size(self) -> int:
        return len(self.positions)


_LEDGER = (
    making_chunks.c.order_id,
    making_chunks.c.number,
    making_chunks.c.first_number,
    making_chunks.c.positions,
    making_chunks.c.digest,
    making_chunks.c.root,
    making_chunks.c.signature,
)


def get(tx: Reader, order_id: str, lock: Lock = Lock.NONE) -> Order | None:
    row = guarded.get(tx, table, order_id, lock)
    return None if row is None else _record(row)


def of_batch(tx: Reader, batch_id: str) -> list[Order]:
    """All orders of a batch, the first one first."""
    statement = select(table).where(table.c.batch_id == batch_id).order_by(table.c.number)
    return [_record(row) for row in guarded.rows(tx, table, statement)]


def add(tx: Transaction, new: Order, chunks: Sequence[OrderChunk]) -> None:
    guarded.add(
        tx,
        table,
        {
            "id": new.id,
            "batch_id": new.batch_id,
            "number": new.number,
            "maker_id": new.maker_id,
            "issuer": new.issuer,
            "key_number": new.key_number,
            "state": new.state.value,
            "records": new.records,
            "made": new.made,
            "failed": new.failed,
            "file_digest": new.file_digest,
            "created_at": new.created_at,
            "return_digest": new.return_digest,
        },
    )
    rows = []
    for chunk in chunks:
        packed = packed_positions(chunk.positions)
        rows.append(
            {
                "order_id": chunk.order_id,
                "number": chunk.number,
                "first_number": chunk.first_number,
                "positions": packed,
                "digest": _digest(tx, chunk.order_id, chunk.number, chunk.first_number, packed),
            }
        )
    tx.connection.execute(insert(making_chunks), rows)


def set_state(
    tx: Transaction, order: Order, state: OrderState, *, file_digest: bytes | None = None
) -> None:
    """file_digest: given when a file was written, kept otherwise."""
    digest = order.file_digest if file_digest is None else file_digest
    guarded.change(tx, table, order.id, state=state.value, file_digest=digest)


def set_return(tx: Transaction, order: Order, digest: bytes | None) -> None:
    """Note which return is being taken from now on, or that none is."""
    guarded.change(tx, table, order.id, return_digest=digest)


def set_answered(tx: Transaction, order: Order, *, made: int, failed: int) -> None:
    guarded.change(tx, table, order.id, made=made, failed=failed)


def chunks(tx: Reader, order_id: str) -> list[OrderChunk]:
    """The ledger of an order, in the order of the chunks' numbers."""
    statement = select(*_LEDGER).where(making_chunks.c.order_id == order_id)
    found = tx.connection.execute(statement.order_by(making_chunks.c.number))
    return [_chunk(tx, row) for row in found]


def chunks_between(tx: Reader, order_id: str, first: int, last: int) -> list[OrderChunk]:
    """The chunks with the records of these numbers in the file, in their order."""
    begins = making_chunks.c.first_number
    start = select(func.max(begins)).where(
        making_chunks.c.order_id == order_id, begins <= max(first, 1)
    )
    statement = (
        select(*_LEDGER)
        .where(
            making_chunks.c.order_id == order_id,
            begins.between(start.scalar_subquery(), last),
        )
        .order_by(making_chunks.c.number)
    )
    return [_chunk(tx, row) for row in tx.connection.execute(statement)]


def chunk(tx: Reader, order_id: str, number: int) -> OrderChunk | None:
    statement = select(*_LEDGER).where(
        making_chunks.c.order_id == order_id, making_chunks.c.number == number
    )
    row = tx.connection.execute(statement).first()
    return None if row is None else _chunk(tx, row)


def lock_chunk(tx: Transaction, order_id: str, number: int) -> OrderChunk | None:
    statement = select(*_LEDGER).where(
        making_chunks.c.order_id == order_id, making_chunks.c.number == number
    )
    row = tx.connection.execute(statement.with_for_update()).first()
    return None if row is None else _chunk(tx, row)


def claim_chunk(tx: Transaction, order_id: str) -> OrderChunk | None:
    """Lock the first chunk that is not prepared and that nobody else has locked."""
    statement = (
        select(*_LEDGER)
        .where(making_chunks.c.order_id == order_id, making_chunks.c.root.is_(None))
        .order_by(making_chunks.c.number)
        .limit(1)
    )
    row = tx.connection.execute(statement.with_for_update(skip_locked=True)).first()
    return None if row is None else _chunk(tx, row)


def keep_records(tx: Transaction, chunk: OrderChunk, content: bytes, root: bytes) -> None:
    """Write down the records of a chunk, sealed, before anything is signed."""
    row_id = f"{chunk.order_id}/{chunk.number}"
    sealed = tx.cipher.seal(making_chunks.name, "content", row_id, content)
    _set(tx, chunk, content=sealed, root=root)


def keep_signature(tx: Transaction, chunk: OrderChunk, signature: bytes) -> None:
    _set(tx, chunk, signature=signature)


def records_of(tx: Reader, chunk: OrderChunk) -> bytes | None:
    """The records as they were written down; None where they are not, or not any more.

    Raises TamperedRowError.
    """
    sealed = tx.connection.scalar(
        select(making_chunks.c.content).where(
            making_chunks.c.order_id == chunk.order_id, making_chunks.c.number == chunk.number
        )
    )
    if sealed is None:
        return None
    row_id = f"{chunk.order_id}/{chunk.number}"
    return tx.cipher.open(making_chunks.name, "content", row_id, sealed)


def forget_records(tx: Transaction, order: Order) -> None:
    """Keep roots and signatures, and let names, numbers and keys go."""
    tx.connection.execute(
        update(making_chunks).where(making_chunks.c.order_id == order.id).values(content=None)
    )


def _set(tx: Transaction, chunk: OrderChunk, **values: bytes) -> None:
    tx.connection.execute(
        update(making_chunks)
        .where(making_chunks.c.order_id == chunk.order_id, making_chunks.c.number == chunk.number)
        .values(**values)
    )


def _digest(tx: Reader, order_id: str, number: int, first_number: int, packed: bytes) -> bytes:
    """So that nobody with the database alone moves a card from one order into another."""
    return tx.cipher.keyed_digest(
        [b"making chunk", order_id.encode(), b"%d" % number, b"%d" % first_number, packed]
    )


def _chunk(tx: Reader, row: Sequence[Any]) -> OrderChunk:
    order_id, number, first_number, packed, digest, root, signature = row
    if not same(digest, _digest(tx, order_id, number, first_number, packed)):
        raise TamperedRowError(making_chunks.name, f"{order_id}/{number}")
    positions = tuple(unpacked_positions(packed))
    return OrderChunk(order_id, number, first_number, positions, root, signature)


def _record(row: Row[Any]) -> Order:
    return Order(
        row.id,
        row.batch_id,
        row.number,
        row.maker_id,
        row.issuer,
        row.key_number,
        OrderState(row.state),
        row.records,
        row.made,
        row.failed,
        row.file_digest,
        row.created_at,
        row.return_digest,
    )
