"""When issuer keys sign; the issuers that are trusted; scans that other issuers asked for.

Revision 0008.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint, String, Text

from card_core.store.columns import Instant

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # None counts as absent in a row's HMAC: the rows that are there stay sound.
    op.add_column("issuer_keys", Column("signs_from", Instant()))
    op.add_column("issuer_keys", Column("signs_until", Instant()))
    op.create_table(
        "trust",
        Column("id", String(length=8), nullable=False),
        Column("authority", LargeBinary(length=33)),
        Column("edition", BigInteger(), nullable=False),
        Column("document", LargeBinary(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_trust"),
    )
    op.create_table(
        "peer_scans",
        Column("scan_id", String(length=32), nullable=False),
        Column("issuer", Integer(), nullable=False),
        Column("institution_code", String(length=20), nullable=False),
        Column("institution_name", Text(), nullable=False),
        Column("terminal", LargeBinary(length=8), nullable=False),
        PrimaryKeyConstraint("scan_id", name="pk_peer_scans"),
    )
