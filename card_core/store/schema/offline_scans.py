"""Scans that terminals made with no network, and the codes that were taken twice."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, guard, metadata

offline_scans = Table(
    "offline_scans",
    metadata,
    Column("id", ID, primary_key=True),
    Column("terminal_id", ID, nullable=False),
    Column("institution_id", ID, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("sequence", BigInteger, nullable=False),  # the terminal's own count, from 1
    Column("scanned_at", Instant, nullable=False),  # by the terminal's clock
    Column("uploaded_at", Instant, nullable=False),
    Column("business_type", String(5), nullable=False),
    Column("amount_fen", Integer),
    Column("code_digest", LargeBinary(32), nullable=False),  # SM3 of the code's text
    Column("signature", LargeBinary(64), nullable=False),  # the terminal's, over the record
    Column("holder_id", ID),
    Column("card_id", ID),
    Column("outcome", String(24), nullable=False),
    Column("reason", String(32)),  # where the code itself was refused
    *guard(),
    UniqueConstraint("terminal_id", "request_id"),
    Index(None, "holder_id"),
)

offline_pairs = Table(
    "offline_pairs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("holder_id", ID, nullable=False),
    Column("first_id", ID, nullable=False),  # the scan that spent the code, of either kind
    Column("first_is_offline", Integer, nullable=False),
    Column("first_terminal_id", ID, nullable=False),
    Column("first_evidence", LargeBinary),  # its terminal's signature, or an online scan's receipt
    Column("second_id", ID, nullable=False, unique=True),
    Column("second_terminal_id", ID, nullable=False),
    Column("second_evidence", LargeBinary(64), nullable=False),
    Column("found_at", Instant, nullable=False),
    *guard(),
)
