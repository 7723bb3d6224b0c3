"""What institutions may scan for, terminals' keys with an end, and enrolment by a one-time code."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
)

from card_core.store.columns import Instant

revision = "0005"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("institutions", Column("business_types", Text()))
    op.add_column("institutions", Column("change_number", BigInteger()))
    op.create_index("ix_institutions_change_number", "institutions", ["change_number"], unique=True)
    op.add_column("terminals", Column("key_ends_at", Instant()))
    op.add_column("terminals", Column("previous_key", LargeBinary(length=33)))
    op.add_column("terminals", Column("previous_key_ends_at", Instant()))
    op.add_column("terminals", Column("change_number", BigInteger()))
    op.create_index("ix_terminals_change_number", "terminals", ["change_number"], unique=True)
    op.create_table(
        "enrolments",
        Column("id", String(length=32), nullable=False),
        Column("serial_number", LargeBinary(length=8), nullable=False),
        Column("institution_id", String(length=32), nullable=False),
        Column("code_name", String(length=8), nullable=False),
        Column("code_digest", LargeBinary(length=32), nullable=False),
        Column("failures", Integer(), nullable=False),
        Column("ends_at", Instant(), nullable=False),
        Column("public_key", LargeBinary(length=33)),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name="fk_enrolments_institution_id"
        ),
        PrimaryKeyConstraint("id", name="pk_enrolments"),
    )
    op.create_index("ix_enrolments_serial_number", "enrolments", ["serial_number"])
