"""Applications one by one, blank cards, guardians, e-cards that family members show.

Revision 0018.
"""

from alembic import op
from sqlalchemy import (
    Column,
    Date,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    text,
)

from card_core.store.columns import Instant

revision = "0018"
down_revision = "0017"

_OPEN = text("state IN ('filed', 'accepted')")
_ACTIVE = text("state = 'active'")
_OFFERED = text("code_digest IS NOT NULL")


def _guard() -> tuple[Column[int], Column[bytes]]:
    return (
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
    )


def upgrade() -> None:
    _filings()
    op.create_table(
        "blank_cards",
        Column("id", String(length=20), nullable=False),
        Column("received", Integer(), nullable=False),
        Column("on_hand", Integer(), nullable=False),
        Column("in_device", Integer(), nullable=False),
        Column("used", Integer(), nullable=False),
        Column("spoiled", Integer(), nullable=False),
        *_guard(),
        PrimaryKeyConstraint("id", name="pk_blank_cards"),
    )
    _guardianships()
    _family_members()
    # None counts as absent in a row's HMAC: the rows that are there stay sound.
    op.add_column("card_policies", Column("family_max", Integer(), nullable=True))


def _filings() -> None:
    op.create_table(
        "filings",
        Column("id", String(length=32), nullable=False),
        Column("number_index", LargeBinary(length=32), nullable=False),
        Column("content", LargeBinary(), nullable=False),
        Column("kind", String(length=24), nullable=False),
        Column("channel", String(length=24), nullable=False),
        Column("mode", String(length=24), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("filed_by", String(length=32), nullable=False),
        Column("checker_id", String(length=32), nullable=True),
        Column("evidence", String(length=24), nullable=True),
        Column("evidence_reference", LargeBinary(), nullable=True),
        Column("refusal", String(length=32), nullable=True),
        Column("batch_id", String(length=32), nullable=True),
        Column("filed_at", Instant(), nullable=False),
        Column("decided_at", Instant(), nullable=True),
        Column("erased_at", Instant(), nullable=True),
        *_guard(),
        PrimaryKeyConstraint("id", name="pk_filings"),
    )
    op.create_index("ix_filings_number_index", "filings", ["number_index"])
    op.create_index("ix_filings_state", "filings", ["state", "id"])
    op.create_index("ix_filings_filed_by", "filings", ["filed_by"])
    op.create_index(
        "uq_filings_open",
        "filings",
        ["number_index"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def _guardianships() -> None:
    op.create_table(
        "guardianships",
        Column("id", String(length=32), nullable=False),
        Column("ward_id", String(length=32), nullable=False),
        Column("guardian_id", String(length=32), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("evidence", String(length=24), nullable=False),
        Column("evidence_reference", LargeBinary(), nullable=False),
        Column("ends_on", Date(), nullable=False),
        Column("began_at", Instant(), nullable=False),
        Column("ended_at", Instant(), nullable=True),
        *_guard(),
        PrimaryKeyConstraint("id", name="pk_guardianships"),
        ForeignKeyConstraint(["ward_id"], ["holders.id"], name="fk_guardianships_ward_id"),
        ForeignKeyConstraint(["guardian_id"], ["holders.id"], name="fk_guardianships_guardian_id"),
    )
    op.create_index("ix_guardianships_guardian_id", "guardianships", ["guardian_id"])
    op.create_index(
        "uq_guardianships_active",
        "guardianships",
        ["ward_id", "guardian_id"],
        unique=True,
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    )


def _family_members() -> None:
    op.create_table(
        "family_members",
        Column("id", String(length=32), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("shower_id", String(length=32), nullable=True),
        Column("relation", String(length=24), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("guardianship_id", String(length=32), nullable=True),
        Column("code_digest", LargeBinary(length=32), nullable=True),
        Column("offered_at", Instant(), nullable=False),
        Column("expires_at", Instant(), nullable=True),
        Column("ended_at", Instant(), nullable=True),
        *_guard(),
        PrimaryKeyConstraint("id", name="pk_family_members"),
        ForeignKeyConstraint(["holder_id"], ["holders.id"], name="fk_family_members_holder_id"),
        ForeignKeyConstraint(["shower_id"], ["holders.id"], name="fk_family_members_shower_id"),
    )
    op.create_index("ix_family_members_holder_id", "family_members", ["holder_id"])
    op.create_index("ix_family_members_shower_id", "family_members", ["shower_id"])
    op.create_index(
        "uq_family_members_code_digest",
        "family_members",
        ["code_digest"],
        unique=True,
        sqlite_where=_OFFERED,
        postgresql_where=_OFFERED,
    )
    op.create_index(
        "uq_family_members_active",
        "family_members",
        ["holder_id", "shower_id"],
        unique=True,
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    )
