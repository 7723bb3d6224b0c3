"""The versions of the field key, and how far the sealing of rows anew has come."""

from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table

from card_core.store.columns import Instant
from card_core.store.schema.base import STATE, guard, metadata

field_keys = Table(
    "field_keys",
    metadata,
    Column("id", String(4), primary_key=True),  # the version, as text
    Column("state", STATE, nullable=False),
    Column("check_value", LargeBinary(16), nullable=False),
    Column("since", Instant, nullable=False),  # when it came into its state
    *guard(),
)

field_reseals = Table(
    "field_reseals",
    metadata,
    Column("id", String(32), primary_key=True),  # the name of the table
    Column("key_version", Integer, nullable=False),  # that rows are sealed under
    Column("after", String(64), nullable=False),  # the id of the last row that was looked at
    Column("is_done", Boolean, nullable=False),
)
