"""Several people may have filed for one child, of which one application goes on.

Revision 0025.
"""

from alembic import op
from sqlalchemy import text

revision = "0025"
down_revision = "0023"

_OPEN = text("state IN ('filed', 'accepted')")
_ACCEPTED = text("state = 'accepted'")


def upgrade() -> None:
    op.drop_index("uq_filings_open", "filings")
    for name, columns, where in (
        ("uq_filings_accepted", ["number_index"], _ACCEPTED),
        ("uq_filings_open_by", ["number_index", "filed_by"], _OPEN),
    ):
        op.create_index(
            name, "filings", columns, unique=True, sqlite_where=where, postgresql_where=where
        )
