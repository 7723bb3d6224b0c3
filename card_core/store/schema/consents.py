"""Whether a holder consents to a use of their data that rests on consent. Ids alone, no data."""

from sqlalchemy import Column, ForeignKey, String, Table

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, STATE, guard, metadata

consents = Table(
    "consents",
    metadata,
    Column("id", String(64), primary_key=True),  # <holder id>/<use>
    Column("holder_id", ID, ForeignKey("holders.id"), nullable=False, index=True),
    Column("data_use", STATE, nullable=False),
    Column("state", STATE, nullable=False),
    Column("changed_at", Instant, nullable=False),
    *guard(),
)
