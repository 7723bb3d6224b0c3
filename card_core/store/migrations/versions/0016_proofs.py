"""Checkpoints of the audit log, positions in the outbox, versions of the field key, restores.

Revision 0016.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
)

from card_core.store.columns import Instant

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "audit_checkpoints",
        Column("number", BigInteger(), autoincrement=False, nullable=False),
        Column("at", Instant(), nullable=False),
        Column("content", LargeBinary(), nullable=False),
        Column("signature", LargeBinary(length=64), nullable=False),
        PrimaryKeyConstraint("number", name="pk_audit_checkpoints"),
    )
    op.create_index("ix_audit_checkpoints_at", "audit_checkpoints", ["at"])
    op.create_table(
        "outbox_positions",
        Column("consumer", String(length=32), nullable=False),
        Column("chain", String(length=16), nullable=False),
        Column("seq", BigInteger(), nullable=False),
        Column("told_at", Instant(), nullable=False),
        PrimaryKeyConstraint("consumer", "chain", name="pk_outbox_positions"),
    )
    op.create_table(
        "field_keys",
        Column("id", String(length=4), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("check_value", LargeBinary(length=16), nullable=False),
        Column("since", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_field_keys"),
    )
    op.create_table(
        "field_reseals",
        Column("id", String(length=32), nullable=False),
        Column("key_version", Integer(), nullable=False),
        Column("after", String(length=64), nullable=False),
        Column("is_done", Boolean(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_field_reseals"),
    )
    op.create_table(
        "restores",
        Column("id", String(length=8), nullable=False),
        Column("taken_at", Instant(), nullable=False),
        Column("restored_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_restores"),
    )
