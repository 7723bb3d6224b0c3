"""All tables. `migrations/` makes them; a test holds that both say the same on both databases.

Columns marked "sealed" hold personal data under SM4-GCM; `*_index` columns are blind indexes
(HMAC-SM3) to find it by. Tables in GUARDED decide something: each of their rows carries a version
and an HMAC over everything in it, checked whenever the row is used. Everything about a person
carries the holder's id, so that the database can be spread by it.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from card_core.store.columns import Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID = String(32)  # 12 hex of milliseconds, 20 hex of randomness
_STATE = String(24)


def _guard() -> tuple[Column[int], Column[bytes]]:
    return (
        Column("version", Integer, nullable=False),
        Column("mac", LargeBinary(32), nullable=False),
    )


# Who issues, who works, who scans.

issuers = Table(
    "issuers",
    metadata,
    Column("id", String(8), primary_key=True),  # the issuer number, as text
    Column("card_letters", String(2), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("next_card_serial", Integer, nullable=False),
    *_guard(),
)

issuer_keys = Table(
    "issuer_keys",
    metadata,
    Column("id", String(48), primary_key=True),  # <purpose>.<issuer>.<number>
    Column("issuer", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("purpose", String(24), nullable=False),
    Column("public_key", LargeBinary(33), nullable=False),
    Column("state", _STATE, nullable=False),
    *_guard(),
    UniqueConstraint("issuer", "number", "purpose"),
)

operators = Table(
    "operators",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", String(32), nullable=False, unique=True),
    Column("display_name", LargeBinary, nullable=False),  # sealed
    Column("roles", String(64), nullable=False),
    Column("state", _STATE, nullable=False),
    *_guard(),
)

institutions = Table(
    "institutions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("code", String(20), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("region", String(6), nullable=False),
    Column("state", _STATE, nullable=False),
    *_guard(),
)

terminals = Table(
    "terminals",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("serial_number", LargeBinary(8), nullable=False, unique=True),
    Column("institution_id", _ID, ForeignKey("institutions.id"), nullable=False, index=True),
    Column("public_key", LargeBinary(33), nullable=False),
    Column("state", _STATE, nullable=False),
    *_guard(),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("act", String(40), nullable=False),
    Column("summary", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),  # sealed
    Column("content_hash", String(64), nullable=False),
    Column("maker_id", _ID, nullable=False),
    Column("checker_id", _ID),
    Column("state", _STATE, nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("decided_at", Instant),
    *_guard(),
)

# Holders and their cards.

holders = Table(
    "holders",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("number_index", LargeBinary(32), nullable=False, unique=True),
    Column("social_security_number", LargeBinary, nullable=False),  # sealed
    Column("name", LargeBinary, nullable=False),  # sealed
    Column("sex", LargeBinary, nullable=False),  # sealed
    Column("birth_on", LargeBinary, nullable=False),  # sealed
    Column("ethnic_group", LargeBinary, nullable=False),  # sealed
    Column("phone", LargeBinary, nullable=False),  # sealed
    Column("address", LargeBinary, nullable=False),  # sealed
    Column("region", String(6), nullable=False),
    Column("guardian_name", LargeBinary, nullable=False),  # sealed
    Column("guardian_number", LargeBinary, nullable=False),  # sealed
    Column("created_at", Instant, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", _STATE, nullable=False),
    Column("maker_id", _ID, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("issued", Integer, nullable=False),
    Column("content_root", LargeBinary(32), nullable=False),
    Column("file_digest", LargeBinary(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    *_guard(),
)

# The ledger of a batch: a chunk has card numbers if, and only if, its cards are made.
batch_chunks = Table(
    "batch_chunks",
    metadata,
    Column("batch_id", _ID, ForeignKey("batches.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("first_card_number", String(9)),
    Column("last_card_number", String(9)),
    Column("issued_at", Instant),
    PrimaryKeyConstraint("batch_id", "number"),
)

applications = Table(
    "applications",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("batch_id", _ID, ForeignKey("batches.id"), nullable=False),
    Column("position", Integer, nullable=False),  # from 1 within the batch
    Column("row", Integer, nullable=False),  # of the roster
    Column("number_index", LargeBinary(32), nullable=False),
    Column("content", LargeBinary, nullable=False),  # sealed
    Column("state", _STATE, nullable=False),
    UniqueConstraint("batch_id", "position"),
    Index(
        "uq_applications_open",
        "number_index",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

cards = Table(
    "cards",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("holder_id", _ID, ForeignKey("holders.id"), nullable=False, index=True),
    Column("card_number", String(9), nullable=False, unique=True),
    Column("state", _STATE, nullable=False),
    Column("batch_id", _ID, ForeignKey("batches.id"), nullable=False, index=True),
    Column("issuer", Integer, nullable=False),
    Column("region", String(6), nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("expires_on", Date, nullable=False),
    *_guard(),
    # A person has one live card, whatever else fails.
    Index(
        "uq_cards_live",
        "holder_id",
        unique=True,
        sqlite_where=text("state <> 'cancelled'"),
        postgresql_where=text("state <> 'cancelled'"),
    ),
)

ecards = Table(
    "ecards",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("card_id", _ID, ForeignKey("cards.id"), nullable=False, unique=True),
    Column("holder_id", _ID, nullable=False, index=True),
    Column("sign_number", String(26), unique=True),
    Column("state", _STATE, nullable=False),
    *_guard(),
)

# Signing in.

credentials = Table(
    "credentials",
    metadata,
    Column("id", String(48), primary_key=True),  # <kind>/<subject id>
    Column("password_hash", LargeBinary, nullable=False),  # sealed, so that no row can be copied
    Column("changed_at", Instant, nullable=False),
    *_guard(),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("id", String(64), primary_key=True),  # blind index of what was typed, hex
    Column("failures", Integer, nullable=False),
    Column("locked_until", Instant),
    Column("last_at", Instant, nullable=False, index=True),
    *_guard(),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),  # keyed digest of the token, hex
    Column("subject_kind", String(16), nullable=False),
    Column("subject_id", _ID, nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    *_guard(),
)

# Scans.

code_box_keys = Table(
    "code_box_keys",
    metadata,
    Column("day", Date, primary_key=True),
    Column("wrapped", LargeBinary(44), nullable=False),
    Column("created_at", Instant, nullable=False),
)

spent = Table(
    "spent",
    metadata,
    Column("holder_id", _ID, nullable=False),
    Column("minted_at", BigInteger, nullable=False),  # Unix seconds, as signed
    Column("nonce", LargeBinary(8), nullable=False),
    Column("scan_id", _ID, nullable=False),
    PrimaryKeyConstraint("holder_id", "minted_at", "nonce"),
)

scans = Table(
    "scans",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("scanned_at", Instant, nullable=False),
    Column("terminal_id", _ID, nullable=False),
    Column("institution_id", _ID, nullable=False),
    Column("holder_id", _ID),
    Column("card_id", _ID),
    Column("business_type", String(5), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("minted_at", Instant),
    Column("amount_fen", Integer),
    Column("operator", LargeBinary, nullable=False),  # sealed
    Column("department", LargeBinary, nullable=False),  # sealed
    Index(None, "terminal_id", "id"),
    Index(None, "holder_id", "id"),
)

# What the kernel records of every act.

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

# Acts record each change of such a row in the audit log, so that an old row put back is seen.
AUDITED = frozenset(
    {issuers, issuer_keys, operators, institutions, terminals, approvals, batches, cards, ecards}
)
GUARDED = AUDITED | {credentials, sign_in_attempts, sessions}
