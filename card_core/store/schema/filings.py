"""Applications made one by one, blank cards at branches, guardians, and shown e-cards of family."""

from sqlalchemy import (
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    text,
)

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, STATE, guard, metadata

_OPEN = text("state IN ('filed', 'accepted')")
_ACCEPTED = text("state = 'accepted'")

filings = Table(
    "filings",
    metadata,
    Column("id", ID, primary_key=True),
    Column("number_index", LargeBinary(32), nullable=False, index=True),  # of who gets the card
    Column("content", LargeBinary, nullable=False),  # sealed: the application
    Column("kind", STATE, nullable=False),
    Column("channel", STATE, nullable=False),
    Column("mode", STATE, nullable=False),
    Column("state", STATE, nullable=False),
    Column("filed_by", ID, nullable=False),  # the operator, or the holder who applied
    Column("checker_id", ID),
    Column("evidence", STATE),
    Column("evidence_reference", LargeBinary),  # sealed: the number of the document
    Column("refusal", String(32)),
    Column("batch_id", ID),
    Column("filed_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("erased_at", Instant),  # when what is personal was taken out
    *guard(),
    # A person has one application that goes on, and nobody files two for one person, whatever else
    # fails. Several may wait for a child: who is the guardian, the window sees.
    Index(
        "uq_filings_accepted",
        "number_index",
        unique=True,
        sqlite_where=_ACCEPTED,
        postgresql_where=_ACCEPTED,
    ),
    Index(
        "uq_filings_open_by",
        "number_index",
        "filed_by",
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
    Index("ix_filings_state", "state", "id"),
    Index("ix_filings_filed_by", "filed_by"),
)

# One row a branch. received = on_hand + in_device + used + spoiled, always.
blank_cards = Table(
    "blank_cards",
    metadata,
    Column("id", String(20), primary_key=True),  # the branch
    Column("received", Integer, nullable=False),
    Column("on_hand", Integer, nullable=False),
    Column("in_device", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("spoiled", Integer, nullable=False),
    *guard(),
)

_ACTIVE = text("state = 'active'")

guardianships = Table(
    "guardianships",
    metadata,
    Column("id", ID, primary_key=True),
    Column("ward_id", ID, ForeignKey("holders.id"), nullable=False),
    Column("guardian_id", ID, ForeignKey("holders.id"), nullable=False, index=True),
    Column("state", STATE, nullable=False),
    Column("evidence", STATE, nullable=False),
    Column("evidence_reference", LargeBinary, nullable=False),  # sealed
    Column("ends_on", Date, nullable=False),  # the ward's 16th birthday, in Shanghai
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    *guard(),
    Index(
        "uq_guardianships_active",
        "ward_id",
        "guardian_id",
        unique=True,
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    ),
)

family_members = Table(
    "family_members",
    metadata,
    Column("id", ID, primary_key=True),
    Column("holder_id", ID, ForeignKey("holders.id"), nullable=False, index=True),  # whose e-card
    Column("shower_id", ID, ForeignKey("holders.id"), index=True),  # none until the offer is taken
    Column("relation", STATE, nullable=False),
    Column("state", STATE, nullable=False),
    Column("guardianship_id", ID),  # none where the holder consented
    Column("code_digest", LargeBinary(32)),  # of the consent code, until it is taken
    Column("offered_at", Instant, nullable=False),
    Column("expires_at", Instant),  # of the offer
    Column("ended_at", Instant),
    *guard(),
    Index(
        "uq_family_members_code_digest",
        "code_digest",
        unique=True,
        sqlite_where=text("code_digest IS NOT NULL"),
        postgresql_where=text("code_digest IS NOT NULL"),
    ),
    Index(
        "uq_family_members_active",
        "holder_id",
        "shower_id",
        unique=True,
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    ),
)
