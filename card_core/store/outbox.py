"""The outbox: one event an act, for what listens outside the database.

An event's number is its audit event's. Those are given out under the chain's lock, so they follow
the order of commits and have no gaps: whoever reads behind the last number seen misses nothing.

Each of those who are told (a consumer) has a position in each chain: the last event that it has
taken. Positions only grow.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, tuple_, update

from card_core.store import bulk, guarded
from card_core.store.database import Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import outbox as table
from card_core.store.schema import outbox_positions as positions

SWEEP_ROWS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Event:
    """topic: the act's word. subject: "<noun>/<id>". payload: JSON without personal data."""

    chain: str
    seq: int
    at: datetime
    topic: str
    subject: str
    payload: str


@dataclass(frozen=True, slots=True)
class Position:
    """seq: the last event that the consumer has taken, 0 for none yet. waiting: how many wait."""

    consumer: str
    chain: str
    seq: int
    told_at: datetime
    waiting: int


def append(tx: Transaction, event: Event) -> None:
    row = {
        "chain": event.chain,
        "seq": event.seq,
        "at": event.at,
        "topic": event.topic,
        "subject": event.subject,
        "payload": event.payload,
    }
    bulk.insert(tx, table, [row])


def page(tx: Reader, chain: str, *, after: int = 0, limit: int = PAGE_SIZE_MAX) -> list[Event]:
    """At most `limit` events of a chain whose number comes behind `after`, in their order."""
    statement = (
        select(table)
        .where(table.c.chain == chain, table.c.seq > after)
        .order_by(table.c.seq)
        .limit(check_limit(limit))
    )
    return [Event(*row) for row in tx.connection.execute(statement)]


def last(tx: Reader, chain: str) -> int:
    """The number of the chain's last event; 0 for none."""
    statement = select(func.max(table.c.seq)).where(table.c.chain == chain)
    seq: int | None = tx.connection.execute(statement).scalar()
    return seq or 0


def position(tx: Reader, consumer: str, chain: str) -> int | None:
    """The last event that the consumer has taken; None for one that was never here."""
    statement = select(positions.c.seq).where(
        positions.c.consumer == consumer, positions.c.chain == chain
    )
    seq: int | None = tx.connection.execute(statement).scalar()
    return seq


def advance(tx: Transaction, consumer: str, chain: str, seq: int, now: datetime) -> None:
    """The consumer has taken all up to this event; nothing happens if it has taken more."""
    at = {"consumer": consumer, "chain": chain}
    if guarded.add_if_absent(tx, positions, {**at, "seq": seq, "told_at": now}):
        return
    tx.connection.execute(
        update(positions)
        .where(positions.c.consumer == consumer, positions.c.chain == chain, positions.c.seq < seq)
        .values(seq=seq, told_at=now)
    )


def all_positions(tx: Reader) -> list[Position]:
    """Of every consumer, in the order of names."""
    waiting = (
        select(func.count())
        .where(table.c.chain == positions.c.chain, table.c.seq > positions.c.seq)
        .scalar_subquery()
    )
    statement = select(positions, waiting).order_by(positions.c.consumer, positions.c.chain)
    return [Position(*row) for row in tx.connection.execute(statement)]


def forget(tx: Transaction, consumer: str) -> int:
    """The consumer is told no more, and holds up no sweep; in how many chains it stood."""
    return tx.connection.execute(delete(positions).where(positions.c.consumer == consumer)).rowcount


def sweep(tx: Transaction, before: datetime) -> int:
    """Delete events from before `before` that every consumer has taken, some at a time; how many.

    The last event of a chain stays, from which a new consumer may begin.
    """
    gone = 0
    for chain in tx.connection.execute(select(table.c.chain).distinct()).scalars().all():
        statement = select(func.min(positions.c.seq)).where(positions.c.chain == chain)
        taken: int | None = tx.connection.execute(statement).scalar()
        until = last(tx, chain) - 1 if taken is None else min(taken, last(tx, chain) - 1)
        old = select(table.c.chain, table.c.seq).where(
            table.c.chain == chain, table.c.seq <= until, table.c.at < before
        )
        old = old.order_by(table.c.seq).limit(SWEEP_ROWS_MAX)
        key = tuple_(table.c.chain, table.c.seq)
        gone += tx.connection.execute(delete(table).where(key.in_(old))).rowcount
    return gone
