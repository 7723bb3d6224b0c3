"""Visits under one code, and scans that were taken back."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, STATE, guard, metadata

visits = Table(
    "visits",
    metadata,
    Column("id", ID, primary_key=True),
    Column("holder_id", ID, nullable=False),
    Column("card_id", ID, nullable=False),
    Column("ecard_id", BigInteger),  # where it was opened by an e-card's code
    Column("institution_id", ID, ForeignKey("institutions.id"), nullable=False),
    Column("scan_id", ID, nullable=False, unique=True),  # that opened it
    Column("business_types", String(128), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("issuer", Integer, nullable=False),
    Column("presence", Integer, nullable=False),
    Column("for_whom", Integer, nullable=False),
    Column("steps_max", Integer, nullable=False),
    Column("consuming_max", Integer, nullable=False),
    Column("amount_max_fen", Integer, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("consuming", Integer, nullable=False),
    Column("amount_fen", Integer, nullable=False),
    Column("state", STATE, nullable=False),
    *guard(),
    Index(None, "holder_id", "id"),
)

reversals = Table(
    "reversals",
    metadata,
    Column("id", ID, primary_key=True),
    Column("scan_id", ID, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("amount_fen", Integer),
    Column("reversed_at", Instant, nullable=False),
    Column("terminal_id", ID, nullable=False),
    Column("institution_id", ID, nullable=False),
    Column("holder_id", ID, nullable=False, index=True),
    Column("operator", LargeBinary, nullable=False),  # sealed
    Column("department", LargeBinary, nullable=False),  # sealed
    *guard(),
)
