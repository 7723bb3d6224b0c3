"""The epoch (纪元) of the fast store: one row that says whose marks count, and since when.

An epoch is open on named nodes, or closed. Closing and opening are two transactions: the instant
that an opening reads from the database's clock then lies behind the commit of the closing, and so
behind every lease that was ever taken on the epoch before.

All instants here are the database's. A reader's is the one at which its transaction began, so that
it is never later than what the transaction sees; a writer's is read under its lock.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, select, text

from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import fast_epochs as table
from card_core.store.schema import fast_owners

_ID = "identify"
# SQLite's clock is read in whole milliseconds.
_SQLITE_STEP = timedelta(milliseconds=1)


class Node(NamedTuple):
    """One server in one of its lives. mastership: what is drawn anew whenever it becomes master."""

    run_id: str
    mastership: str


@dataclass(frozen=True, slots=True)
class Epoch:
    """number: counts up. layout: how its keys are named and cut. name: 16 hex, unique; None while
    closed, and then there are no nodes.

    not_before: Unix seconds; codes minted before are not its own. made_until: Unix seconds; up to
    there the right to make buckets was granted. closed_at: aware; when the epoch before ended.
    """

    number: int
    layout: int
    name: str | None
    nodes: frozenset[Node]
    not_before: int
    made_until: int
    closed_at: datetime

    @property
    def is_open(self) -> bool:
        return self.name is not None


def database_time(tx: Reader) -> datetime:
    """The database's clock: for a reader never later than its snapshot, for a writer never earlier
    than the statement."""
    writes = isinstance(tx, Transaction)
    if tx.connection.dialect.name == "sqlite":
        word = tx.connection.execute(text("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")).scalar()
        now = datetime.fromisoformat(str(word)).replace(tzinfo=UTC)
        return now + _SQLITE_STEP if writes else now - _SQLITE_STEP
    function = "clock_timestamp()" if writes else "transaction_timestamp()"
    found: datetime = tx.connection.execute(text(f"SELECT {function}")).scalar_one()
    return found.astimezone(UTC)


def get(tx: Reader) -> Epoch | None:
    """None before the first. Raises TamperedRowError."""
    row = guarded.get(tx, table, _ID)
    return None if row is None else _record(row)


def lock(tx: Transaction) -> Epoch | None:
    """The epoch, locked until the transaction ends."""
    row = guarded.get(tx, table, _ID, Lock.OWN)
    return None if row is None else _record(row)


def close(tx: Transaction, epoch: Epoch | None, layout: int) -> int:
    """End the epoch, or make the first one, closed; returns the new number.

    `not_before` stays: whatever clocks do, it never goes back.
    """
    closed: dict[str, Any] = {"layout": layout, "closed_at": database_time(tx)}
    if epoch is None:
        guarded.add(tx, table, {"id": _ID, "number": 1, "not_before": 0, **closed, **_NOT_OPEN})
        return 1
    number = epoch.number + 1
    guarded.change(tx, table, _ID, number=number, **closed, **_NOT_OPEN)
    return number


_NOT_OPEN: dict[str, None] = {"name": None, "nodes": None, "made_until": None}


def open_(
    tx: Transaction, *, name: str, nodes: Sequence[Node], not_before: int, made_until: int
) -> None:
    guarded.change(
        tx,
        table,
        _ID,
        name=name,
        nodes=json.dumps(sorted(nodes)),
        not_before=not_before,
        made_until=made_until,
    )


def grant_until(tx: Transaction, made_until: int) -> None:
    guarded.change(tx, table, _ID, made_until=made_until)


def hold(tx: Transaction, owner: str, *, stale_after: timedelta) -> bool:
    """Take or keep the store that lives in a process; False while another owner is alive.

    This decides who tries, not who is right: that is the epoch's business.
    """
    tx.lock("fast_owners", Lock.OWN)
    now = database_time(tx)
    row = tx.connection.execute(select(fast_owners)).first()
    if row is not None and row.owner != owner and abs(now - row.seen_at) < stale_after:
        return False
    tx.connection.execute(delete(fast_owners))
    return guarded.add_if_absent(tx, fast_owners, {"id": _ID, "owner": owner, "seen_at": now})


def release(tx: Transaction, owner: str) -> None:
    tx.connection.execute(delete(fast_owners).where(fast_owners.c.owner == owner))


def _record(row: Row[Any]) -> Epoch:
    nodes = json.loads(row.nodes) if row.nodes else []
    return Epoch(
        number=row.number,
        layout=row.layout,
        name=row.name,
        nodes=frozenset(Node(*node) for node in nodes),
        not_before=row.not_before,
        made_until=row.made_until or 0,
        closed_at=row.closed_at,
    )
