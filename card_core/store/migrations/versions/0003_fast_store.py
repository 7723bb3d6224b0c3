"""The epoch of the fast store.

Revision 0003.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint, String, Text

from card_core.store.columns import Instant

revision = "0003"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "fast_epochs",
        Column("id", String(length=16), nullable=False),
        Column("number", BigInteger(), nullable=False),
        Column("layout", Integer(), nullable=False),
        Column("not_before", BigInteger(), nullable=False),
        Column("name", String(length=16)),
        Column("nodes", Text()),
        Column("made_until", BigInteger()),
        Column("closed_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_fast_epochs"),
    )
    op.create_table(
        "fast_owners",
        Column("id", String(length=16), nullable=False),
        Column("owner", String(length=32), nullable=False),
        Column("seen_at", Instant(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_fast_owners"),
    )
