"""Whether an installation was founded as a sandbox.

Revision 0010.
"""

from alembic import op
from sqlalchemy import Column, Integer

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # None counts as absent in a row's HMAC: the installations that are there stay sound, and are
    # none.
    op.add_column("issuers", Column("sandbox", Integer()))
