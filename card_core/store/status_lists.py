"""The versions of each day's status list (状态列表): prepared, then signed, then superseded.

A version is written before it is signed, and signed before anybody sees it. The latest keeps the
whole body; older ones keep the changes that led to them, for terminals that are some versions
behind. Lists of other issuers come signed; of their versions some may never have been here.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, func, select

from card_core.status_list import ListHead
from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import status_lists as table

SWEEP_ROWS_MAX = 1000


@dataclass(frozen=True, slots=True)
class ListVersion:
    """One version of one list. day_ends_at: Unix seconds. changes: from the version here before.

    body: None once a later version is out. signature: None until it is signed.
    """

    head: ListHead
    changes: bytes
    body: bytes | None
    signature: bytes | None

    @property
    def day_ends_at(self) -> int:
        return int(self.head.day_ends_at.timestamp())


def lock(tx: Transaction, issuer: int, day_ends_at: int) -> None:
    """Of those who prepare or publish versions of a list, one does so at a time."""
    tx.lock(f"status_lists/{issuer}.{day_ends_at}", Lock.OWN)


def latest(tx: Reader, issuer: int, day_ends_at: int) -> ListVersion | None:
    """The latest version, signed or not."""
    statement = (
        select(table)
        .where(table.c.issuer == issuer, table.c.day_ends_at == day_ends_at)
        .order_by(table.c.list_version.desc())
        .limit(1)
    )
    row = guarded.first(tx, table, statement)
    return None if row is None else _record(row)


def published(tx: Reader, issuer: int, day_ends_at: int) -> ListVersion | None:
    """The latest version that is signed."""
    statement = (
        select(table)
        .where(
            table.c.issuer == issuer,
            table.c.day_ends_at == day_ends_at,
            table.c.signature.is_not(None),
        )
        .order_by(table.c.list_version.desc())
        .limit(1)
    )
    row = guarded.first(tx, table, statement)
    return None if row is None else _record(row)


def published_version(tx: Reader, issuer: int, day_ends_at: int) -> int | None:
    """The number of `published`; reads nothing else, for whoever keeps what it read before."""
    statement = select(func.max(table.c.list_version)).where(
        table.c.issuer == issuer,
        table.c.day_ends_at == day_ends_at,
        table.c.signature.is_not(None),
    )
    version: int | None = tx.connection.execute(statement).scalar()
    return version


def steps(tx: Reader, issuer: int, day_ends_at: int, have: int, version: int) -> list[bytes] | None:
    """The changes that lead from `have` to `version`, in their order; None where `have` is not
    here, or not any more."""
    statement = (
        select(table)
        .where(
            table.c.issuer == issuer,
            table.c.day_ends_at == day_ends_at,
            table.c.list_version >= have,
            table.c.list_version <= version,
        )
        .order_by(table.c.list_version)
    )
    found = guarded.rows(tx, table, statement)
    if not found or found[0].list_version != have:
        return None
    return [row.changes for row in found[1:]]


def add(tx: Transaction, new: ListVersion) -> None:
    """A version that is prepared and not signed yet, or one that came signed."""
    head = new.head
    guarded.add(
        tx,
        table,
        {
            "id": _id(head.issuer, new.day_ends_at, head.version),
            "issuer": head.issuer,
            "day_ends_at": new.day_ends_at,
            "list_version": head.version,
            "head": head.to_bytes(),
            "changes": new.changes,
            "body": new.body,
            "signature": new.signature,
        },
    )


def change_head(tx: Transaction, prepared: ListVersion, head: ListHead) -> None:
    """Another head for a version that was never signed, and so never out."""
    row_id = _id(prepared.head.issuer, prepared.day_ends_at, prepared.head.version)
    guarded.change(tx, table, row_id, head=head.to_bytes())


def publish(tx: Transaction, prepared: ListVersion, signature: bytes, *, kept: int) -> None:
    """Sign a version, take the body of the one before, and drop those more than `kept` behind."""
    head = prepared.head
    row_id = _id(head.issuer, prepared.day_ends_at, head.version)
    guarded.change(tx, table, row_id, signature=signature)
    if head.version > 1:
        _supersede(tx, head.issuer, prepared.day_ends_at, head.version - 1)
    _drop_behind(tx, prepared, kept)


def take(tx: Transaction, new: ListVersion, before: ListVersion | None, *, kept: int) -> None:
    """Keep a version that came signed; the one before and those far behind as in `publish`."""
    add(tx, new)
    if before is not None:
        _supersede(tx, before.head.issuer, before.day_ends_at, before.head.version)
    _drop_behind(tx, new, kept)


def _supersede(tx: Transaction, issuer: int, day_ends_at: int, version: int) -> None:
    guarded.change(tx, table, _id(issuer, day_ends_at, version), body=None)


def _drop_behind(tx: Transaction, latest: ListVersion, kept: int) -> None:
    tx.connection.execute(
        delete(table).where(
            table.c.issuer == latest.head.issuer,
            table.c.day_ends_at == latest.day_ends_at,
            table.c.list_version <= latest.head.version - kept,
        )
    )


def sweep(tx: Transaction, before: int) -> int:
    """Delete lists of days that ended before then, some at a time; how many versions."""
    old = select(table.c.id).where(table.c.day_ends_at < before).limit(SWEEP_ROWS_MAX)
    return tx.connection.execute(delete(table).where(table.c.id.in_(old))).rowcount


def _id(issuer: int, day_ends_at: int, version: int) -> str:
    return f"{issuer}.{day_ends_at}.{version}"


def _record(row: Row[Any]) -> ListVersion:
    return ListVersion(ListHead.parse(row.head), row.changes, row.body, row.signature)
