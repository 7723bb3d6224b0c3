"""The answer to each request id, sealed, so that a retry gets the same one and does nothing."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, tuple_, update

from card_core.errors import IdempotencyConflictError, StoreConflictError
from card_core.store import guarded
from card_core.store.cipher import same
from card_core.store.database import Transaction
from card_core.store.schema import answers as table

SWEEP_ROWS_MAX = 1000


@dataclass(frozen=True, slots=True, repr=False)
class RequestKey:
    """Whose request, and which: the request id is unique for each actor."""

    actor_kind: str
    actor_id: str
    request_id: str

    def __str__(self) -> str:
        return f"{self.actor_kind}/{self.actor_id}/{self.request_id}"


def take(tx: Transaction, key: RequestKey, content: bytes, now: datetime) -> bytes | None:
    """Hold a request id, or return the answer that it got; one on its way is waited for.

    Raises IdempotencyConflictError if the id was used for another content.
    """
    digest = tx.cipher.keyed_digest([b"request", content])
    if guarded.add_if_absent(tx, table, {**asdict(key), "content_digest": digest, "at": now}):
        return None
    row = tx.connection.execute(
        select(table.c.content_digest, table.c.answer).where(*_is(key))
    ).first()
    if row is None or row.answer is None:
        raise StoreConflictError
    if not same(row.content_digest, digest):
        raise IdempotencyConflictError
    return tx.cipher.open(table.name, "answer", str(key), row.answer)


def keep(tx: Transaction, key: RequestKey, answer: bytes) -> None:
    """Keep the answer for the request id that this transaction holds."""
    sealed = tx.cipher.seal(table.name, "answer", str(key), answer)
    tx.connection.execute(update(table).where(*_is(key)).values(answer=sealed))


def sweep(tx: Transaction, before: datetime) -> int:
    """Forget answers given before `before`, some at a time; how many."""
    key = tuple_(table.c.actor_kind, table.c.actor_id, table.c.request_id)
    old = select(table.c.actor_kind, table.c.actor_id, table.c.request_id)
    old = old.where(table.c.at < before).limit(SWEEP_ROWS_MAX)
    return tx.connection.execute(delete(table).where(key.in_(old))).rowcount


def _is(key: RequestKey) -> Iterator[ColumnElement[bool]]:
    return (table.c[column] == value for column, value in asdict(key).items())
