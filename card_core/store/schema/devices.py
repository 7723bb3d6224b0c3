"""Phones, the credentials that they fetched, and what terminals carry to check those offline."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, STATE, guard, metadata

devices = Table(
    "devices",
    metadata,
    Column("id", ID, primary_key=True),
    Column("holder_id", ID, ForeignKey("holders.id"), nullable=False, index=True),
    Column("grade", String(16), nullable=False),
    Column("public_key", LargeBinary(33), nullable=False, unique=True),
    Column("state", STATE, nullable=False),
    Column("registered_at", Instant, nullable=False),
    *guard(),
)

# The row stands before the credential is signed: none is out that its status list can't name.
device_credentials = Table(
    "device_credentials",
    metadata,
    Column("id", ID, primary_key=True),
    Column("holder_id", ID, nullable=False),
    Column("device_id", ID, ForeignKey("devices.id"), nullable=False),
    Column("ecard_id", BigInteger, nullable=False),
    Column("issuer", Integer, nullable=False),
    Column("expires_at", BigInteger, nullable=False),  # Unix seconds, as signed
    Column("status_index", Integer, nullable=False),
    Column("device_key", LargeBinary(33), nullable=False),
    Column("state", Integer, nullable=False),
    Column("listed_state", Integer, nullable=False),  # as the last list made of its day says
    *guard(),
    UniqueConstraint("issuer", "expires_at", "status_index"),
    UniqueConstraint("device_id", "ecard_id", "expires_at"),
    Index(None, "ecard_id", "expires_at"),
    Index(
        "ix_device_credentials_to_be_listed",
        "issuer",
        "expires_at",
        sqlite_where=text("state <> listed_state"),
        postgresql_where=text("state <> listed_state"),
    ),
)

# Each version of each list. The head is written before it is signed; the body goes when a later
# version is out, the changes stay for those who have an earlier one.
status_lists = Table(
    "status_lists",
    metadata,
    Column("id", String(32), primary_key=True),  # <issuer>.<day ends at>.<version>
    Column("issuer", Integer, nullable=False),
    Column("day_ends_at", BigInteger, nullable=False),
    Column("list_version", BigInteger, nullable=False),
    Column("head", LargeBinary(60), nullable=False),
    Column("changes", LargeBinary, nullable=False),  # from the version before
    Column("body", LargeBinary),
    Column("signature", LargeBinary(64)),
    *guard(),
    UniqueConstraint("issuer", "day_ends_at", "list_version"),
)

bundles = Table(
    "bundles",
    metadata,
    Column("id", String(24), primary_key=True),  # <issuer>.<version>
    Column("issuer", Integer, nullable=False),
    Column("key_number", Integer, nullable=False),
    Column("bundle_version", BigInteger, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("to_be_signed", LargeBinary, nullable=False),
    Column("signature", LargeBinary(64)),
    *guard(),
    UniqueConstraint("issuer", "bundle_version"),
)

offline_policies = Table(
    "offline_policies",
    metadata,
    Column("id", String(8), primary_key=True),  # the issuer number, as text
    Column("consumes", Boolean, nullable=False),
    Column("count_max", Integer, nullable=False),
    Column("amount_fen_max", Integer, nullable=False),
    *guard(),
)
