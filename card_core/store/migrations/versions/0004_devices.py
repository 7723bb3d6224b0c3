"""Phones, device credentials, status lists, bundles and the policy for offline scans.

Revision 0004.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    text,
)

from card_core.store.columns import Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "devices",
        Column("id", String(length=32), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("grade", String(length=16), nullable=False),
        Column("public_key", LargeBinary(length=33), nullable=False),
        Column("state", String(length=24), nullable=False),
        Column("registered_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_devices"),
        ForeignKeyConstraint(["holder_id"], ["holders.id"], name="fk_devices_holder_id"),
        UniqueConstraint("public_key", name="uq_devices_public_key"),
    )
    op.create_index("ix_devices_holder_id", "devices", ["holder_id"])
    op.create_table(
        "device_credentials",
        Column("id", String(length=32), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("device_id", String(length=32), nullable=False),
        Column("ecard_id", BigInteger(), nullable=False),
        Column("issuer", Integer(), nullable=False),
        Column("expires_at", BigInteger(), nullable=False),
        Column("status_index", Integer(), nullable=False),
        Column("device_key", LargeBinary(length=33), nullable=False),
        Column("state", Integer(), nullable=False),
        Column("listed_state", Integer(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_device_credentials"),
        ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_device_credentials_device_id"),
        UniqueConstraint(
            "issuer",
            "expires_at",
            "status_index",
            name="uq_device_credentials_issuer_expires_at_status_index",
        ),
        UniqueConstraint(
            "device_id",
            "ecard_id",
            "expires_at",
            name="uq_device_credentials_device_id_ecard_id_expires_at",
        ),
    )
    op.create_index(
        "ix_device_credentials_ecard_id_expires_at",
        "device_credentials",
        ["ecard_id", "expires_at"],
    )
    op.create_index(
        "ix_device_credentials_to_be_listed",
        "device_credentials",
        ["issuer", "expires_at"],
        sqlite_where=text("state <> listed_state"),
        postgresql_where=text("state <> listed_state"),
    )
    op.create_table(
        "status_lists",
        Column("id", String(length=32), nullable=False),
        Column("issuer", Integer(), nullable=False),
        Column("day_ends_at", BigInteger(), nullable=False),
        Column("list_version", BigInteger(), nullable=False),
        Column("head", LargeBinary(length=60), nullable=False),
        Column("changes", LargeBinary(), nullable=False),
        Column("body", LargeBinary()),
        Column("signature", LargeBinary(length=64)),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_status_lists"),
        UniqueConstraint(
            "issuer",
            "day_ends_at",
            "list_version",
            name="uq_status_lists_issuer_day_ends_at_list_version",
        ),
    )
    op.create_table(
        "bundles",
        Column("id", String(length=24), nullable=False),
        Column("issuer", Integer(), nullable=False),
        Column("key_number", Integer(), nullable=False),
        Column("bundle_version", BigInteger(), nullable=False),
        Column("issued_at", Instant(), nullable=False),
        Column("content", LargeBinary(), nullable=False),
        Column("to_be_signed", LargeBinary(), nullable=False),
        Column("signature", LargeBinary(length=64)),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_bundles"),
        UniqueConstraint("issuer", "bundle_version", name="uq_bundles_issuer_bundle_version"),
    )
    op.create_table(
        "offline_policies",
        Column("id", String(length=8), nullable=False),
        Column("consumes", Boolean(), nullable=False),
        Column("count_max", Integer(), nullable=False),
        Column("amount_fen_max", Integer(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_offline_policies"),
    )
