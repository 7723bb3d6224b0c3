"""Rows of rosters and stocks that came to nothing: people who got no card by them."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, Table, delete, select

from card_core.states import ApplicationState, StockCardState
from card_core.store.database import Reader, Transaction
from card_core.store.schema import applications, batches, stock_cards

ROWS_AT_ONCE: Final = 1000
_CAME_TO_NOTHING: Final[dict[Table, tuple[str, ...]]] = {
    applications: (ApplicationState.WITHDRAWN.value,),
    stock_cards: (StockCardState.WITHDRAWN.value, StockCardState.REFUSED.value),
}


def is_any(tx: Reader, before: datetime) -> bool:
    """Whether there are some whose batch came in before this."""
    return any(
        tx.connection.execute(_old(table, before).limit(1)).first() is not None
        for table in _CAME_TO_NOTHING
    )


def forget(tx: Transaction, before: datetime) -> int:
    """Delete some of those whose batch came in before this; how many."""
    forgotten = 0
    for table in _CAME_TO_NOTHING:
        old = _old(table, before).limit(ROWS_AT_ONCE)
        forgotten += tx.connection.execute(delete(table).where(table.c.id.in_(old))).rowcount
    return forgotten


def _old(table: Table, before: datetime) -> Select[Any]:
    return (
        select(table.c.id)
        .join(batches, batches.c.id == table.c.batch_id)
        .where(table.c.state.in_(_CAME_TO_NOTHING[table]), batches.c.created_at < before)
    )
