"""A making order notes the maker's return that is being taken.

Revision 0019.
"""

from alembic import op
from sqlalchemy import Column, LargeBinary

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    # None counts as absent in a row's HMAC: the rows that are there stay sound.
    op.add_column("making_orders", Column("return_digest", LargeBinary(length=32), nullable=True))
