"""Signing in: passwords, second factors of operators, failed attempts, sessions."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, guard, metadata

credentials = Table(
    "credentials",
    metadata,
    Column("id", String(48), primary_key=True),  # <kind>/<subject id>
    Column("password_hash", LargeBinary, nullable=False),  # sealed, so that no row can be copied
    Column("changed_at", Instant, nullable=False),
    *guard(),
)

operator_factors = Table(
    "operator_factors",
    metadata,
    Column("id", ID, primary_key=True),  # the operator's
    Column("kind", String(16), nullable=False),
    Column("public_key", LargeBinary(33), unique=True),  # of SM2; no two operators have one key
    Column("secret", LargeBinary),  # of a dynamic password; sealed
    Column("last_step", BigInteger),  # whose dynamic password was used last
    Column("enrolled_at", Instant, nullable=False),
    *guard(),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("id", String(64), primary_key=True),  # blind index of what was typed, hex
    Column("failures", Integer, nullable=False),
    Column("locked_until", Instant),
    Column("last_at", Instant, nullable=False, index=True),
    *guard(),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),  # keyed digest of the token, hex
    Column("subject_kind", String(16), nullable=False),
    Column("subject_id", ID, nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("channel_id", ID),  # the service channel that it lives at; none: anywhere
    *guard(),
)
