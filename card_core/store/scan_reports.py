"""Scans that a holder says were not theirs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from card_core.store import bulk
from card_core.store.database import Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import scan_reports as table


@dataclass(frozen=True, slots=True)
class ScanReport:
    scan_id: str
    holder_id: str
    reported_at: datetime


def add(tx: Transaction, report: ScanReport) -> None:
    tx.connection.execute(
        insert(table).values(
            scan_id=report.scan_id, holder_id=report.holder_id, reported_at=report.reported_at
        )
    )


def get(tx: Reader, scan_id: str) -> ScanReport | None:
    found = of_scans(tx, [scan_id])
    return found[0] if found else None


def of_scans(tx: Reader, scan_ids: Sequence[str]) -> list[ScanReport]:
    """Those on a page of scans."""
    if not scan_ids:
        return []
    statement = select(table).where(table.c.scan_id.in_(scan_ids))
    return [ScanReport(*row) for row in tx.connection.execute(statement)]


def remove_of(tx: Transaction, record_ids: Collection[str]) -> int:
    """Those of these records' holder; how many. The audit log keeps that there were some."""
    among = bulk.among(tx, table.c.holder_id, list(record_ids))
    return tx.connection.execute(delete(table).where(among)).rowcount


def latest(tx: Reader, *, limit: int = PAGE_SIZE_MAX) -> list[ScanReport]:
    """The latest reports of all holders, the newest first."""
    check_limit(limit)
    statement = (
        select(table).order_by(table.c.reported_at.desc(), table.c.scan_id.desc()).limit(limit)
    )
    return [ScanReport(*row) for row in tx.connection.execute(statement)]
