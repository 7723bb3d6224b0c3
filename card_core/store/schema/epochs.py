"""The epoch of the fast store, and which process holds the store that lives in a process."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, guard, metadata

fast_epochs = Table(
    "fast_epochs",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("layout", Integer, nullable=False),
    Column("not_before", BigInteger, nullable=False),  # Unix seconds
    Column("name", String(16)),  # this and the next two are there while the epoch is open
    Column("nodes", Text),  # JSON
    Column("made_until", BigInteger),  # Unix seconds
    Column("closed_at", Instant, nullable=False),
    *guard(),
)

fast_owners = Table(
    "fast_owners",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", ID, nullable=False),
    Column("seen_at", Instant, nullable=False),
)
