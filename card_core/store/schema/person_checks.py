"""Checks of a person that are under way (本人核验), for a quarter of an hour each."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, STATE, guard, metadata

person_checks = Table(
    "person_checks",
    metadata,
    Column("id", String(64), primary_key=True),  # keyed digest of the ticket, hex
    Column("purpose", STATE, nullable=False),
    Column("number_index", LargeBinary(32), nullable=False, index=True),
    Column("content", LargeBinary, nullable=False),  # sealed: who is claimed, and the reference
    Column("provider", String(32), nullable=False),
    Column("state", STATE, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("holder_id", ID, ForeignKey("holders.id")),  # none until it is passed
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    *guard(),
)
