"""The answer to each request id, sealed, so that a retry gets the same one and does nothing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, select, tuple_

from card_core.errors import IdempotencyConflictError, StoreConflictError
from card_core.store import bulk
from card_core.store.bulk import Pending
from card_core.store.cipher import same
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import answers as table

SWEEP_ROWS_MAX = 1000
_KEY = ("actor_kind", "actor_id", "request_id")


# By whether it is SQLite, whose places for values are written in another way.
_KEEP = {
    mark == "?": f"UPDATE answers SET answer = {mark} "  # noqa: S608 - only places for values go in
    f"WHERE actor_kind = {mark} AND actor_id = {mark} AND request_id = {mark}"
    for mark in ("?", "%s")
}


class RequestKey(NamedTuple):
    """Whose request, and which: the request id is unique for each actor."""

    actor_kind: str
    actor_id: str
    request_id: str

    def __str__(self) -> str:
        return f"{self.actor_kind}/{self.actor_id}/{self.request_id}"

    def __repr__(self) -> str:
        return f"RequestKey({self.actor_kind!r})"


def take(tx: Transaction, key: RequestKey, content: bytes, now: datetime) -> bytes | None:
    """Hold a request id, or return the answer that it got; one on its way is waited for.

    Raises IdempotencyConflictError if the id was used for another content.
    """
    digest = digest_of(tx, content)
    row = {**key._asdict(), "content_digest": digest, "at": now}
    if bulk.insert_new(tx, table, [row], ("request_id",))():
        return None
    kept = tx.connection.execute(
        select(table.c.content_digest, table.c.answer).where(*_is(key))
    ).first()
    if kept is None or kept.answer is None:
        raise StoreConflictError
    if not same(kept.content_digest, digest):
        raise IdempotencyConflictError
    return tx.cipher.open(table.name, "answer", str(key), kept.answer)


def find(tx: Reader, key: RequestKey, content: bytes) -> bytes | None:
    """The answer that a request id got, if it got one. Raises IdempotencyConflictError."""
    row = tx.connection.execute(
        select(table.c.content_digest, table.c.answer).where(*_is(key))
    ).first()
    if row is None or row.answer is None:
        return None
    if not same(row.content_digest, digest_of(tx, content)):
        raise IdempotencyConflictError
    return tx.cipher.open(table.name, "answer", str(key), row.answer)


def reopen(tx: Transaction, key: RequestKey) -> bytes:
    """The kept answer, whatever was asked. Raises StoreConflictError where there is none."""
    sealed = tx.connection.execute(select(table.c.answer).where(*_is(key))).scalar()
    if sealed is None:
        raise StoreConflictError
    return tx.cipher.open(table.name, "answer", str(key), sealed)


def keep(tx: Transaction, key: RequestKey, answer: bytes) -> None:
    """Keep the answer for the request id that this transaction holds."""
    sealed = tx.cipher.seal(table.name, "answer", str(key), answer)
    tx.run(_KEEP[tx.is_sqlite], (sealed, *key))


class Kept(NamedTuple):
    """What is kept of an answered request. content_digest: of what a retry must repeat."""

    content_digest: bytes
    answer: bytes

    def __repr__(self) -> str:
        return "Kept()"


def digest_of(tx: Reader, content: bytes) -> bytes:
    return tx.cipher.keyed_digest([b"request", content])


def hold_all(tx: Transaction, keys: Collection[RequestKey]) -> Pending[dict[RequestKey, Kept]]:
    """Hold many request ids until the transaction ends, and return what was answered before.

    Of transactions that hold the same id one goes on and the others wait for it. A held id that
    was not answered is to be given its answer by `keep_all`.
    """
    tx.lock_all((f"{table.name}/{key}" for key in keys), Lock.OWN)
    wanted = [(key.actor_kind, key.actor_id, key.request_id) for key in keys]
    pending = bulk.find_keys(tx, table, (*_KEY, "content_digest", "answer"), _KEY, wanted)

    def found() -> dict[RequestKey, Kept]:
        kept: dict[RequestKey, Kept] = {}
        for row in pending():
            key = RequestKey(row.actor_kind, row.actor_id, row.request_id)
            if row.answer is None:
                raise StoreConflictError
            answer = tx.cipher.open(table.name, "answer", str(key), row.answer)
            kept[key] = Kept(row.content_digest, answer)
        return kept

    return found


def keep_all(tx: Transaction, answered: Mapping[RequestKey, Kept], now: datetime) -> None:
    """Keep the answers to request ids that this transaction holds. Raises StoreConflictError."""
    bulk.insert(tx, table, _rows(tx, [(key, kept, now) for key, kept in answered.items()]))


def keep_new(tx: Transaction, answered: Sequence[tuple[RequestKey, Kept, datetime]]) -> None:
    """Keep answers, each with its instant, to request ids that have none yet; of several to one
    request id the first."""
    bulk.insert_new(tx, table, _rows(tx, answered), ("request_id",))()


def sweep(tx: Transaction, before: datetime) -> int:
    """Forget answers given before `before`, some at a time; how many."""
    key = tuple_(table.c.actor_kind, table.c.actor_id, table.c.request_id)
    old = select(table.c.actor_kind, table.c.actor_id, table.c.request_id)
    old = old.where(table.c.at < before).limit(SWEEP_ROWS_MAX)
    return tx.connection.execute(delete(table).where(key.in_(old))).rowcount


def _rows(
    tx: Transaction, answered: Sequence[tuple[RequestKey, Kept, datetime]]
) -> list[dict[str, Any]]:
    row_ids = [str(key) for key, _, _ in answered]
    plaintexts = [kept.answer for _, kept, _ in answered]
    sealed = tx.cipher.seal_table(table.name, row_ids, {"answer": plaintexts})["answer"]
    return [
        {
            "actor_kind": key.actor_kind,
            "actor_id": key.actor_id,
            "request_id": key.request_id,
            "content_digest": kept.content_digest,
            "answer": answer,
            "at": at,
        }
        for (key, kept, at), answer in zip(answered, sealed, strict=True)
    ]


def _is(key: RequestKey) -> Iterator[ColumnElement[bool]]:
    return (table.c[column] == value for column, value in key._asdict().items())
