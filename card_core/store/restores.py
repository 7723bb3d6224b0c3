"""When the database was put back from a backup: what was issued before is not to be believed.

A restored database has forgotten the codes that were spent after the backup was taken, visits that
were consumed, sessions that were ended.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import delete, func, select

from card_core.states import VisitState
from card_core.store import guarded, visits
from card_core.store.database import Reader, Transaction
from card_core.store.schema import code_box_keys, printed_codes, sessions, short_codes
from card_core.store.schema import restores as table
from card_core.store.schema import visits as visits_table


def last(tx: Reader) -> datetime | None:
    """When it was last restored; None for a database that never was. Raises TamperedRowError."""
    row = guarded.first(tx, table, select(table).order_by(table.c.restored_at.desc()).limit(1))
    return None if row is None else row.restored_at


def add(tx: Transaction, taken_at: datetime, now: datetime) -> int:
    """taken_at: when the backup was. Returns the number of this restore, from 1."""
    count: int = tx.connection.execute(select(func.count()).select_from(table)).scalar_one()
    guarded.add(tx, table, {"id": str(count + 1), "taken_at": taken_at, "restored_at": now})
    return count + 1


def forget_what_was_issued(tx: Transaction) -> None:
    """Box keys, without which no online code opens, short and printed codes, sessions, visits."""
    for gone in (code_box_keys, short_codes, printed_codes, sessions):
        tx.connection.execute(delete(gone))
    for visit_id in _open_visits(tx):
        visits.set_state(tx, visit_id, VisitState.ENDED)


def _open_visits(tx: Reader) -> Iterator[str]:
    """Those that live for hours at most, so that they fit into memory."""
    statement = select(visits_table.c.id).where(visits_table.c.state == VisitState.OPEN.value)
    yield from tx.connection.execute(statement).scalars().all()
