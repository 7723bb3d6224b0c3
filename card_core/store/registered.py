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
    """A record, and its row's version: a lower one than was seen before is an old row put back.

    change_number: what to ask for newer ones with; 0 for a row that has none.
    """

    record: _Record
    version: int
    change_number: int


@dataclass(frozen=True, slots=True)
class Rows(Generic[_Record]):
    """What a read found. tampered: ids of rows that fail their HMAC."""

    found: list[Versioned[_Record]]
    tampered: list[str]


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
    result: Rows[_Record] = Rows([], [])
    while rows := _some(tx, select(table).where(number > after).order_by(number), ROWS_AT_ONCE):
        after = rows[-1].change_number
        some = _sorted(tx, table, record, rows)
        result.found.extend(some.found)
        result.tampered.extend(some.tampered)
    return result


def _page(
    tx: Reader, table: Table, record: Callable[[Row[Any]], _Record], after: str, limit: int
) -> Page[_Record]:
    rows = _some(tx, select(table).where(table.c.id > after).order_by(table.c.id), limit)
    some = _sorted(tx, table, record, rows)
    return Page(some.found, some.tampered, rows[-1].id if len(rows) == limit else None)


def _some(tx: Reader, statement: Select[Any], limit: int) -> list[Row[Any]]:
    return list(tx.connection.execute(statement.limit(limit)).all())


def _sorted(
    tx: Reader, table: Table, record: Callable[[Row[Any]], _Record], rows: list[Row[Any]]
) -> Rows[_Record]:
    """The rows that fit their HMAC, and the ids of the others."""
    result: Rows[_Record] = Rows([], [])
    for row in rows:
        try:
            guarded.check(tx, table, row)
        except TamperedRowError:
            result.tampered.append(str(row.id))
        else:
            result.found.append(Versioned(record(row), row.version, row.change_number or 0))
    return result
