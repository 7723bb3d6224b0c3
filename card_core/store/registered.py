"""Institutions and terminals as a service keeps them in memory: read by what has changed.

A row that fails its HMAC does not stop the others: it is named, and whoever keeps the rest drops
what it held of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, Select, Table, select

from card_core.errors import TamperedRowError
from card_core.store import guarded
from card_core.store.database import Reader
from card_core.store.institutions import Institution, Terminal, to_institution, to_terminal
from card_core.store.schema import institutions, terminals

ROWS_AT_ONCE = 500

_Record = TypeVar("_Record", Institution, Terminal)


@dataclass(frozen=True, slots=True)
class Versioned(Generic[_Record]):
    """A record, and its row's version: a lower one than was seen before is an old row put back."""

    record: _Record
    version: int


@dataclass(frozen=True, slots=True)
class Rows(Generic[_Record]):
    """What a read found. tampered: ids of rows that fail their HMAC. last: the number to ask for
    more with."""

    found: list[Versioned[_Record]]
    tampered: list[str]
    last: int


@dataclass(frozen=True, slots=True)
class Page(Generic[_Record]):
    """Some rows in the order of ids. end: the id of the last one, None where there are no more."""

    found: list[Versioned[_Record]]
    tampered: list[str]
    end: str | None


def institutions_changed(tx: Reader, after: int) -> Rows[Institution]:
    """Every institution whose change_number is behind `after`."""
    return _changed(tx, institutions, to_institution, after)


def terminals_changed(tx: Reader, after: int) -> Rows[Terminal]:
    """Every terminal whose change_number is behind `after`."""
    return _changed(tx, terminals, to_terminal, after)


def institutions_page(tx: Reader, after: str, limit: int) -> Page[Institution]:
    """At most `limit` institutions whose id comes behind `after`."""
    return _page(tx, institutions, to_institution, after, limit)


def terminals_page(tx: Reader, after: str, limit: int) -> Page[Terminal]:
    """At most `limit` terminals whose id comes behind `after`."""
    return _page(tx, terminals, to_terminal, after, limit)


def _changed(
    tx: Reader, table: Table, record: Callable[[Row[Any]], _Record], after: int
) -> Rows[_Record]:
    number = table.c.change_number
    found: list[Versioned[_Record]] = []
    tampered: list[str] = []
    good, cursor = after, after
    while rows := _some(tx, select(table).where(number > cursor).order_by(number), ROWS_AT_ONCE):
        cursor = rows[-1].change_number
        for row in rows:
            checked = _checked(tx, table, record, row)
            if checked is None:
                tampered.append(str(row.id))
            else:
                # A number that fails its HMAC moves nothing: it could hide what comes behind it.
                good = row.change_number
                found.append(checked)
    return Rows(found, tampered, good)


def _page(
    tx: Reader, table: Table, record: Callable[[Row[Any]], _Record], after: str, limit: int
) -> Page[_Record]:
    rows = _some(tx, select(table).where(table.c.id > after).order_by(table.c.id), limit)
    pairs = [(str(row.id), _checked(tx, table, record, row)) for row in rows]
    return Page(
        [checked for _, checked in pairs if checked is not None],
        [row_id for row_id, checked in pairs if checked is None],
        rows[-1].id if len(rows) == limit else None,
    )


def _some(tx: Reader, statement: Select[Any], limit: int) -> list[Row[Any]]:
    return list(tx.connection.execute(statement.limit(limit)).all())


def _checked(
    tx: Reader, table: Table, record: Callable[[Row[Any]], _Record], row: Row[Any]
) -> Versioned[_Record] | None:
    try:
        guarded.check(tx, table, row)
    except TamperedRowError:
        return None
    return Versioned(record(row), row.version)
