"""Holders, their cards, and the batches and applications that these come from."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
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

holders = Table(
    "holders",
    metadata,
    Column("id", ID, primary_key=True),
    Column("number_index", LargeBinary(32), nullable=False, unique=True),
    Column("social_security_number", LargeBinary, nullable=False),  # sealed
    Column("name", LargeBinary, nullable=False),  # sealed
    Column("sex", LargeBinary, nullable=False),  # sealed
    Column("birth_on", LargeBinary, nullable=False),  # sealed
    Column("ethnic_group", LargeBinary, nullable=False),  # sealed
    Column("phone", LargeBinary, nullable=False),  # sealed
    Column("address", LargeBinary, nullable=False),  # sealed
    Column("region", String(6), nullable=False),
    Column("guardian_name", LargeBinary, nullable=False),  # sealed
    Column("guardian_number", LargeBinary, nullable=False),  # sealed
    Column("created_at", Instant, nullable=False),
    Column("erased_at", Instant),  # when what is personal was taken out of it
)

batches = Table(
    "batches",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", STATE, nullable=False),
    Column("maker_id", ID, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("issued", Integer, nullable=False),
    Column("content_root", LargeBinary(32), nullable=False),
    Column("file_digest", LargeBinary(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("first_card_serial", Integer),  # from its release on
    Column("kind", STATE),  # what its cards come from: none for a roster
    Column("return_bank", String(16)),  # whose return is being taken
    Column("return_digest", LargeBinary(32)),  # and which file
    *guard(),
)

# The ledger of a batch: a chunk has card numbers if, and only if, its cards are made.
batch_chunks = Table(
    "batch_chunks",
    metadata,
    Column("batch_id", ID, ForeignKey("batches.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("first_card_number", String(9)),
    Column("last_card_number", String(9)),
    Column("issued_at", Instant),
    PrimaryKeyConstraint("batch_id", "number"),
)

applications = Table(
    "applications",
    metadata,
    Column("id", ID, primary_key=True),
    Column("batch_id", ID, ForeignKey("batches.id"), nullable=False),
    Column("position", Integer, nullable=False),  # from 1 within the batch
    Column("row", Integer, nullable=False),  # of the roster
    Column("number_index", LargeBinary(32), nullable=False),
    Column("content", LargeBinary, nullable=False),  # sealed
    Column("state", STATE, nullable=False),
    UniqueConstraint("batch_id", "position"),
    Index(
        "uq_applications_open",
        "number_index",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

# No foreign keys from here on: the ids of others stand under the rows' HMACs, and looking each one
# up was a third of what storing a card took. Triggers of migration 0023 (keep_holders,
# keep_batches, keep_cards) refuse to delete what is referred to; a later migration that makes one
# of these tables anew on SQLite drops them before and makes them again behind (decision 29).
cards = Table(
    "cards",
    metadata,
    Column("id", ID, primary_key=True),
    Column("holder_id", ID, nullable=False, index=True),
    Column("card_number", String(9), nullable=False, index=True),
    Column("state", STATE, nullable=False),
    Column("batch_id", ID, nullable=False, index=True),
    Column("issuer", Integer, nullable=False),
    Column("region", String(6), nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("expires_on", Date, nullable=False),
    Column("loss_lapses_at", Instant),  # of a temporary loss that lapses by itself
    *guard(),
    # A person has one live card, whatever else fails.
    Index(
        "uq_cards_live",
        "holder_id",
        unique=True,
        sqlite_where=text("state <> 'cancelled'"),
        postgresql_where=text("state <> 'cancelled'"),
    ),
    # A card may take over the number of the cancelled one that it follows.
    Index(
        "uq_cards_live_number",
        "card_number",
        unique=True,
        sqlite_where=text("state <> 'cancelled'"),
        postgresql_where=text("state <> 'cancelled'"),
    ),
    Index(
        "ix_cards_loss_lapses_at",
        "loss_lapses_at",
        sqlite_where=text("loss_lapses_at IS NOT NULL"),
        postgresql_where=text("loss_lapses_at IS NOT NULL"),
    ),
)

card_policies = Table(
    "card_policies",
    metadata,
    Column("id", String(8), primary_key=True),  # the issuer number, as text
    Column("loss_days", Integer, nullable=False),
    Column("withdraws_formal_loss", Boolean, nullable=False),
    Column("on_replacement", STATE, nullable=False),
    Column("on_exchange", STATE, nullable=False),
    Column("family_max", Integer),  # none in rows from before it was decided
    *guard(),
)

ecards = Table(
    "ecards",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("card_id", ID, nullable=False, unique=True),
    Column("holder_id", ID, nullable=False),
    Column("sign_number", String(26), unique=True),
    Column("state", STATE, nullable=False),
    *guard(),
)
