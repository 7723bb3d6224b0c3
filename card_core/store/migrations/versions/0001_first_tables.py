"""The first tables.

Revision 0001. There is no way back below it: what it holds is not to be dropped by a command.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    text,
)

from card_core.store.columns import Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "answers",
        Column("actor_kind", String(length=16), nullable=False),
        Column("actor_id", String(length=32), nullable=False),
        Column("request_id", String(length=64), nullable=False),
        Column("content_digest", LargeBinary(length=32), nullable=False),
        Column("answer", LargeBinary()),
        Column("at", Instant(), nullable=False),
        PrimaryKeyConstraint("actor_kind", "actor_id", "request_id", name="pk_answers"),
    )
    op.create_index("ix_answers_at", "answers", ["at"])
    op.create_table(
        "approvals",
        Column("id", String(length=32), nullable=False),
        Column("act", String(length=40), nullable=False),
        Column("summary", Text(), nullable=False),
        Column("content", LargeBinary(), nullable=False),
        Column("content_hash", String(length=64), nullable=False),
        Column("maker_id", String(length=32), nullable=False),
        Column("checker_id", String(length=32)),
        Column("state", String(length=24), nullable=False),
        Column("created_at", Instant(), nullable=False),
        Column("decided_at", Instant()),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_approvals"),
    )
    op.create_index("ix_approvals_state", "approvals", ["state"])
    op.create_table(
        "audit_events",
        Column("chain", String(length=16), nullable=False),
        Column("seq", BigInteger(), nullable=False),
        Column("at", Instant(), nullable=False),
        Column("actor_kind", String(length=16), nullable=False),
        Column("actor_id", String(length=32), nullable=False),
        Column("act", String(length=40), nullable=False),
        Column("subject", String(length=96), nullable=False),
        Column("detail", Text(), nullable=False),
        Column("link", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("chain", "seq", name="pk_audit_events"),
    )
    op.create_table(
        "audit_heads",
        Column("chain", String(length=16), nullable=False),
        Column("seq", BigInteger(), nullable=False),
        Column("link", LargeBinary(length=32), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("chain", name="pk_audit_heads"),
    )
    op.create_table(
        "batches",
        Column("id", String(length=32), nullable=False),
        Column("name", Text(), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("maker_id", String(length=32), nullable=False),
        Column("accepted", Integer(), nullable=False),
        Column("refused", Integer(), nullable=False),
        Column("issued", Integer(), nullable=False),
        Column("content_root", LargeBinary(length=32), nullable=False),
        Column("file_digest", LargeBinary(length=32), nullable=False),
        Column("created_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_batches"),
    )
    op.create_table(
        "code_box_keys",
        Column("day", Date(), nullable=False),
        Column("wrapped", LargeBinary(length=44), nullable=False),
        Column("created_at", Instant(), nullable=False),
        PrimaryKeyConstraint("day", name="pk_code_box_keys"),
    )
    op.create_table(
        "credentials",
        Column("id", String(length=48), nullable=False),
        Column("password_hash", LargeBinary(), nullable=False),
        Column("changed_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_credentials"),
    )
    op.create_table(
        "holders",
        Column("id", String(length=32), nullable=False),
        Column("number_index", LargeBinary(length=32), nullable=False),
        Column("social_security_number", LargeBinary(), nullable=False),
        Column("name", LargeBinary(), nullable=False),
        Column("sex", LargeBinary(), nullable=False),
        Column("birth_on", LargeBinary(), nullable=False),
        Column("ethnic_group", LargeBinary(), nullable=False),
        Column("phone", LargeBinary(), nullable=False),
        Column("address", LargeBinary(), nullable=False),
        Column("region", String(length=6), nullable=False),
        Column("guardian_name", LargeBinary(), nullable=False),
        Column("guardian_number", LargeBinary(), nullable=False),
        Column("created_at", Instant(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_holders"),
        UniqueConstraint("number_index", name="uq_holders_number_index"),
    )
    op.create_table(
        "institutions",
        Column("id", String(length=32), nullable=False),
        Column("code", String(length=20), nullable=False),
        Column("name", Text(), nullable=False),
        Column("kind", String(length=16), nullable=False),
        Column("region", String(length=6), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_institutions"),
        UniqueConstraint("code", name="uq_institutions_code"),
    )
    op.create_table(
        "issuer_keys",
        Column("id", String(length=48), nullable=False),
        Column("issuer", Integer(), nullable=False),
        Column("number", Integer(), nullable=False),
        Column("purpose", String(length=24), nullable=False),
        Column("public_key", LargeBinary(length=33), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_issuer_keys"),
        UniqueConstraint(
            "issuer", "number", "purpose", name="uq_issuer_keys_issuer_number_purpose"
        ),
    )
    op.create_table(
        "issuers",
        Column("id", String(length=8), nullable=False),
        Column("card_letters", String(length=2), nullable=False),
        Column("name", Text(), nullable=False),
        Column("next_card_serial", Integer(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_issuers"),
        UniqueConstraint("card_letters", name="uq_issuers_card_letters"),
    )
    op.create_table(
        "operators",
        Column("id", String(length=32), nullable=False),
        Column("name", String(length=32), nullable=False),
        Column("display_name", LargeBinary(), nullable=False),
        Column("roles", String(length=64), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_operators"),
        UniqueConstraint("name", name="uq_operators_name"),
    )
    op.create_table(
        "outbox",
        Column("chain", String(length=16), nullable=False),
        Column("seq", BigInteger(), nullable=False),
        Column("at", Instant(), nullable=False),
        Column("topic", String(length=40), nullable=False),
        Column("subject", String(length=96), nullable=False),
        Column("payload", Text(), nullable=False),
        PrimaryKeyConstraint("chain", "seq", name="pk_outbox"),
    )
    op.create_table(
        "proofs",
        Column("actor_kind", String(length=16), nullable=False),
        Column("actor_id", String(length=32), nullable=False),
        Column("nonce", LargeBinary(length=16), nullable=False),
        Column("expires_at", Instant(), nullable=False),
        PrimaryKeyConstraint("actor_kind", "actor_id", "nonce", name="pk_proofs"),
    )
    op.create_index("ix_proofs_expires_at", "proofs", ["expires_at"])
    op.create_table(
        "scans",
        Column("id", String(length=32), nullable=False),
        Column("scanned_at", Instant(), nullable=False),
        Column("terminal_id", String(length=32), nullable=False),
        Column("institution_id", String(length=32), nullable=False),
        Column("holder_id", String(length=32)),
        Column("card_id", String(length=32)),
        Column("business_type", String(length=5), nullable=False),
        Column("reason", String(length=32), nullable=False),
        Column("minted_at", Instant()),
        Column("amount_fen", Integer()),
        Column("operator", LargeBinary(), nullable=False),
        Column("department", LargeBinary(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_scans"),
    )
    op.create_index("ix_scans_holder_id_id", "scans", ["holder_id", "id"])
    op.create_index("ix_scans_terminal_id_id", "scans", ["terminal_id", "id"])
    op.create_table(
        "sessions",
        Column("id", String(length=64), nullable=False),
        Column("subject_kind", String(length=16), nullable=False),
        Column("subject_id", String(length=32), nullable=False),
        Column("created_at", Instant(), nullable=False),
        Column("last_seen_at", Instant(), nullable=False),
        Column("expires_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_index("ix_sessions_subject_id", "sessions", ["subject_id"])
    op.create_table(
        "sign_in_attempts",
        Column("id", String(length=64), nullable=False),
        Column("failures", Integer(), nullable=False),
        Column("locked_until", Instant()),
        Column("last_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_sign_in_attempts"),
    )
    op.create_index("ix_sign_in_attempts_last_at", "sign_in_attempts", ["last_at"])
    op.create_table(
        "spent",
        Column("holder_id", String(length=32), nullable=False),
        Column("minted_at", BigInteger(), nullable=False),
        Column("nonce", LargeBinary(length=8), nullable=False),
        Column("scan_id", String(length=32), nullable=False),
        PrimaryKeyConstraint("holder_id", "minted_at", "nonce", name="pk_spent"),
    )
    op.create_table(
        "applications",
        Column("id", String(length=32), nullable=False),
        Column("batch_id", String(length=32), nullable=False),
        Column("position", Integer(), nullable=False),
        Column("row", Integer(), nullable=False),
        Column("number_index", LargeBinary(length=32), nullable=False),
        Column("content", LargeBinary(), nullable=False),
        Column("state", String(length=24), nullable=False),
        ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_applications_batch_id"),
        PrimaryKeyConstraint("id", name="pk_applications"),
        UniqueConstraint("batch_id", "position", name="uq_applications_batch_id_position"),
    )
    op.create_index(
        "uq_applications_open",
        "applications",
        ["number_index"],
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    )
    op.create_table(
        "batch_chunks",
        Column("batch_id", String(length=32), nullable=False),
        Column("number", Integer(), nullable=False),
        Column("size", Integer(), nullable=False),
        Column("digest", LargeBinary(length=32), nullable=False),
        Column("first_card_number", String(length=9)),
        Column("last_card_number", String(length=9)),
        Column("issued_at", Instant()),
        ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_batch_chunks_batch_id"),
        PrimaryKeyConstraint("batch_id", "number", name="pk_batch_chunks"),
    )
    op.create_table(
        "cards",
        Column("id", String(length=32), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("card_number", String(length=9), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("batch_id", String(length=32), nullable=False),
        Column("issuer", Integer(), nullable=False),
        Column("region", String(length=6), nullable=False),
        Column("issued_on", Date(), nullable=False),
        Column("expires_on", Date(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_cards_batch_id"),
        ForeignKeyConstraint(["holder_id"], ["holders.id"], name="fk_cards_holder_id"),
        PrimaryKeyConstraint("id", name="pk_cards"),
        UniqueConstraint("card_number", name="uq_cards_card_number"),
    )
    op.create_index("ix_cards_batch_id", "cards", ["batch_id"])
    op.create_index("ix_cards_holder_id", "cards", ["holder_id"])
    op.create_index(
        "uq_cards_live",
        "cards",
        ["holder_id"],
        unique=True,
        sqlite_where=text("state <> 'cancelled'"),
        postgresql_where=text("state <> 'cancelled'"),
    )
    op.create_table(
        "terminals",
        Column("id", String(length=32), nullable=False),
        Column("serial_number", LargeBinary(length=8), nullable=False),
        Column("institution_id", String(length=32), nullable=False),
        Column("public_key", LargeBinary(length=33), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name="fk_terminals_institution_id"
        ),
        PrimaryKeyConstraint("id", name="pk_terminals"),
        UniqueConstraint("serial_number", name="uq_terminals_serial_number"),
    )
    op.create_index("ix_terminals_institution_id", "terminals", ["institution_id"])
    op.create_table(
        "ecards",
        Column("id", BigInteger(), autoincrement=False, nullable=False),
        Column("card_id", String(length=32), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("sign_number", String(length=26)),
        Column("state", String(length=24), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        ForeignKeyConstraint(["card_id"], ["cards.id"], name="fk_ecards_card_id"),
        PrimaryKeyConstraint("id", name="pk_ecards"),
        UniqueConstraint("card_id", name="uq_ecards_card_id"),
        UniqueConstraint("sign_number", name="uq_ecards_sign_number"),
    )
    op.create_index("ix_ecards_holder_id", "ecards", ["holder_id"])
