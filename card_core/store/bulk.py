"""Many rows in one statement, on both databases: what a group of scans is read and written with.

The statements are the same whatever the number of rows, so that they are compiled, and planned,
once. PostgreSQL takes one array a column; SQLite has no round trips and takes new rows one by one,
and what is looked for as one JSON array.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Integer,
    LargeBinary,
    Table,
    TypeDecorator,
    any_,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.engine import Dialect

from card_core.store.columns import Instant
from card_core.store.database import Reader, Transaction

Row = Mapping[str, Any]
_Bind = Callable[[Any], Any]

# Far within the number of values that SQLite takes in one statement.
_SQLITE_ROWS_MAX = 500


def among(tx: Reader, column: Column[Any], values: Collection[str | int]) -> ColumnElement[bool]:
    """Where the column, of texts or integers, is one of these."""
    if not _is_sqlite(tx.connection):
        return column == any_(_typed_array(column, list(values)))
    each = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(each.c.value))


def among_keys(
    tx: Reader, columns: Sequence[Column[Any]], keys: Collection[tuple[str, ...]]
) -> ColumnElement[bool]:
    """Where the columns, of texts, are together one of these."""
    if _is_sqlite(tx.connection):
        each = func.json_each(json.dumps(list(keys))).table_valued("value")
        places = range(len(columns))
        wanted = select(*(func.json_extract(each.c.value, f"$[{place}]") for place in places))
    else:
        arrays = (
            _typed_array(column, [key[place] for key in keys])
            for place, column in enumerate(columns)
        )
        names = [column.name for column in columns]
        wanted = select(*func.unnest(*arrays).table_valued(*names).render_derived().c)
    return tuple_(*columns).in_(wanted)


def insert(tx: Transaction, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that all have the same columns. Raises StoreConflictError as any insert does."""
    if not rows:
        return
    columns = tuple(rows[0])
    if _is_sqlite(tx.connection):
        values = _values(table, columns, rows, tx.connection.dialect)
        tx.connection.exec_driver_sql(_sqlite_insert(table, columns, ""), values)
    else:
        tx.connection.exec_driver_sql(
            _postgresql_insert(table, columns, ""),
            _arrays(table, columns, rows),
        )


def insert_new(
    tx: Transaction, table: Table, rows: Sequence[Row], key: tuple[str, ...]
) -> set[tuple[Any, ...]]:
    """Insert the rows whose unique values are not there yet; the `key` columns of those inserted.

    The rows go in sorted by the table's primary key, so that two transactions with rows in common
    wait for each other and never both. Of equal rows in `rows` itself one goes in.
    """
    if not rows:
        return set()
    names = [column.name for column in table.primary_key]
    rows = sorted(rows, key=lambda row: [row[name] for name in names])
    columns, dialect = tuple(rows[0]), tx.connection.dialect
    if not _is_sqlite(tx.connection):
        suffix = f" ON CONFLICT DO NOTHING RETURNING {', '.join(key)}"
        found = tx.connection.exec_driver_sql(
            _postgresql_insert(table, columns, suffix),
            _arrays(table, columns, rows),
        )
        return {tuple(row) for row in found}
    inserted = set()
    for at in range(0, len(rows), _SQLITE_ROWS_MAX):
        some = _values(table, columns, rows[at : at + _SQLITE_ROWS_MAX], dialect)
        suffix = f" ON CONFLICT DO NOTHING RETURNING {', '.join(key)}"
        found = tx.connection.exec_driver_sql(
            _sqlite_insert(table, columns, suffix, len(some)),
            tuple(value for values in some for value in values),
        )
        inserted |= {tuple(row) for row in found}
    return inserted


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _values(
    table: Table, columns: tuple[str, ...], rows: Sequence[Row], dialect: Dialect
) -> list[tuple[Any, ...]]:
    binds = _binds(table, columns, dialect)
    return [
        tuple(bind(row[name]) for name, bind in zip(columns, binds, strict=True)) for row in rows
    ]


def _arrays(table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(
        array_text(_array_type(table.c[name]), [row[name] for row in rows]) for name in columns
    )


class _ArrayText(TypeDecorator[str]):
    """An array bound as `array_text` writes it.

    Its type stands at the parameter itself, so that PostgreSQL reads the text once, when it is
    bound: behind a cast in the statement it would be read again for every row that is compared.
    """

    impl = ARRAY
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        return None


def _typed_array(column: Column[Any], values: Sequence[str | int]) -> ColumnElement[Any]:
    text = array_text(_array_type(column), values)
    return literal(text, _ArrayText(column.type))


def array_text(kind: str, values: Iterable[Any]) -> str:
    """A PostgreSQL array as text: the driver's own writing of lists looks at each value for long.

    kind: the elements' type, one of those below. Raises ValueError for an instant without a zone.
    """
    write = _WRITERS[kind]
    return f"{{{','.join(['NULL' if value is None else write(value) for value in values])}}}"


def _quoted(text: str) -> str:
    """Between quotes, a backslash and a quote alone mean something."""
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return f'"{value.isoformat()}"'


# The first that fits: a BigInteger is an Integer.
_ARRAY_TYPES = (
    (LargeBinary, "bytea"),
    (Instant, "timestamptz"),
    (BigInteger, "bigint"),
    (Integer, "integer"),
    (Date, "date"),
    (Boolean, "boolean"),
)

_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "text": _quoted,
    "bytea": lambda value: f'"\\\\x{value.hex()}"',
    "timestamptz": _instant,
    "bigint": int.__str__,
    "integer": int.__str__,
    "date": date.isoformat,
    "boolean": lambda value: "t" if value else "f",
}


@lru_cache(maxsize=64)
def _binds(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[_Bind, ...]:
    """What each column's type does with a value before the driver gets it."""
    processors = (table.c[name].type.dialect_impl(dialect) for name in columns)
    return tuple(one.bind_processor(dialect) or _as_it_is for one in processors)


def _as_it_is(value: Any) -> Any:
    return value


@lru_cache(maxsize=2 * _SQLITE_ROWS_MAX)
def _sqlite_insert(table: Table, columns: tuple[str, ...], suffix: str, rows: int = 1) -> str:
    places = ", ".join([f"({', '.join('?' * len(columns))})"] * rows)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {places}{suffix}"  # noqa: S608 - names of the schema


@lru_cache(maxsize=64)
def _postgresql_insert(table: Table, columns: tuple[str, ...], suffix: str) -> str:
    arrays = ", ".join(f"%s::{_array_type(table.c[name])}[]" for name in columns)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM unnest({arrays}){suffix}"  # noqa: S608 - names of the schema


def _array_type(column: Column[Any]) -> str:
    return next((name for kind, name in _ARRAY_TYPES if isinstance(column.type, kind)), "text")
