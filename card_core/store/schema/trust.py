"""Which other issuers are trusted, and the scans that they asked for."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from card_core.store.schema.base import ID, guard, metadata

# One row: whose trust lists are taken, and the one that holds, byte for byte as it was signed.
trust = Table(
    "trust",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("authority", LargeBinary(33)),  # none: this bureau's own trust_list keys
    Column("edition", BigInteger, nullable=False),  # 0 before the first list
    Column("document", LargeBinary, nullable=False),
    *guard(),
)

# Beside a row of `scans`: who scanned, in the words of the issuer that asked.
peer_scans = Table(
    "peer_scans",
    metadata,
    Column("scan_id", ID, primary_key=True),
    Column("issuer", Integer, nullable=False),
    Column("institution_code", String(20), nullable=False),
    Column("institution_name", Text, nullable=False),
    Column("terminal", LargeBinary(8), nullable=False),
)
