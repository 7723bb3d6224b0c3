"""When cards came to the steps that figures and retention count from: dates in Shanghai."""

from collections.abc import Collection
from datetime import date
from enum import StrEnum

from sqlalchemy import func, literal_column
from sqlalchemy.dialects import postgresql, sqlite

from card_core.store.database import Transaction
from card_core.store.schema import card_dates as table


class CardDate(StrEnum):
    """The columns, by what happened then."""

    HANDED_OVER = "handed_over_on"
    ACTIVATED = "activated_on"
    ECARD_ACTIVATED = "ecard_activated_on"
    CANCELLED = "cancelled_on"


def note(tx: Transaction, card_ids: Collection[str], what: CardDate, on: date) -> None:
    """Note a date of these cards; one that is noted already stays."""
    if not card_ids:
        return
    new = sqlite.insert if tx.is_sqlite else postgresql.insert
    column = what.value
    statement = new(table).values([{"card_id": one, column: on} for one in card_ids])
    kept = func.coalesce(table.c[column], literal_column(f"excluded.{column}"))
    tx.connection.execute(
        statement.on_conflict_do_update(index_elements=["card_id"], set_={column: kept})
    )
