"""Visits under one code, and scans that were taken back.

Revision 0006. There is no way back below it: what it holds is not to be dropped by a command.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
)

from card_core.store.columns import Instant

revision = "0006"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "visits",
        Column("id", String(length=32), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("card_id", String(length=32), nullable=False),
        Column("ecard_id", BigInteger()),
        Column("institution_id", String(length=32), nullable=False),
        Column("scan_id", String(length=32), nullable=False),
        Column("business_types", String(length=128), nullable=False),
        Column("opened_at", Instant(), nullable=False),
        Column("ends_at", Instant(), nullable=False),
        Column("issuer", Integer(), nullable=False),
        Column("presence", Integer(), nullable=False),
        Column("for_whom", Integer(), nullable=False),
        Column("steps_max", Integer(), nullable=False),
        Column("consuming_max", Integer(), nullable=False),
        Column("amount_max_fen", Integer(), nullable=False),
        Column("steps", Integer(), nullable=False),
        Column("consuming", Integer(), nullable=False),
        Column("amount_fen", Integer(), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name="fk_visits_institution_id"
        ),
        PrimaryKeyConstraint("id", name="pk_visits"),
        UniqueConstraint("scan_id", name="uq_visits_scan_id"),
    )
    op.create_index("ix_visits_holder_id_id", "visits", ["holder_id", "id"])
    op.create_table(
        "reversals",
        Column("id", String(length=32), nullable=False),
        Column("scan_id", String(length=32), nullable=False),
        Column("kind", String(length=16), nullable=False),
        Column("amount_fen", Integer()),
        Column("reversed_at", Instant(), nullable=False),
        Column("terminal_id", String(length=32), nullable=False),
        Column("institution_id", String(length=32), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("operator", LargeBinary(), nullable=False),
        Column("department", LargeBinary(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_reversals"),
    )
    op.create_index("ix_reversals_scan_id", "reversals", ["scan_id"])
    op.create_index("ix_reversals_holder_id", "reversals", ["holder_id"])
