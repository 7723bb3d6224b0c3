"""Rows that decide: each has a version and an HMAC over table, id, version and content.

The HMAC is checked whenever such a row is read here, so that somebody who has the database and not
the keys can't flip a state, a role or a key unseen. An old row put back fits its HMAC; the audit
log notes each change's version, and what this process has read of it (`integrity`) is checked
here, too. All of the log is compared by `audit.verify_rows`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from itertools import compress
from operator import itemgetter
from typing import Any

from sqlalchemy import Row, Select, Table, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from card_core.errors import StoreConflictError, TamperedRowError
from card_core.store import bulk
from card_core.store.bulk import Pending
from card_core.store.cipher import Value, same
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import AUDITED, FOLLOWED


def values_with_mac(tx: Reader, table: Table, values: Mapping[str, Value]) -> dict[str, Any]:
    """A new row's values, at version 1, with its HMAC."""
    row = {**values, "version": 1}
    return {**row, "mac": tx.cipher.row_mac(table.name, row)}


def add(tx: Transaction, table: Table, values: Mapping[str, Value]) -> None:
    add_all(tx, table, [values])


def add_all(tx: Transaction, table: Table, rows: Sequence[Mapping[str, Value]]) -> None:
    if rows:
        bulk.insert(tx, table, [values_with_mac(tx, table, row) for row in rows])
        if table in AUDITED:
            tx.made[str(table.name)] += len(rows)


def add_columns(tx: Transaction, table: Table, columns: Mapping[str, list[Any]]) -> None:
    """As `add_all`, of rows given column by column, all of one length: for hundreds of them."""
    (count,) = {len(values) for values in columns.values()}
    columns = {**columns, "version": [1] * count}
    rows = list(zip(*columns.values(), strict=True))
    macs = tx.cipher.row_macs(table.name, tuple(columns), rows)
    bulk.load(tx, table, {**columns, "mac": macs})
    if table in AUDITED:
        tx.made[str(table.name)] += count


def add_if_absent(tx: Transaction, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row of any table; False, and nothing done, where a unique value is there already."""
    new = sqlite.insert if tx.connection.dialect.name == "sqlite" else postgresql.insert
    statement = new(table).values(**values).on_conflict_do_nothing().returning(literal(1))
    return tx.connection.execute(statement).first() is not None


def get(tx: Reader, table: Table, row_id: str | int, lock: Lock = Lock.NONE) -> Row[Any] | None:
    """The row with this id, locked first if asked, after checking its HMAC.

    Raises TamperedRowError.
    """
    if lock is not Lock.NONE:
        tx.lock(f"{table.name}/{row_id}", lock)
    return first(tx, table, select(table).where(table.c.id == row_id))


def first(tx: Reader, table: Table, statement: Select[Any]) -> Row[Any] | None:
    """The first row of a SELECT of whole rows of `table`, checked."""
    row = tx.connection.execute(statement).first()
    return None if row is None else check(tx, table, row)


def rows(tx: Reader, table: Table, statement: Select[Any]) -> list[Row[Any]]:
    """All rows of a SELECT of whole rows of `table`, checked."""
    return [check(tx, table, row) for row in tx.connection.execute(statement).all()]


def find_intact(
    tx: Reader, table: Table, by: str, values: Collection[str | int]
) -> Pending[tuple[list[Any], set[str]]]:
    """The rows whose column `by` is one of these and that fit their HMAC, as named tuples, and the
    ids of those that don't.

    For many rows read at once, where one that was tampered with must not stop the others.
    """
    columns = _columns(table)
    pending = bulk.find(tx, table, columns, by, values)

    def sorted_out() -> tuple[list[Any], set[str]]:
        found = pending()
        sound = _sound(tx, table, found)
        good = list(compress(found, sound))
        return good, {
            str(row.id) for row, is_sound in zip(found, sound, strict=True) if not is_sound
        }

    return sorted_out


@lru_cache(maxsize=64)
def _columns(table: Table) -> tuple[str, ...]:
    return tuple(str(column.name) for column in table.c)


def check(tx: Reader, table: Table, row: Row[Any]) -> Row[Any]:
    if not _fits(tx, table, dict(row._mapping)):  # noqa: SLF001 - SQLAlchemy's public name
        raise TamperedRowError(table.name, str(row.id))
    return row


def _sound(tx: Reader, table: Table, found: Sequence[Any]) -> list[bool]:
    """Of whole rows, as named tuples: whether each is what the product made of it last."""
    names = _columns(table)
    others, without_mac = _but_mac(table)
    macs = tx.cipher.row_macs(table.name, others, list(map(without_mac, found)))
    at = names.index("mac")
    sound = [same(row[at], mac) for row, mac in zip(found, macs, strict=True)]
    if table in FOLLOWED:
        is_older, edition = tx.integrity.is_older, tx.edition
        sound = [
            fits and not is_older(table.name, str(row.id), row.version, edition)
            for row, fits in zip(found, sound, strict=True)
        ]
    tx.integrity.tell_all(table.name, [str(row.id) for row in found], sound)
    return sound


@lru_cache(maxsize=64)
def _but_mac(table: Table) -> tuple[tuple[str, ...], Callable[[Sequence[Any]], tuple[Any, ...]]]:
    """The columns that an HMAC is over, and what takes their values out of a whole row."""
    others = [(at, name) for at, name in enumerate(_columns(table)) if name != "mac"]
    return tuple(name for _, name in others), itemgetter(*(at for at, _ in others))


def _is_older(tx: Reader, table: Table, row_id: str, version: int) -> bool:
    return table in FOLLOWED and tx.integrity.is_older(table.name, row_id, version, tx.edition)


def _fits(tx: Reader, table: Table, values: dict[str, Any]) -> bool:
    """Whether a whole row is what the product made of it last."""
    mac, row_id = values.pop("mac"), str(values["id"])
    fits = same(mac, tx.cipher.row_mac(table.name, values))
    is_sound = fits and not _is_older(tx, table, row_id, values["version"])
    tx.integrity.tell(table.name, row_id, is_sound=is_sound)
    return is_sound


def change(tx: Transaction, table: Table, row_id: str | int, **changes: Value) -> int:
    """Change a row that this transaction has read, and return its new version.

    The row is locked, and read and checked again, and the change is bound to the version found.
    """
    row = get(tx, table, row_id, Lock.OWN)
    if row is None:
        raise StoreConflictError
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    del values["mac"]
    version: int = values["version"] + 1
    values |= changes | {"version": version}
    done = tx.connection.execute(
        update(table)
        .where(table.c.id == row_id, table.c.version == version - 1)
        .values(**changes, version=version, mac=tx.cipher.row_mac(table.name, values))
    )
    if done.rowcount != 1:
        raise StoreConflictError
    if table in AUDITED:
        tx.changed.append((str(table.name), str(row_id), version))
    return version


def check_all(tx: Reader, table: Table, found: Sequence[Any]) -> None:
    """Check the HMACs of whole rows that were read as named tuples. Raises TamperedRowError."""
    for row, is_sound in zip(found, _sound(tx, table, found), strict=True):
        if not is_sound:
            raise TamperedRowError(table.name, str(row.id))


def change_all(
    tx: Transaction, table: Table, found: Sequence[Any], changes: Mapping[str, list[Any]]
) -> None:
    """Change many rows of a table whose changes the audit log does not list one by one.

    found: whole rows, as named tuples, that `check_all` passed in this transaction. changes: by
    column, the new values in the order of the rows. Raises StoreConflictError where somebody was
    faster.
    """
    if table in AUDITED:
        raise TypeError(f"each change of {table.name} is listed: use `change`")
    if not found:
        return
    new: dict[str, Sequence[Any]] = dict(
        zip(_columns(table), zip(*found, strict=True), strict=True)
    )
    del new["mac"]
    changes = {**changes, "version": [version + 1 for version in new["version"]]}
    new |= changes
    macs = tx.cipher.row_macs(table.name, tuple(new), list(zip(*new.values(), strict=True)))
    written = {"id": list(new["id"]), **changes, "mac": macs}
    if bulk.update_versions(tx, table, written) != len(found):
        raise StoreConflictError
