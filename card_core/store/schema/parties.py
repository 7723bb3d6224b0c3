"""Who issues, who works, who scans, and what waits for a second person.

A change_number is drawn at each change of a row, in the order of commits: whoever has read up to
one number finds everything newer behind it.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, STATE, guard, metadata

issuers = Table(
    "issuers",
    metadata,
    Column("id", String(8), primary_key=True),  # the issuer number, as text
    Column("card_letters", String(2), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("next_card_serial", Integer, nullable=False),
    Column("sandbox", Integer),  # 1 where the installation was founded as one; none otherwise
    *guard(),
)

issuer_keys = Table(
    "issuer_keys",
    metadata,
    Column("id", String(48), primary_key=True),  # <purpose>.<issuer>.<number>
    Column("issuer", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("purpose", String(24), nullable=False),
    Column("public_key", LargeBinary(33), nullable=False),
    Column("state", STATE, nullable=False),
    Column("signs_from", Instant),
    Column("signs_until", Instant),
    *guard(),
    UniqueConstraint("issuer", "number", "purpose"),
)

operators = Table(
    "operators",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(32), nullable=False, unique=True),
    Column("display_name", LargeBinary, nullable=False),  # sealed
    Column("roles", String(64), nullable=False),
    Column("state", STATE, nullable=False),
    Column("factor", String(16)),  # the kind in operator_factors; none: never had one
    *guard(),
)

institutions = Table(
    "institutions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("code", String(20), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("region", String(6), nullable=False),
    Column("state", STATE, nullable=False),
    Column("business_types", Text),  # their codes with commas; none: all of its kind
    Column("change_number", BigInteger, unique=True, index=True),
    *guard(),
)

terminals = Table(
    "terminals",
    metadata,
    Column("id", ID, primary_key=True),
    Column("serial_number", LargeBinary(8), nullable=False, unique=True),
    Column("institution_id", ID, ForeignKey("institutions.id"), nullable=False, index=True),
    Column("public_key", LargeBinary(33), nullable=False),
    Column("state", STATE, nullable=False),
    Column("key_ends_at", Instant),
    Column("previous_key", LargeBinary(33)),
    Column("previous_key_ends_at", Instant),
    Column("channel", String(16)),  # kind of service channel; none: a terminal
    Column("change_number", BigInteger, unique=True, index=True),
    *guard(),
)

enrolments = Table(
    "enrolments",
    metadata,
    Column("id", ID, primary_key=True),
    Column("serial_number", LargeBinary(8), nullable=False, index=True),
    Column("institution_id", ID, ForeignKey("institutions.id"), nullable=False),
    Column("code_name", String(8), nullable=False),
    Column("code_digest", LargeBinary(32), nullable=False),  # keyed
    Column("failures", Integer, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("public_key", LargeBinary(33)),  # of the terminal that used the code
    Column("channel", String(16)),  # as which kind of service channel; none: as a terminal
    *guard(),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", ID, primary_key=True),
    Column("act", String(40), nullable=False),
    Column("summary", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),  # sealed
    Column("content_hash", String(64), nullable=False),
    Column("maker_id", ID, nullable=False),
    Column("checker_id", ID),
    Column("state", STATE, nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("erased_at", Instant),  # when its content was taken out of it
    *guard(),
)
