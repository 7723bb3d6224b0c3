"""What holders show besides the long code itself."""

from sqlalchemy import Column, LargeBinary, String, Table

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, guard, metadata

# Not guarded: the code inside is signed by its issuer, and sealed for the row that it is in.
short_codes = Table(
    "short_codes",
    metadata,
    Column("id", String(64), primary_key=True),  # blind index of the 28 digits, hex
    Column("holder_id", ID, nullable=False, index=True),
    Column("code", LargeBinary, nullable=False),  # sealed: the long code that it stands for
    Column("expires_at", Instant, nullable=False, index=True),
)

printed_codes = Table(
    "printed_codes",
    metadata,
    Column("id", String(64), primary_key=True),  # blind index of the 28 digits, hex
    Column("holder_id", ID, nullable=False, index=True),
    Column("valid_until", Instant, nullable=False, index=True),
    Column("code", LargeBinary),  # sealed: the long code that was made when it was first shown
    *guard(),
)
