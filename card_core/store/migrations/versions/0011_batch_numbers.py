"""Which card numbers a batch's release took for it.

Revision 0011. A batch that was released before has none, and takes them chunk by chunk.
"""

from alembic import op
from sqlalchemy import Column, Integer

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # None counts as absent in a row's HMAC: the batches that are there stay sound.
    op.add_column("batches", Column("first_card_serial", Integer()))
