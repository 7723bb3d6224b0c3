"""Scans in groups: what was shown, and the receipt, stand in the scan's row.

Revision 0002.
"""

from alembic import op
from sqlalchemy import Column, Integer, LargeBinary, String

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("scans") as scans:
        scans.alter_column("operator", existing_type=LargeBinary(), nullable=True)
        scans.alter_column("department", existing_type=LargeBinary(), nullable=True)
        scans.add_column(Column("medium", String(length=16)))
        scans.add_column(Column("presence", Integer()))
        scans.add_column(Column("for_whom", Integer()))
        scans.add_column(Column("receipt", LargeBinary()))
