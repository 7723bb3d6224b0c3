"""Reading the audit log: from its beginning, for whoever audits, and what is about one person;
`audit` writes and verifies it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from card_core.store.database import Reader
from card_core.store.schema import audit_events as table

_ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """seq: its number in the chain, from 1. detail: JSON text. link: 32 bytes, keyed."""

    chain: str
    seq: int
    at: datetime
    actor_kind: str
    actor_id: str
    act: str
    subject: str
    detail: str
    link: bytes


def events(tx: Reader, chain: str, *, until: int) -> Iterator[LoggedEvent]:
    """The events of a chain up to number `until`, in their order, some in memory at a time."""
    names = LoggedEvent.__dataclass_fields__
    columns = select(*(table.c[name] for name in names)).where(table.c.chain == chain)
    seq = 0
    while True:
        page = tx.connection.execute(
            columns.where(table.c.seq > seq, table.c.seq <= until)
            .order_by(table.c.seq)
            .limit(_ROWS_AT_ONCE)
        ).all()
        if not page:
            return
        yield from (LoggedEvent(*row) for row in page)
        seq = page[-1].seq


def about(
    tx: Reader, subjects: Collection[str], *, before: int | None = None, limit: int
) -> list[LoggedEvent]:
    """The newest events of the bureau's chain about any of these, as `card/` and its id; before:
    only those with a smaller number."""
    names = LoggedEvent.__dataclass_fields__
    statement = select(*(table.c[name] for name in names)).where(
        # As text, so that the index over this chain alone is seen to fit.
        text("chain = 'bureau'"),
        table.c.subject.in_(list(subjects)),
    )
    if before is not None:
        statement = statement.where(table.c.seq < before)
    rows = tx.connection.execute(statement.order_by(table.c.seq.desc()).limit(limit))
    return [LoggedEvent(*row) for row in rows]
