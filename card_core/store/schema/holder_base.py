"""What became of holders' records, and the cards that a bureau had before this service."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, STATE, guard, metadata

# The trace of merges and corrections. A merged record is one that stands here as `merged_id`.
holder_changes = Table(
    "holder_changes",
    metadata,
    Column("id", ID, primary_key=True),
    Column("holder_id", ID, ForeignKey("holders.id"), nullable=False, index=True),  # that stays
    Column("kind", STATE, nullable=False),
    Column("merged_id", ID, ForeignKey("holders.id"), unique=True),
    Column("number_index", LargeBinary(32), index=True),  # of the merged record
    Column("evidence", String(40), nullable=False),
    Column("content", LargeBinary, nullable=False),  # sealed: what was, what is
    Column("checker_id", ID, nullable=False),
    Column("changed_at", Instant, nullable=False),
    *guard(),
)

_HELD = text("state in ('open', 'taken')")

stock_cards = Table(
    "stock_cards",
    metadata,
    Column("id", ID, primary_key=True),
    Column("batch_id", ID, ForeignKey("batches.id"), nullable=False),
    Column("position", Integer, nullable=False),  # from 1 within the stock
    Column("row", Integer, nullable=False),  # of the file
    Column("number_index", LargeBinary(32), nullable=False, index=True),
    Column("card_number", String(9), nullable=False),
    Column("code_index", LargeBinary(32), nullable=False),  # of the card identification code
    Column("is_live", Boolean, nullable=False),  # not cancelled
    Column("content", LargeBinary, nullable=False),  # sealed
    Column("state", STATE, nullable=False),
    Column("refusal", String(32)),  # why it was not taken over after all
    UniqueConstraint("batch_id", "position"),
    # A card stands in one stock, and so does a chip, whatever else fails.
    Index(
        "uq_stock_cards_card_number",
        "card_number",
        unique=True,
        sqlite_where=_HELD,
        postgresql_where=_HELD,
    ),
    Index(
        "uq_stock_cards_code_index",
        "code_index",
        unique=True,
        sqlite_where=_HELD,
        postgresql_where=_HELD,
    ),
)
