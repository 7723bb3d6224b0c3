"""Scans and the audit log by months, on PostgreSQL.

Revision 0020.
"""

from datetime import UTC, datetime, timedelta

from alembic import op
from sqlalchemy import Connection, text

revision = "0020"
down_revision = "0019"

# The newest row, as far as an index tells: numbers grow with time but for what clocks differ by.
_NEWEST_SCAN = text("SELECT max(id) FROM scans")
_NEWEST_EVENTS = text(
    "SELECT max(at) FROM audit_events JOIN audit_heads USING (chain, seq)",
)
_CLOCKS_DIFFER = timedelta(days=1)


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return  # SQLite is one file with one writer, and has no partitions
    end = _month_after(_newest(connection) + _CLOCKS_DIFFER)
    _cut_scans(end)
    _cut_audit_events(end)


def _cut_scans(end: datetime) -> None:
    """What there is becomes the first partition, with its indexes: nothing is written anew. It is
    read once, to see that nothing in it lies behind `end`."""
    old = f"scans_before_{end:%Y_%m}"
    op.execute(f"ALTER TABLE scans RENAME TO {old}")
    op.execute(f"ALTER TABLE {old} RENAME CONSTRAINT pk_scans TO {old}_pkey")
    for column in ("terminal_id", "holder_id"):
        op.execute(f"ALTER INDEX ix_scans_{column}_id RENAME TO {old}_{column}_id_idx")
    op.execute(f"CREATE TABLE scans (LIKE {old} INCLUDING STORAGE) PARTITION BY RANGE (id)")
    op.execute("ALTER TABLE scans ADD CONSTRAINT pk_scans PRIMARY KEY (id)")
    for column in ("terminal_id", "holder_id"):
        op.execute(f"CREATE INDEX ix_scans_{column}_id ON scans ({column}, id)")
    behind = int(end.timestamp() * 1000).to_bytes(6).hex()
    op.execute(
        f"ALTER TABLE scans ATTACH PARTITION {old} FOR VALUES FROM (MINVALUE) TO ('{behind}')"
    )
    op.execute("CREATE TABLE scans_default PARTITION OF scans DEFAULT")


def _cut_audit_events(end: datetime) -> None:
    """As `_cut_scans`. A key of the whole table would have to have the time in it, for which an
    index would be built over all there is; each partition keeps the one it has."""
    old = f"audit_events_before_{end:%Y_%m}"
    op.execute(f"ALTER TABLE audit_events RENAME TO {old}")
    op.execute(f"ALTER TABLE {old} RENAME CONSTRAINT pk_audit_events TO {old}_pkey")
    op.execute(f"CREATE TABLE audit_events (LIKE {old} INCLUDING STORAGE) PARTITION BY RANGE (at)")
    op.execute(
        f"ALTER TABLE audit_events ATTACH PARTITION {old} "
        f"FOR VALUES FROM (MINVALUE) TO ('{end:%Y-%m-%d} 00:00:00+00')"
    )
    op.execute(
        "CREATE TABLE audit_events_default PARTITION OF audit_events "
        "(PRIMARY KEY (chain, seq)) DEFAULT"
    )


def _newest(connection: Connection) -> datetime:
    """Of the rows, or now."""
    newest: datetime = connection.scalar(text("SELECT now()"))
    scan_id = connection.scalar(_NEWEST_SCAN)
    if scan_id is not None:
        milliseconds = int(scan_id[:12], 16)
        newest = max(newest, datetime.fromtimestamp(milliseconds / 1000, UTC))
    event_at = connection.scalar(_NEWEST_EVENTS)
    return newest if event_at is None else max(newest, event_at)


def _month_after(at: datetime) -> datetime:
    first = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=31)).replace(day=1)
