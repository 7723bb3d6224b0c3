"""Checks of a person that are under way; consents of holders.

Revision 0026.
"""

from alembic import op
from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
)

from card_core.store.columns import Instant

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "person_checks",
        Column("id", String(length=64), nullable=False),
        Column("purpose", String(length=24), nullable=False),
        Column("number_index", LargeBinary(length=32), nullable=False),
        Column("content", LargeBinary(), nullable=False),
        Column("provider", String(length=32), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("failures", Integer(), nullable=False),
        Column("holder_id", String(length=32), nullable=True),
        Column("created_at", Instant(), nullable=False),
        Column("expires_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_person_checks"),
        ForeignKeyConstraint(["holder_id"], ["holders.id"], name="fk_person_checks_holder_id"),
    )
    op.create_index("ix_person_checks_number_index", "person_checks", ["number_index"])
    op.create_index("ix_person_checks_expires_at", "person_checks", ["expires_at"])
    op.create_table(
        "consents",
        Column("id", String(length=64), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("data_use", String(length=24), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("changed_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_consents"),
        ForeignKeyConstraint(["holder_id"], ["holders.id"], name="fk_consents_holder_id"),
    )
    op.create_index("ix_consents_holder_id", "consents", ["holder_id"])
