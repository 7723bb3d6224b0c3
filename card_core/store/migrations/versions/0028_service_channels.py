"""Service channels, sessions at them, and printed codes.

Revision 0028.
"""

from alembic import op
from sqlalchemy import Column, Integer, LargeBinary, PrimaryKeyConstraint, String

from card_core.store.columns import Instant

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("terminals", Column("channel", String(length=16), nullable=True))
    op.add_column("enrolments", Column("channel", String(length=16), nullable=True))
    op.add_column("sessions", Column("channel_id", String(length=32), nullable=True))
    op.create_table(
        "printed_codes",
        Column("id", String(length=64), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("valid_until", Instant(), nullable=False),
        Column("code", LargeBinary(), nullable=True),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_printed_codes"),
    )
    op.create_index("ix_printed_codes_holder_id", "printed_codes", ["holder_id"])
    op.create_index("ix_printed_codes_valid_until", "printed_codes", ["valid_until"])
