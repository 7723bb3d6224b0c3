"""Short codes.

Revision 0007.
"""

from alembic import op
from sqlalchemy import Column, LargeBinary, PrimaryKeyConstraint, String

from card_core.store.columns import Instant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "short_codes",
        Column("id", String(length=64), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("code", LargeBinary(), nullable=False),
        Column("expires_at", Instant(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_short_codes"),
    )
    op.create_index("ix_short_codes_holder_id", "short_codes", ["holder_id"])
    op.create_index("ix_short_codes_expires_at", "short_codes", ["expires_at"])
