"""For how long what is kept, and who took out their own data lately."""

from sqlalchemy import Column, Integer, String, Table

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, guard, metadata

retention_policies = Table(
    "retention_policies",
    metadata,
    Column("id", String(8), primary_key=True),  # the issuer number, as text
    Column("holder_days", Integer, nullable=False),
    Column("refused_days", Integer, nullable=False),
    Column("approval_days", Integer, nullable=False),
    *guard(),
)

holder_exports = Table(
    "holder_exports",
    metadata,
    Column("id", ID, primary_key=True),
    Column("holder_id", ID, nullable=False, index=True),
    Column("at", Instant, nullable=False, index=True),
)
