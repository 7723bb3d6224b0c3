"""Scans and the audit log by months, on PostgreSQL (decision 25); on SQLite each is one table.

    scans         by id, which begins with the time: so its primary key stays the id alone
    audit_events  by `at`; the primary key, chain and number, is each partition's own

Months are those of UTC and are made ahead. Before them lies what there was when the tables were
cut up; beside them, by default, the rows of a month that nobody made, which is sound and told by
`sscard doctor`. What is made takes locks that nobody who scans waits for; only whoever reads the
rows by default can be in the way, and then it is tried again later.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from card_core.store import ids
from card_core.store.database import Reader

MONTHS_AHEAD: Final = 2
# Whoever comes behind us in the queue for a lock waits no longer than this.
WAIT_MS: Final = 300
COUNTED_MAX: Final = 10_000
# One at a time makes partitions or upgrades; any number will do that nothing else uses.
ADVISORY_LOCK: Final = 0x5353_4341_5244

_BOUNDS = re.compile(r"FROM \((.+?)\) TO \((.+?)\)")
_RANGES = text(
    "SELECT pg_get_expr(part.relpartbound, part.oid) "
    "FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid "
    "WHERE inhparent = CAST(:name AS regclass)"
)
_BEHIND_ALL = "~"


@dataclass(frozen=True, slots=True)
class Partitioned:
    """column: what it is cut by. bound: an instant as the server writes it in the column; sorted,
    bounds are in the order of time. instant: of a value of the column. own_key: of each partition,
    where the table itself has none."""

    name: str
    column: str
    bound: Callable[[datetime], str]
    instant: Callable[[Any], datetime]
    own_key: str = ""

    @property
    def default(self) -> str:
        return f"{self.name}_default"


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00"


def _itself(at: datetime) -> datetime:
    return at


PARTITIONED: Final = (
    Partitioned("scans", "id", ids.earliest, ids.made_at),
    Partitioned("audit_events", "at", _written, _itself, own_key="chain, seq"),
)


def make_ahead(engine: Engine, now: datetime) -> list[str]:
    """Make what is lacking of the last month, this one and MONTHS_AHEAD more; the names of those.

    Each in a transaction of its own, and nothing while another process is at it. A month of which
    rows lie in the partition by default is left to `make_all`. now: aware.
    Raises sqlalchemy.exc.OperationalError where a lock was not had within WAIT_MS.
    """
    if engine.dialect.name == "sqlite":
        return []
    made = []
    for table in PARTITIONED:
        for month in _months(now):
            with engine.begin() as connection:
                _run(connection, f"SET LOCAL lock_timeout = {WAIT_MS}")
                if (
                    _comes_first(connection)
                    and not _is_covered(connection, table, month)
                    and not _has_rows(connection, table, month)
                ):
                    made.append(_make(connection, table, month))
    return made


def make_all(connection: Connection, now: datetime) -> None:
    """As `make_ahead`, in the transaction of an upgrade, under its lock: what lies in a partition
    by default goes into its months, however many they are."""
    if connection.dialect.name == "sqlite":
        return
    for table in PARTITIONED:
        if not _uncovered(connection, table, now):
            continue
        _run(connection, f"LOCK TABLE {table.default} IN ACCESS EXCLUSIVE MODE")
        for month in _uncovered(connection, table, now):
            _make(connection, table, month, takes_rows=True)


def lacking(tx: Reader, now: datetime) -> list[str]:
    """The partitions that should be there by now and are not, as the names they would have."""
    if tx.is_sqlite:
        return []
    return [
        _name(table, month)
        for table in PARTITIONED
        for month in _months(now)
        if not _is_covered(tx.connection, table, month)
    ]


def rows_by_default(tx: Reader) -> dict[str, int]:
    """How many rows, COUNTED_MAX at most, lie in no month's partition, by table; none for none."""
    if tx.is_sqlite:
        return {}
    counted = {
        table.name: tx.connection.scalar(
            text(f"SELECT count(*) FROM (SELECT FROM {table.default} LIMIT {COUNTED_MAX}) AS part")  # noqa: S608 - names of the schema
        )
        for table in PARTITIONED
    }
    return {name: count for name, count in counted.items() if count}


def _months(now: datetime) -> Iterator[datetime]:
    """The first instants of the last month, this one and those ahead: what is recorded now may
    have been asked for in the last."""
    month = _first(_first(now) - timedelta(days=1))
    for _ in range(MONTHS_AHEAD + 2):
        yield month
        month = _next(month)


def _first(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _next(month: datetime) -> datetime:
    return _first(month + timedelta(days=31))


def _uncovered(connection: Connection, table: Partitioned, now: datetime) -> list[datetime]:
    """The months that should have a partition, or have rows in the one by default, in order."""
    wanted = {*_months(now), *_months_by_default(connection, table)}
    return [month for month in sorted(wanted) if not _is_covered(connection, table, month)]


def _name(table: Partitioned, month: datetime) -> str:
    return f"{table.name}_{month:%Y_%m}"


def _comes_first(connection: Connection) -> bool:
    """Whether nobody else makes partitions or upgrades, from here to the end of the transaction."""
    return bool(
        connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
    )


def _is_covered(connection: Connection, table: Partitioned, month: datetime) -> bool:
    """Whether any of the month lies in a partition, whoever made it and whatever its name."""
    first, behind = table.bound(month), table.bound(_next(month))
    return any(start < behind and first < end for start, end in _ranges(connection, table))


def _ranges(connection: Connection, table: Partitioned) -> list[tuple[str, str]]:
    """From where to where the partitions reach, the one by default aside."""
    # Instants are written as the session has it.
    _run(connection, "SET LOCAL timezone = 'UTC'")
    _run(connection, "SET LOCAL datestyle = 'ISO'")
    written = connection.execute(_RANGES, {"name": table.name}).scalars()
    found = (_BOUNDS.search(one) for one in written)
    return [(_bound(one[1]), _bound(one[2])) for one in found if one is not None]


def _bound(written: str) -> str:
    return {"MINVALUE": "", "MAXVALUE": _BEHIND_ALL}.get(written, written.strip("'"))


def _within(table: Partitioned, month: datetime) -> str:
    first, behind = table.bound(month), table.bound(_next(month))
    return f"{table.column} >= '{first}' AND {table.column} < '{behind}'"


def _has_rows(connection: Connection, table: Partitioned, month: datetime) -> bool:
    """Of the month, in the partition by default."""
    statement = f"SELECT EXISTS (SELECT FROM {table.default} WHERE {_within(table, month)})"  # noqa: S608 - names of the schema
    return bool(connection.scalar(text(statement)))


def _months_by_default(connection: Connection, table: Partitioned) -> Iterator[datetime]:
    """Those of which there are rows in the partition by default, the first first."""
    statement = f"SELECT min({table.column}) FROM {table.default}"  # noqa: S608 - names of the schema
    least = connection.scalar(text(statement))
    while least is not None:
        month = _first(table.instant(least))
        yield month
        behind = f" WHERE {table.column} >= '{table.bound(_next(month))}'"
        least = connection.scalar(text(statement + behind))


def _make(
    connection: Connection, table: Partitioned, month: datetime, *, takes_rows: bool = False
) -> str:
    """Make a month's partition; its name. takes_rows: from the one by default, which is locked.

    To create it apart and attach it locks the table against other changes of its structure alone;
    to create it in place would stop everybody.
    """
    name = _name(table, month)
    key = f", PRIMARY KEY ({table.own_key})" if table.own_key else ""
    _run(connection, f"CREATE TABLE {name} (LIKE {table.name} INCLUDING ALL{key})")
    if takes_rows:
        _run(
            connection,
            f"WITH gone AS (DELETE FROM {table.default} WHERE {_within(table, month)} RETURNING *) "  # noqa: S608 - names of the schema
            f"INSERT INTO {name} SELECT * FROM gone",
        )
    _run(
        connection,
        f"ALTER TABLE {table.name} ATTACH PARTITION {name} "
        f"FOR VALUES FROM ('{table.bound(month)}') TO ('{table.bound(_next(month))}')",
    )
    return name


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
