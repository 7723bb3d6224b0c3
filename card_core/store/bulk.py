"""Many rows in one statement, on both databases: what a group of scans is read and written with.

The statements are the same whatever the number of rows, so that they are written, and planned,
once. PostgreSQL takes one array a column, or new rows by COPY where there are hundreds (`load`);
SQLite has no round trips and takes new rows one by one, and what is looked for as one JSON array.

What is `Pending` has been asked for; calling it gives what came. So several questions can go to the
server in one trip (`Reader.together`).
"""

import json
from collections import namedtuple
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    Integer,
    LargeBinary,
    Table,
    TypeDecorator,
    any_,
    func,
    literal,
    select,
)
from sqlalchemy.engine import Dialect

from card_core import _native
from card_core.store.columns import Instant
from card_core.store.database import Reader, Transaction

_T = TypeVar("_T")
Row = Mapping[str, Any]
Pending = Callable[[], _T]
_Bind = Callable[[Any], Any]

# Far within the number of values that SQLite takes in one statement.
_SQLITE_ROWS_MAX = 500


def among(tx: Reader, column: Column[Any], values: Collection[str | int]) -> ColumnElement[bool]:
    """Where the column, of texts or integers, is one of these."""
    if not tx.is_sqlite:
        return column == any_(_typed_array(column, list(values)))
    each = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(each.c.value))


def among_indexes(
    tx: Reader, column: Column[Any], values: Collection[bytes]
) -> ColumnElement[bool]:
    """As `among`, for a column of bytes such as a blind index; on SQLite for some hundreds."""
    if tx.is_sqlite:
        return column.in_(list(values))
    return column == any_(_typed_array(column, list(values)))


def find(
    tx: Reader, table: Table, columns: tuple[str, ...], by: str, values: Collection[str | int]
) -> Pending[list[Any]]:
    """The rows, as named tuples of `columns`, whose column `by`, of texts or integers, is one of
    `values`; nothing is asked for no values."""
    if not values:
        return list
    given = (
        json.dumps(list(values)) if tx.is_sqlite else array_text(_array_type(table.c[by]), values)
    )
    return _found(tx, table, columns, (by,), (given,))


def find_keys(
    tx: Reader,
    table: Table,
    columns: tuple[str, ...],
    by: tuple[str, ...],
    keys: Collection[tuple[str, ...]],
) -> Pending[list[Any]]:
    """As `find`, where several columns, of texts, are together one of `keys`."""
    if not keys:
        return list
    given: tuple[str, ...] = (
        (json.dumps(list(keys)),)
        if tx.is_sqlite
        else tuple(array_text("text", map(itemgetter(at), keys)) for at in range(len(by)))
    )
    return _found(tx, table, columns, by, given)


def _found(
    tx: Reader,
    table: Table,
    columns: tuple[str, ...],
    by: tuple[str, ...],
    given: tuple[str, ...],
) -> Pending[list[Any]]:
    cursor = tx.run(_find_statement(table, columns, by, tx.is_sqlite), given, True)
    make, readers = _row_maker(table, columns, tx.connection.dialect)

    # SQLite looks for each row when it is fetched, and would find what is written until then.
    at_once = cursor.fetchall() if tx.is_sqlite else None

    def rows() -> list[Any]:
        found = cursor.fetchall() if at_once is None else at_once
        if not readers:
            return list(map(make, found))
        return [make(_read(row, readers)) for row in found]

    return rows


def insert(tx: Transaction, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that all have the same columns. Raises StoreConflictError as any insert does."""
    if not rows:
        return
    columns = tuple(rows[0])
    if not tx.is_sqlite:
        tx.run(_postgresql_insert(table, columns, ""), _arrays(table, columns, rows))
        return
    values = _values(table, columns, rows, tx.connection.dialect)
    tx.run_many(_sqlite_insert(table, columns, ""), values)


def load(tx: Transaction, table: Table, columns: Mapping[str, list[Any]]) -> None:
    """As `insert`, of rows given column by column, all of one length: for hundreds of them.

    PostgreSQL takes them by COPY, which stores a page at a time; not inside `together`.
    """
    names = tuple(columns)
    if not columns[names[0]]:
        return
    if tx.is_sqlite:
        binds = zip(columns.values(), _binds(table, names, tx.connection.dialect), strict=True)
        by_column = [_each(values, bind) for values, bind in binds]
        tx.run_many(_sqlite_insert(table, names, ""), list(zip(*by_column, strict=True)))
        return
    rows = _native.copy_rows(list(_array_types(table, names)), list(columns.values()))
    tx.copy(_postgresql_copy(table, names), rows)


def update_versions(tx: Transaction, table: Table, columns: Mapping[str, list[Any]]) -> int:
    """Write rows given column by column, "id" and "version" among them, over those that are there
    with the version before; how many there were."""
    names = tuple(columns)
    if not columns["id"]:
        return 0
    if not tx.is_sqlite:
        kinds = zip(columns.values(), _array_types(table, names), strict=True)
        arrays = tuple(array_text(kind, values) for values, kind in kinds)
        done: int = tx.run(_postgresql_update(table, names), arrays).rowcount
        return done
    # SQLite's parameters stand where they are used. An id that is set, to what it was, would have
    # its index written anew.
    changed = tuple(name for name in names if name != "id")
    places = (*changed, "id", "version")
    binds = zip(places, _binds(table, places, tx.connection.dialect), strict=True)
    by_column = [_each(columns[name], bind) for name, bind in binds]
    values = list(zip(*by_column, strict=True))
    return tx.run_many(_sqlite_update(table, changed), values)


def select_between(
    tx: Reader,
    table: Table,
    columns: tuple[str, ...],
    within: tuple[str, str],
    between: tuple[str, int, int],
) -> list[Any]:
    """Rows, as named tuples of `columns`, in the order of the integer column that `between` names,
    which lies between its two numbers. within: a column and the text in it."""
    statement = _between_statement(table, columns, within[0], between[0], tx.is_sqlite)
    make, readers = _row_maker(table, columns, tx.connection.dialect)
    found = tx.run(statement, (within[1], *between[1:]), True).fetchall()
    return [make(_read(row, readers) if readers else row) for row in found]


def insert_new(
    tx: Transaction, table: Table, rows: Sequence[Row], key: tuple[str, ...]
) -> Pending[set[tuple[Any, ...]]]:
    """Insert the rows whose unique values are not there yet; the `key` columns of those inserted.

    The rows go in sorted by the table's primary key, so that two transactions with rows in common
    wait for each other and never both. Of equal rows in `rows` itself one goes in.
    """
    if not rows:
        return set
    names = [column.name for column in table.primary_key]
    rows = sorted(rows, key=itemgetter(*names))
    columns = tuple(rows[0])
    suffix = f" ON CONFLICT DO NOTHING RETURNING {', '.join(key)}"
    if not tx.is_sqlite:
        statement = _postgresql_insert(table, columns, suffix)
        cursor = tx.run(statement, _arrays(table, columns, rows))
        return lambda: set(cursor.fetchall())
    inserted: set[tuple[Any, ...]] = set()
    for at in range(0, len(rows), _SQLITE_ROWS_MAX):
        some = _values(table, columns, rows[at : at + _SQLITE_ROWS_MAX], tx.connection.dialect)
        statement = _sqlite_insert(table, columns, suffix, len(some))
        values = tuple(value for values in some for value in values)
        inserted |= set(tx.run(statement, values).fetchall())
    return lambda: inserted


def _values(
    table: Table, columns: tuple[str, ...], rows: Sequence[Row], dialect: Dialect
) -> list[tuple[Any, ...]]:
    binds = zip(columns, _binds(table, columns, dialect), strict=True)
    by_column = [_each([row[name] for row in rows], bind) for name, bind in binds]
    return list(zip(*by_column, strict=True))


def _arrays(table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> tuple[str, ...]:
    kinds = zip(columns, _array_types(table, columns), strict=True)
    return tuple(array_text(kind, [row[name] for row in rows]) for name, kind in kinds)


class _ArrayText(TypeDecorator[str]):
    """An array bound as `array_text` writes it.

    Its type stands at the parameter itself, so that PostgreSQL reads the text once, when it is
    bound: behind a cast in the statement it would be read again for every row that is compared.
    """

    impl = ARRAY
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        return None


def _typed_array(column: Column[Any], values: Sequence[str | int | bytes]) -> ColumnElement[Any]:
    text = array_text(_array_type(column), values)
    return literal(text, _ArrayText(column.type))


def array_text(kind: str, values: Iterable[Any]) -> str:
    """A PostgreSQL array as text: the driver's own writing of lists looks at each value for long.

    kind: the elements' type, one of `_ARRAY_TYPES` or "text"; None is NULL among them. Raises
    ValueError for an instant without a zone, TypeError for a value of another type.
    """
    return _native.array_text(kind, list(values))


def _each(values: list[Any], write: _Bind | None) -> list[Any]:
    """What `write` makes of each value, and None for None. Rows of a group share much, an instant
    or an institution: what was written for the row before is not written again."""
    if write is None:
        return values
    written: list[Any] = []
    last, made = None, None
    for value in values:
        if value is not last:
            last, made = value, None if value is None else write(value)
        written.append(made)
    return written


# The first that fits: a BigInteger is an Integer.
_ARRAY_TYPES = (
    (LargeBinary, "bytea"),
    (Instant, "timestamptz"),
    (BigInteger, "bigint"),
    (Integer, "integer"),
    (Date, "date"),
    (Boolean, "boolean"),
)


@lru_cache(maxsize=64)
def _binds(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[_Bind | None, ...]:
    """What each column's type does with a value before the driver gets it; None for nothing, as for
    bytes: SQLAlchemy would make a view of each, which SQLite's driver does not need."""
    kinds = (table.c[name].type.dialect_impl(dialect) for name in columns)
    return tuple(
        None if isinstance(kind, LargeBinary) else kind.bind_processor(dialect) for kind in kinds
    )


@lru_cache(maxsize=2 * _SQLITE_ROWS_MAX)
def _sqlite_insert(table: Table, columns: tuple[str, ...], suffix: str, rows: int = 1) -> str:
    places = ", ".join([f"({', '.join('?' * len(columns))})"] * rows)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {places}{suffix}"  # noqa: S608 - names of the schema


@lru_cache(maxsize=64)
def _find_statement(
    table: Table, columns: tuple[str, ...], by: tuple[str, ...], is_sqlite: bool
) -> str:
    several = len(by) > 1
    if is_sqlite:
        parts = ", ".join(f"json_extract(value, '$[{at}]')" for at in range(len(by)))
        wanted = f"IN (SELECT {parts if several else 'value'} FROM json_each(?))"  # noqa: S608 - numbers
    else:
        arrays = ", ".join(f"%s::{_array_type(table.c[name])}[]" for name in by)
        wanted = f"IN (SELECT * FROM unnest({arrays}))" if several else f"= ANY ({arrays})"  # noqa: S608 - names of types
    return f"SELECT {', '.join(columns)} FROM {table.name} WHERE ({', '.join(by)}) {wanted}"  # noqa: S608 - names of the schema


@lru_cache(maxsize=64)
def _between_statement(
    table: Table, columns: tuple[str, ...], within: str, by: str, is_sqlite: bool
) -> str:
    place = "?" if is_sqlite else "%s"
    return (
        f"SELECT {', '.join(columns)} FROM {table.name} WHERE {within} = {place} "  # noqa: S608 - names of the schema
        f"AND {by} BETWEEN {place} AND {place} ORDER BY {by}"
    )


@lru_cache(maxsize=64)
def _sqlite_update(table: Table, columns: tuple[str, ...]) -> str:
    changes = ", ".join(f"{name} = ?" for name in columns)
    return f"UPDATE {table.name} SET {changes} WHERE id = ? AND version = ? - 1"  # noqa: S608 - names of the schema


@lru_cache(maxsize=64)
def _postgresql_update(table: Table, columns: tuple[str, ...]) -> str:
    arrays = ", ".join(f"%s::{_array_type(table.c[name])}[]" for name in columns)
    changes = ", ".join(f"{name} = new.{name}" for name in columns if name != "id")
    return (
        f"UPDATE {table.name} SET {changes} FROM unnest({arrays}) AS new({', '.join(columns)}) "  # noqa: S608 - names of the schema
        f"WHERE {table.name}.id = new.id AND {table.name}.version = new.version - 1"
    )


_Reader = tuple[int, Callable[[Any], Any]]


@lru_cache(maxsize=64)
def _row_maker(
    table: Table, columns: tuple[str, ...], dialect: Dialect
) -> tuple[Callable[[Iterable[Any]], Any], tuple[_Reader, ...]]:
    """What makes a named tuple of a row, and what each column's type does with a value of the
    driver's before, where it does anything."""
    found = (
        (at, table.c[name].type.dialect_impl(dialect).result_processor(dialect, None))
        for at, name in enumerate(columns)
    )
    readers = tuple((at, read) for at, read in found if read is not None)
    # Which columns there are is only known here.
    make: Callable[[Iterable[Any]], Any] = namedtuple("Row", columns)._make  # type: ignore[attr-defined]
    return make, readers


def _read(row: tuple[Any, ...], readers: tuple[_Reader, ...]) -> list[Any]:
    values = list(row)
    for at, read in readers:
        values[at] = read(values[at])
    return values


@lru_cache(maxsize=64)
def _postgresql_insert(table: Table, columns: tuple[str, ...], suffix: str) -> str:
    arrays = ", ".join(f"%s::{_array_type(table.c[name])}[]" for name in columns)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM unnest({arrays}){suffix}"  # noqa: S608 - names of the schema


@lru_cache(maxsize=64)
def _postgresql_copy(table: Table, columns: tuple[str, ...]) -> str:
    return f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"


@lru_cache(maxsize=64)
def _array_types(table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_array_type(table.c[name]) for name in columns)


def _array_type(column: Column[Any]) -> str:
    return next((name for kind, name in _ARRAY_TYPES if isinstance(column.type, kind)), "text")
