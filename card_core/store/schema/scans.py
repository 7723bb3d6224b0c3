"""Codes that were spent, and the scans."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
)

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, metadata

code_box_keys = Table(
    "code_box_keys",
    metadata,
    Column("day", Date, primary_key=True),
    Column("wrapped", LargeBinary(44), nullable=False),
    Column("created_at", Instant, nullable=False),
)

spent = Table(
    "spent",
    metadata,
    Column("holder_id", ID, nullable=False),
    Column("minted_at", BigInteger, nullable=False),  # Unix seconds, as signed
    Column("nonce", LargeBinary(8), nullable=False),
    Column("scan_id", ID, nullable=False),
    PrimaryKeyConstraint("holder_id", "minted_at", "nonce"),
)

scans = Table(
    "scans",
    metadata,
    Column("id", ID, primary_key=True),
    Column("scanned_at", Instant, nullable=False),
    Column("terminal_id", ID, nullable=False),
    Column("institution_id", ID, nullable=False),
    Column("holder_id", ID),
    Column("card_id", ID),
    Column("business_type", String(5), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("minted_at", Instant),
    Column("amount_fen", Integer),
    Column("operator", LargeBinary),  # sealed; none where the institution gave no word
    Column("department", LargeBinary),  # sealed, likewise
    Column("medium", String(16)),  # what was shown; none where nothing genuine was
    Column("presence", Integer),  # the grade of presence, as numbered in a code
    Column("for_whom", Integer),
    Column("receipt", LargeBinary),  # of an accepted scan
    Index(None, "terminal_id", "id"),
    Index(None, "holder_id", "id"),
)
