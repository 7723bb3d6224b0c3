"""The outbox: one event an act, for what listens outside the database.

An event's number is its audit event's. Those are given out under the chain's lock, so they follow
the order of commits and have no gaps: whoever reads behind the last number seen misses nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from card_core.store import bulk
from card_core.store.database import Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import outbox as table


@dataclass(frozen=True, slots=True)
class Event:
    """topic: the act's word. subject: "<noun>/<id>". payload: JSON without personal data."""

    chain: str
    seq: int
    at: datetime
    topic: str
    subject: str
    payload: str


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
