"""Making of cards (制卡): who makes them, where each one is, what was sent to a maker."""

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, STATE, guard, metadata

makers = Table(
    "makers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("code", String(16), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("public_key", LargeBinary(33), nullable=False),
    Column("state", STATE, nullable=False),
    *guard(),
)

# One row for each card of a roster's batch, made with it. No column is a time or a date, so that
# rows are read and written by the driver alone. PostgreSQL leaves room on each page for the rows
# on it as they will be: none of the columns that change on a card's way but the last one stands in
# an index, so that a row changed on its own page leaves all indexes alone.
makings = Table(
    "makings",
    metadata,
    Column("id", ID, primary_key=True),  # the card's
    Column("batch_id", ID, nullable=False),
    Column("position", Integer, nullable=False),  # from 1 within the batch
    Column("bank", String(16), nullable=False),
    Column("branch", String(20), nullable=False),
    Column("state", STATE, nullable=False),
    Column("order_id", ID),  # the last making order that it was in
    Column("record_number", Integer),  # in that order's maker file
    Column("reason", String(2)),  # of the last failure
    Column("account", LargeBinary),  # sealed: last digits
    Column("chip", LargeBinary),  # sealed: identification code and reset information
    Column("code_index", LargeBinary(32)),  # of the card identification code
    *guard(),
    UniqueConstraint("batch_id", "position"),
    Index(
        "uq_makings_code_index",
        "code_index",
        unique=True,
        sqlite_where=text("code_index IS NOT NULL"),
        postgresql_where=text("code_index IS NOT NULL"),
    ),
    postgresql_with={"fillfactor": 45},
)

making_orders = Table(
    "making_orders",
    metadata,
    Column("id", ID, primary_key=True),
    Column("batch_id", ID, ForeignKey("batches.id"), nullable=False),
    Column("number", Integer, nullable=False),  # from 1 within the batch
    Column("maker_id", ID, ForeignKey("makers.id"), nullable=False),
    Column("issuer", Integer, nullable=False),
    Column("key_number", Integer, nullable=False),  # of the card issuing key
    Column("state", STATE, nullable=False),
    Column("records", Integer, nullable=False),
    Column("made", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("file_digest", LargeBinary(32)),  # SM3 of the maker file that was written last
    Column("created_at", Instant, nullable=False),
    Column("return_digest", LargeBinary(32)),  # of the maker's return that is being taken
    *guard(),
    UniqueConstraint("batch_id", "number"),
)

# The ledger of an order: a chunk has a root once its records are written down, then a signature.
making_chunks = Table(
    "making_chunks",
    metadata,
    Column("order_id", ID, ForeignKey("making_orders.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("first_number", Integer, nullable=False),  # of its first record in the file
    Column("positions", LargeBinary, nullable=False),  # in the batch, 4 bytes each
    Column("digest", LargeBinary(32), nullable=False),  # keyed, over the columns before
    Column("root", LargeBinary(32)),
    Column("content", LargeBinary),  # sealed: the records; gone when the order is answered
    Column("signature", LargeBinary(64)),
    PrimaryKeyConstraint("order_id", "number"),
)
