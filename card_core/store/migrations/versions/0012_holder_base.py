"""Merges and corrections of holders' records, and card stocks that are taken over.

Revision 0012.
"""

from alembic import op
from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    text,
)

from card_core.store.columns import Instant

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    # None counts as absent in a row's HMAC: the batches that are there stay sound.
    op.add_column("batches", Column("kind", String(length=24)))
    _create_holder_changes()
    _create_stock_cards()


def _create_holder_changes() -> None:
    op.create_table(
        "holder_changes",
        Column("id", String(length=32), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("kind", String(length=24), nullable=False),
        Column("merged_id", String(length=32)),
        Column("number_index", LargeBinary(length=32)),
        Column("evidence", String(length=40), nullable=False),
        Column("content", LargeBinary(), nullable=False),
        Column("checker_id", String(length=32), nullable=False),
        Column("changed_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        ForeignKeyConstraint(["holder_id"], ["holders.id"], name="fk_holder_changes_holder_id"),
        ForeignKeyConstraint(["merged_id"], ["holders.id"], name="fk_holder_changes_merged_id"),
        PrimaryKeyConstraint("id", name="pk_holder_changes"),
        UniqueConstraint("merged_id", name="uq_holder_changes_merged_id"),
    )
    op.create_index("ix_holder_changes_holder_id", "holder_changes", ["holder_id"])
    op.create_index("ix_holder_changes_number_index", "holder_changes", ["number_index"])


def _create_stock_cards() -> None:
    op.create_table(
        "stock_cards",
        Column("id", String(length=32), nullable=False),
        Column("batch_id", String(length=32), nullable=False),
        Column("position", Integer(), nullable=False),
        Column("row", Integer(), nullable=False),
        Column("number_index", LargeBinary(length=32), nullable=False),
        Column("card_number", String(length=9), nullable=False),
        Column("code_index", LargeBinary(length=32), nullable=False),
        Column("is_live", Boolean(), nullable=False),
        Column("content", LargeBinary(), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("refusal", String(length=32)),
        ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_stock_cards_batch_id"),
        PrimaryKeyConstraint("id", name="pk_stock_cards"),
        UniqueConstraint("batch_id", "position", name="uq_stock_cards_batch_id_position"),
    )
    op.create_index("ix_stock_cards_number_index", "stock_cards", ["number_index"])
    for column in ("card_number", "code_index"):
        op.create_index(
            f"uq_stock_cards_{column}",
            "stock_cards",
            [column],
            unique=True,
            sqlite_where=text("state in ('open', 'taken')"),
            postgresql_where=text("state in ('open', 'taken')"),
        )
