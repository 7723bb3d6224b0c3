"""An index by which what was done to one person or card is found in the audit log.

Revision 0027.
"""

from alembic import op
from sqlalchemy import text

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    # On PostgreSQL of the parent, and so of every month, those that are made later too.
    op.create_index(
        "ix_audit_events_chain_subject_seq",
        "audit_events",
        ["chain", "subject", "seq"],
        sqlite_where=text("chain = 'bureau'"),
        postgresql_where=text("chain = 'bureau'"),
    )
