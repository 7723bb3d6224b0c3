"""A batch notes the bank's return that is being taken.

Revision 0021.
"""

from alembic import op
from sqlalchemy import Column, LargeBinary, String

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    # None counts as absent in a row's HMAC: the rows that are there stay sound.
    op.add_column("batches", Column("return_bank", String(length=16), nullable=True))
    op.add_column("batches", Column("return_digest", LargeBinary(length=32), nullable=True))
