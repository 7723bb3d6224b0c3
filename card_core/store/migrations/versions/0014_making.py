"""Makers, the making of each card, and what is sent to a maker.

Revision 0014.
"""

from alembic import op
from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    text,
)

from card_core.store.columns import Instant

revision = "0014"
down_revision = "0013"

_HAS_CODE = text("code_index IS NOT NULL")


def upgrade() -> None:
    # Cards that are there have no row: they are handed over as before.
    _create_makers()
    _create_makings()
    _create_making_orders()


def _create_makers() -> None:
    op.create_table(
        "makers",
        Column("id", String(length=32), nullable=False),
        Column("code", String(length=16), nullable=False),
        Column("name", Text(), nullable=False),
        Column("public_key", LargeBinary(length=33), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_makers"),
        UniqueConstraint("code", name="uq_makers_code"),
    )


def _create_makings() -> None:
    op.create_table(
        "makings",
        Column("id", String(length=32), nullable=False),
        Column("batch_id", String(length=32), nullable=False),
        Column("position", Integer(), nullable=False),
        Column("bank", String(length=16), nullable=False),
        Column("branch", String(length=20), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("order_id", String(length=32)),
        Column("record_number", Integer()),
        Column("reason", String(length=2)),
        Column("account", LargeBinary()),
        Column("chip", LargeBinary()),
        Column("code_index", LargeBinary(length=32)),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        ForeignKeyConstraint(["id"], ["cards.id"], name="fk_makings_id"),
        PrimaryKeyConstraint("id", name="pk_makings"),
        UniqueConstraint("batch_id", "position", name="uq_makings_batch_id_position"),
    )
    op.create_index(
        "uq_makings_code_index",
        "makings",
        ["code_index"],
        unique=True,
        sqlite_where=_HAS_CODE,
        postgresql_where=_HAS_CODE,
    )


def _create_making_orders() -> None:
    op.create_table(
        "making_orders",
        Column("id", String(length=32), nullable=False),
        Column("batch_id", String(length=32), nullable=False),
        Column("number", Integer(), nullable=False),
        Column("maker_id", String(length=32), nullable=False),
        Column("issuer", Integer(), nullable=False),
        Column("key_number", Integer(), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("records", Integer(), nullable=False),
        Column("made", Integer(), nullable=False),
        Column("failed", Integer(), nullable=False),
        Column("file_digest", LargeBinary(length=32)),
        Column("created_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_making_orders_batch_id"),
        ForeignKeyConstraint(["maker_id"], ["makers.id"], name="fk_making_orders_maker_id"),
        PrimaryKeyConstraint("id", name="pk_making_orders"),
        UniqueConstraint("batch_id", "number", name="uq_making_orders_batch_id_number"),
    )
    op.create_table(
        "making_chunks",
        Column("order_id", String(length=32), nullable=False),
        Column("number", Integer(), nullable=False),
        Column("first_number", Integer(), nullable=False),
        Column("positions", LargeBinary(), nullable=False),
        Column("digest", LargeBinary(length=32), nullable=False),
        Column("root", LargeBinary(length=32)),
        Column("content", LargeBinary()),
        Column("signature", LargeBinary(length=64)),
        ForeignKeyConstraint(["order_id"], ["making_orders.id"], name="fk_making_chunks_order_id"),
        PrimaryKeyConstraint("order_id", "number", name="pk_making_chunks"),
    )
