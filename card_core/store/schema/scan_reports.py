"""Scans that a holder says were not theirs. Nothing is decided by these rows; the audit log has
each report as well."""

from sqlalchemy import Column, ForeignKey, Table

from card_core.store.columns import Instant
from card_core.store.schema.base import ID, metadata

scan_reports = Table(
    "scan_reports",
    metadata,
    Column("scan_id", ID, primary_key=True),
    Column("holder_id", ID, ForeignKey("holders.id"), nullable=False, index=True),
    Column("reported_at", Instant, nullable=False, index=True),
)
