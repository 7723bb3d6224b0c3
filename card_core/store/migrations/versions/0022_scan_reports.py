"""Scans that a holder says were not theirs.

Revision 0022.
"""

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, String

from card_core.store.columns import Instant

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "scan_reports",
        Column("scan_id", String(length=32), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("reported_at", Instant(), nullable=False),
        PrimaryKeyConstraint("scan_id", name="pk_scan_reports"),
        ForeignKeyConstraint(["holder_id"], ["holders.id"], name="fk_scan_reports_holder_id"),
    )
    op.create_index("ix_scan_reports_holder_id", "scan_reports", ["holder_id"])
    op.create_index("ix_scan_reports_reported_at", "scan_reports", ["reported_at"])
