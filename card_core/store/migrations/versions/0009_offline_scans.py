"""Scans made with no network, and the codes that were taken twice.

Revision 0009.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
)

from card_core.store.columns import Instant

revision = "0009"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "offline_scans",
        Column("id", String(length=32), nullable=False),
        Column("terminal_id", String(length=32), nullable=False),
        Column("institution_id", String(length=32), nullable=False),
        Column("request_id", String(length=64), nullable=False),
        Column("sequence", BigInteger(), nullable=False),
        Column("scanned_at", Instant(), nullable=False),
        Column("uploaded_at", Instant(), nullable=False),
        Column("business_type", String(length=5), nullable=False),
        Column("amount_fen", Integer()),
        Column("code_digest", LargeBinary(length=32), nullable=False),
        Column("signature", LargeBinary(length=64), nullable=False),
        Column("holder_id", String(length=32)),
        Column("card_id", String(length=32)),
        Column("outcome", String(length=24), nullable=False),
        Column("reason", String(length=32)),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_offline_scans"),
        UniqueConstraint(
            "terminal_id", "request_id", name="uq_offline_scans_terminal_id_request_id"
        ),
    )
    op.create_index("ix_offline_scans_holder_id", "offline_scans", ["holder_id"])
    op.create_table(
        "offline_pairs",
        Column("id", String(length=32), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("first_id", String(length=32), nullable=False),
        Column("first_is_offline", Integer(), nullable=False),
        Column("first_terminal_id", String(length=32), nullable=False),
        Column("first_evidence", LargeBinary()),
        Column("second_id", String(length=32), nullable=False),
        Column("second_terminal_id", String(length=32), nullable=False),
        Column("second_evidence", LargeBinary(length=64), nullable=False),
        Column("found_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_offline_pairs"),
        UniqueConstraint("second_id", name="uq_offline_pairs_second_id"),
    )
