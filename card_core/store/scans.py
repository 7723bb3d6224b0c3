"""Scans, and the nonces they spent.

The scans of one group have ids that follow each other and share their first IDS_SHARED characters;
those that only identify have ids made of what was asked, which their group's audit event names.
That event holds a digest over the group's rows, so that an edit of one shows.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, func, select

from card_core.presented import Medium
from card_core.store import bulk, epochs, holder_changes, ids
from card_core.store.database import Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import scans as table
from card_core.store.schema import spent
from card_core.verdicts import Reason
from crypto import fields

IDS_SHARED = 26
# A page is looked for here first: where it is full then, partitions of older scans are not opened.
RECENT = timedelta(days=31)

# The bounds say which partitions to open; the array alone does so only while it is planned anew.
_IDS_THERE = "SELECT id FROM scans WHERE id = ANY (%s::text[]) AND id BETWEEN %s AND %s"


class Scan(NamedTuple):
    """One scan, accepted or refused. A named tuple, because one is made for each.

    holder_id, card_id: None where the code named no card.

    medium, minted_at, presence, for_whom: of what was shown; None where it was not genuine.
    operator, department: the institution's own words for who scanned where, or empty.
    receipt: of an accepted scan.
    """

    id: str
    scanned_at: datetime
    terminal_id: str
    institution_id: str
    holder_id: str | None
    card_id: str | None
    business_type: str
    reason: Reason
    minted_at: datetime | None
    amount_fen: int | None
    operator: str
    department: str
    medium: Medium | None = None
    presence: int | None = None
    for_whom: int | None = None
    receipt: bytes | None = None

    def __repr__(self) -> str:
        return f"Scan(id={self.id!r})"


@dataclass(frozen=True, slots=True)
class Spending:
    """A nonce (8 bytes) to be spent by a scan. minted_at: whole seconds, as signed."""

    holder_id: str
    minted_at: datetime
    nonce: bytes
    scan_id: str


def spend_all(tx: Transaction, spendings: Sequence[Spending]) -> set[str]:
    """Spend codes' nonces; the ids of the scans whose nonce was not spent yet.

    The primary key decides, across all institutions and groups: of scans that run together one
    inserts, and the others wait for its commit.
    """
    rows = [
        {
            "holder_id": one.holder_id,
            "minted_at": int(one.minted_at.timestamp()),
            "nonce": one.nonce,
            "scan_id": one.scan_id,
        }
        for one in spendings
    ]
    return {scan_id for (scan_id,) in bulk.insert_new(tx, spent, rows, ("scan_id",))()}


def add_group(tx: Transaction, group: Sequence[Scan]) -> str:
    """Add the scans of a group and return, in hex, the digest over their rows."""
    rows = [_values(tx, scan) for scan in group]
    bulk.insert(tx, table, rows)
    return _digest(rows)


def add_new(tx: Transaction, group: Iterable[Scan]) -> tuple[set[str], str]:
    """Add the scans that are not there yet; their ids and, in hex, the digest over their rows."""
    rows = sorted((_values(tx, scan) for scan in group), key=itemgetter("id"))
    inserted = {scan_id for (scan_id,) in bulk.insert_new(tx, table, rows, ("id",))()}
    return inserted, _digest([row for row in rows if row["id"] in inserted])


def ids_there(tx: Reader, scan_ids: Collection[str]) -> set[str]:
    """Those of the ids that are recorded."""
    if tx.is_sqlite or not scan_ids:
        return {row.id for row in bulk.find(tx, table, ("id",), "id", scan_ids)()}
    wanted = bulk.array_text("text", scan_ids)
    found = tx.run(_IDS_THERE, (wanted, min(scan_ids), max(scan_ids)))
    return {scan_id for (scan_id,) in found.fetchall()}


def digest_of(tx: Reader, scan_ids: Collection[str]) -> tuple[int, str]:
    """How many of these scans there are, and the digest over their rows."""
    statement = (
        select(table)
        .where(
            bulk.among(tx, table.c.id, scan_ids),
            table.c.id.between(min(scan_ids, default=""), max(scan_ids, default="")),
        )
        .order_by(table.c.id)
    )
    rows = [dict(row._mapping) for row in tx.connection.execute(statement)]  # noqa: SLF001 - SQLAlchemy's public name
    return len(rows), _digest(rows)


def digest_of_group(tx: Reader, shared: str) -> tuple[int, str]:
    """How many scans have ids that begin with `shared`, and the digest over their rows."""
    statement = (
        select(table)
        .where(table.c.id >= shared, table.c.id < shared + "g")  # behind every hex digit
        .order_by(table.c.id)
    )
    rows = [dict(row._mapping) for row in tx.connection.execute(statement)]  # noqa: SLF001 - SQLAlchemy's public name
    return len(rows), _digest(rows)


def get(tx: Reader, scan_id: str) -> Scan | None:
    row = tx.connection.execute(select(table).where(table.c.id == scan_id)).first()
    return None if row is None else _record(tx, row)


def count(tx: Reader) -> int:
    total: int = tx.connection.execute(select(func.count()).select_from(table)).scalar_one()
    return total


def of_holder(
    tx: Reader, holder_id: str, *, before: str = "", limit: int = PAGE_SIZE_MAX
) -> list[Scan]:
    """At most `limit` scans of a holder, the newest first, whose id comes before `before`.

    Those of records that were merged into this one are the holder's too.
    """
    records = holder_changes.record_ids(tx, holder_id)
    own = table.c.holder_id == holder_id
    wanted = own if len(records) == 1 else bulk.among(tx, table.c.holder_id, records)
    return _page(tx, select(table).where(wanted), before, limit)


def of_terminal(
    tx: Reader, terminal_id: str, *, before: str = "", limit: int = PAGE_SIZE_MAX
) -> list[Scan]:
    """At most `limit` scans by a terminal, the newest first, whose id comes before `before`."""
    return _page(tx, select(table).where(table.c.terminal_id == terminal_id), before, limit)


def _page(tx: Reader, statement: Select[Any], before: str, limit: int) -> list[Scan]:
    found: list[Scan] = []
    check_limit(limit)
    for stretch in _stretches(tx, before):
        part = statement.where(*stretch).order_by(table.c.id.desc()).limit(limit - len(found))
        found += [_record(tx, row) for row in tx.connection.execute(part)]
        if len(found) == limit:
            break
    return found


def _stretches(tx: Reader, before: str) -> list[list[ColumnElement[bool]]]:
    """Where to look one after the other: on PostgreSQL what is RECENT, then what is older."""
    behind = [table.c.id < before] if before else []
    if tx.is_sqlite:
        return [behind]
    until = ids.made_at(before) if before else epochs.database_time(tx)
    since = ids.earliest(until - RECENT)
    return [[*behind, table.c.id >= since], [table.c.id < since]]


def _values(tx: Reader, scan: Scan) -> dict[str, Any]:
    return {
        "id": scan.id,
        "scanned_at": scan.scanned_at,
        "terminal_id": scan.terminal_id,
        "institution_id": scan.institution_id,
        "holder_id": scan.holder_id,
        "card_id": scan.card_id,
        "business_type": scan.business_type,
        "reason": scan.reason.value,
        "minted_at": scan.minted_at,
        "amount_fen": scan.amount_fen,
        "operator": _seal(tx, scan.id, "operator", scan.operator),
        "department": _seal(tx, scan.id, "department", scan.department),
        "medium": None if scan.medium is None else scan.medium.value,
        "presence": scan.presence,
        "for_whom": scan.for_whom,
        "receipt": scan.receipt,
    }


def _digest(rows: list[dict[str, Any]]) -> str:
    """Over every value of every row, in the order of their ids."""
    return fields.digest(table.name, rows).hex()


def _seal(tx: Reader, scan_id: str, column: str, word: str) -> bytes | None:
    return tx.cipher.seal(table.name, column, scan_id, word.encode()) if word else None


def _open(tx: Reader, scan_id: str, column: str, sealed: bytes | None) -> str:
    return "" if sealed is None else tx.cipher.open(table.name, column, scan_id, sealed).decode()


def _record(tx: Reader, row: Row[Any]) -> Scan:
    return Scan(
        id=row.id,
        scanned_at=row.scanned_at,
        terminal_id=row.terminal_id,
        institution_id=row.institution_id,
        holder_id=row.holder_id,
        card_id=row.card_id,
        business_type=row.business_type,
        reason=Reason(row.reason),
        minted_at=row.minted_at,
        amount_fen=row.amount_fen,
        operator=_open(tx, row.id, "operator", row.operator),
        department=_open(tx, row.id, "department", row.department),
        medium=None if row.medium is None else Medium(row.medium),
        presence=row.presence,
        for_whom=row.for_whom,
        receipt=row.receipt,
    )
