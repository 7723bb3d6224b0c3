"""When a temporary loss lapses; card numbers that a later card takes over; policies for cards.

Revision 0013.
"""

from alembic import op
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    text,
)

from card_core.store.columns import Instant

revision = "0013"
down_revision = "0012"

_LIVE = text("state <> 'cancelled'")
_LAPSES = text("loss_lapses_at IS NOT NULL")


def upgrade() -> None:
    # SQLite makes the table anew, and partial indexes are not among what is taken along.
    op.drop_index("uq_cards_live", "cards")
    with op.batch_alter_table("cards") as cards:
        # None counts as absent in a row's HMAC: the rows that are there stay sound, and the losses
        # that were reported without an end have none.
        cards.add_column(Column("loss_lapses_at", Instant()))
        cards.drop_constraint("uq_cards_card_number", type_="unique")
    op.create_index("ix_cards_card_number", "cards", ["card_number"])
    for name, column in (("uq_cards_live", "holder_id"), ("uq_cards_live_number", "card_number")):
        op.create_index(
            name, "cards", [column], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE
        )
    op.create_index(
        "ix_cards_loss_lapses_at",
        "cards",
        ["loss_lapses_at"],
        sqlite_where=_LAPSES,
        postgresql_where=_LAPSES,
    )
    op.create_table(
        "card_policies",
        Column("id", String(length=8), nullable=False),
        Column("loss_days", Integer(), nullable=False),
        Column("withdraws_formal_loss", Boolean(), nullable=False),
        Column("on_replacement", String(length=24), nullable=False),
        Column("on_exchange", String(length=24), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_card_policies"),
    )
