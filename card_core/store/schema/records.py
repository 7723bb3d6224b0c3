"""What the kernel records of every act."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from card_core.store.columns import Instant
from card_core.store.schema.base import guard, metadata

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("chain", String(16), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("link", LargeBinary(32), nullable=False),
    Column("mac", LargeBinary(32), nullable=False),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("chain", String(16), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(32), nullable=False),
    Column("act", String(40), nullable=False),
    Column("subject", String(96), nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Column("link", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("chain", "seq"),
    # What happened to one person's card; scans, by far the most, are found by their own rows.
    Index(
        None,
        "chain",
        "subject",
        "seq",
        sqlite_where=text("chain = 'bureau'"),
        postgresql_where=text("chain = 'bureau'"),
    ),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False, index=True),
    Column("content", LargeBinary, nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("chain", String(16), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("topic", String(40), nullable=False),
    Column("subject", String(96), nullable=False),
    Column("payload", Text, nullable=False),  # JSON
    PrimaryKeyConstraint("chain", "seq"),
)

# How far each of those who are told has been told.
outbox_positions = Table(
    "outbox_positions",
    metadata,
    Column("consumer", String(32), nullable=False),
    Column("chain", String(16), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("told_at", Instant, nullable=False),
    PrimaryKeyConstraint("consumer", "chain"),
)

answers = Table(
    "answers",
    metadata,
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(32), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("content_digest", LargeBinary(32), nullable=False),
    Column("answer", LargeBinary),  # sealed; none while the act is on its way
    Column("at", Instant, nullable=False, index=True),
    PrimaryKeyConstraint("actor_kind", "actor_id", "request_id"),
)

proofs = Table(
    "proofs",
    metadata,
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(32), nullable=False),
    Column("nonce", LargeBinary(16), nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    PrimaryKeyConstraint("actor_kind", "actor_id", "nonce"),
)

# Each time that the database was put back from a backup.
restores = Table(
    "restores",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("taken_at", Instant, nullable=False),
    Column("restored_at", Instant, nullable=False),
    *guard(),
)
