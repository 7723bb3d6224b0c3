"""Opening a database, and the two kinds of transaction on it.

SQLite: WAL, synchronous FULL, and BEGIN IMMEDIATE for whatever writes, so that a transaction never
finds out halfway that it has to give way. Writers of one process queue at a gate, since SQLite's
own waiting is by sleeping and starves somebody under load; other processes wait by busy_timeout.
PostgreSQL: READ COMMITTED with locks on what decides (`Transaction.lock`) for whatever writes,
REPEATABLE READ for what only reads.
"""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import IntEnum
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from card_core.errors import StoreBusyError, StoreConflictError
from card_core.store import revision
from card_core.store.cipher import FieldCipher
from card_core.store.gate import Gate
from card_core.store.integrity import Integrity
from crypto import sm3

WAIT_SECONDS = 10
# How old a process's knowledge of the field key that seals may be when it begins to write.
FIELD_KEY_AGE_SECONDS = 2.0
# Of each kind, readers and writers, in one process.
CONNECTIONS = 16
URL_EXPECTED = "the database URL must begin with sqlite:/// and a path, or postgresql://"

# Serialisation failure and deadlock: the same transaction may succeed when it is tried again.
_RETRY_SQLSTATES = frozenset({"40001", "40P01"})


class Lock(IntEnum):
    """What is locked until the transaction ends; a higher lock includes the lower one."""

    NONE = 0
    SHARED = 1  # nobody may change it
    OWN = 2  # nobody else may lock it


_LOCK_STATEMENTS = {
    Lock.SHARED: "SELECT pg_advisory_xact_lock_shared(key) FROM unnest(%s::bigint[]) AS key",
    Lock.OWN: "SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key",
}


class Reader:
    """One open transaction that reads."""

    def __init__(
        self, connection: Connection, cipher: FieldCipher, integrity: Integrity, edition: int
    ) -> None:
        """edition: of `integrity`, from before anything was read."""
        self.connection = connection
        self.cipher = cipher
        self.integrity = integrity
        self.edition = edition
        self._number_indexes: dict[str, bytes] = {}

    def number_index(self, number: str) -> bytes:
        """The blind index that a social security number is found by; known until the transaction
        ends, since each row of a roster is looked for in five places."""
        index = self._number_indexes.get(number)
        if index is None:
            index = self.cipher.blind_index("social_security_number", number)
            self._number_indexes[number] = index
        return index

    @property
    def is_sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"

    def run(self, sql: str, values: Sequence[Any] = (), many: bool = False) -> Any:
        """Run a statement on a cursor of the driver's own, and return it for its rows.

        For what every scan runs: SQLAlchemy takes 100 to 200 us of a statement, the driver 35. The
        text is one that stays the same, and values and rows are as the driver has them.
        many: hundreds of rows come, which PostgreSQL then sends in binary, as bytes are.
        """
        form = {"binary": True} if many and not self.is_sqlite else {}
        cursor = self.connection.connection.cursor(**form)
        cursor.execute(sql, values)
        return cursor

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run a statement that gives no rows once for each of these; how many rows it changed."""
        cursor = self.connection.connection.cursor()
        cursor.executemany(sql, rows)
        return cursor.rowcount

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is `run` inside goes to the server in one trip, unless rows are read on the way.

        Their rows may be read afterwards. Nothing else may use the connection inside.
        """
        if self.is_sqlite:
            yield
            return
        driver: Any = self.connection.connection.driver_connection
        with driver.pipeline():
            yield

    def lock(self, thing: str, lock: Lock) -> None:
        """Only a transaction that writes holds locks; the others read one snapshot."""
        raise TypeError(f"{thing} can't be locked ({lock.name}) in a transaction that reads")


class Transaction(Reader):
    """One open transaction that writes.

    changed: the rows that decide and were changed, as (table, id, version). made: how many rows
    that decide were added, by table.
    """

    def __init__(
        self, connection: Connection, cipher: FieldCipher, integrity: Integrity, edition: int
    ) -> None:
        super().__init__(connection, cipher, integrity, edition)
        self.changed: list[tuple[str, str, int]] = []
        self.made: Counter[str] = Counter()
        self._held: dict[str, Lock] = {}

    def lock(self, thing: str, lock: Lock) -> None:
        """Lock a thing by its name, such as "cards/<id>", before it is read.

        PostgreSQL's advisory locks queue in order, which its row locks don't: there whoever wants a
        row alone waits for as long as new readers share it, and suspending a busy terminal, or
        reporting a card lost while it is being scanned, might never come through.
        On SQLite one transaction writes at a time, and there is nothing to do.
        Raises StoreBusyError after WAIT_SECONDS; StoreConflictError for a deadlock.
        """
        self.lock_all((thing,), lock)

    def lock_all(self, things: Iterable[str], lock: Lock) -> None:
        """Lock many things in one statement, in an order that is the same for everybody."""
        if self.is_sqlite:
            return
        new = {thing for thing in things if self._held.get(thing, Lock.NONE) < lock}
        if not new:
            return
        keys = ",".join(map(str, sorted(map(_lock_key, new))))
        self.run(_LOCK_STATEMENTS[lock], (f"{{{keys}}}",))
        self._held.update(dict.fromkeys(new, lock))

    def copy(self, sql: str, rows: bytes) -> None:
        """Run PostgreSQL's COPY FROM STDIN with these rows, written as the statement says."""
        cursor: Any = self.connection.connection.cursor()
        with cursor.copy(sql) as copy:
            copy.write(rows)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What happens inside is undone if it raises; the transaction itself goes on."""
        changed, made, held = list(self.changed), self.made.copy(), dict(self._held)
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            self.changed, self.made, self._held = changed, made, held
            raise


class Store:
    """A database and the keys to read it.

    integrity: of its rows, as far as this process knows. writers_max: transactions that write at a
    time; others wait for their turn.
    """

    def __init__(
        self,
        engine: Engine,
        cipher: FieldCipher,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._field_key_known_at = float("-inf")
        self._writing = engine.execution_options(sscard_writes=True)
        # One snapshot for all that a reader reads, as SQLite gives it anyway.
        self._reading = (
            engine
            if engine.dialect.name == "sqlite"
            else engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        )
        self.cipher = cipher
        self.integrity = Integrity()
        self.writers_max = 1 if engine.dialect.name == "sqlite" else CONNECTIONS
        self._writers = Gate(self.writers_max)
        self._readers = Gate(CONNECTIONS)

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A transaction that reads. Raises StoreBusyError."""
        edition = self.integrity.edition
        with (
            _translated(self._reading),
            self._readers.passed(WAIT_SECONDS),
            self._reading.connect() as connection,
        ):
            yield Reader(connection, self.cipher, self.integrity, edition)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that writes: commits at the end, undoes everything if anything raises.

        Raises StoreBusyError; StoreConflictError where trying again may help.
        """
        edition = self.integrity.edition
        with (
            _translated(self._writing),
            self._writers.passed(WAIT_SECONDS),
            self._writing.begin() as connection,
        ):
            transaction = Transaction(connection, self.cipher, self.integrity, edition)
            self._follow_field_key(transaction)
            yield transaction
        # This process knows at once, the others when they have read the log.
        self.integrity.note(transaction.changed)

    def _follow_field_key(self, tx: Transaction) -> None:
        """Before anything is written: so a version that was retired seals nothing soon after."""
        now = self._monotonic()
        if now - self._field_key_known_at < FIELD_KEY_AGE_SECONDS:
            return
        from card_core.store import field_keys  # noqa: PLC0415 - it stands on this module

        field_keys.follow(tx)
        self._field_key_known_at = now

    def upgrade(self) -> None:
        """Bring the schema to this program's version; several processes may call it at once."""
        with _translated(self._writing), self._writers.passed(WAIT_SECONDS):
            from card_core.store import migration  # noqa: PLC0415 - only here Alembic is needed

            migration.upgrade(self._writing)

    def make_partitions(self, now: datetime) -> list[str]:
        """Make the partitions of the months to come (`partitions`), where they are lacking; their
        names. Raises StoreBusyError where somebody is in the way: it is to be tried again later."""
        with _translated(self._writing), self._writers.passed(WAIT_SECONDS):
            from card_core.store import partitions  # noqa: PLC0415 - it stands on this module

            return partitions.make_ahead(self._writing, now)

    def has_schema(self) -> bool:
        """Whether `upgrade` was ever done here, by whatever version. Raises StoreBusyError."""
        with _translated(self._engine), self._engine.connect() as connection:
            return revision.of_database(connection) is not None

    def is_current(self) -> bool:
        """Whether the schema is this program's version. Raises StoreBusyError."""
        with _translated(self._engine), self._engine.connect() as connection:
            return revision.of_database(connection) == revision.of_program()

    def close(self) -> None:
        self._engine.dispose()


def open_store(url: str, *, cipher: FieldCipher) -> Store:
    """Open `sqlite:///path` or `postgresql://...`; nothing is connected before it is used.

    Raises ValueError for another kind of database, or for SQLite in memory, which has no
    durability to promise.
    """
    try:
        parsed = sqlalchemy.make_url(url)
    except ArgumentError:
        raise ValueError(URL_EXPECTED) from None  # the original repeats the URL and its password
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return Store(_sqlite_engine(parsed), cipher)
        case "postgresql":
            return Store(_postgresql_engine(parsed), cipher)
    raise ValueError(URL_EXPECTED)


def _sqlite_engine(url: sqlalchemy.URL) -> Engine:
    engine = sqlalchemy.create_engine(
        url.set(drivername="sqlite+pysqlite"),
        hide_parameters=True,
        pool_size=2 * CONNECTIONS,
        pool_timeout=WAIT_SECONDS,
        connect_args={"timeout": WAIT_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _: Any) -> None:
        # None: this driver must not begin transactions by itself, `begin` below does.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("sscard_writes")
        connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql_engine(url: sqlalchemy.URL) -> Engine:
    return sqlalchemy.create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_size=2 * CONNECTIONS,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": WAIT_SECONDS,
            # A server that is gone without a word, its machine or the network with it, is noticed
            # about as soon: by what was sent and not taken, or by probes where nothing was.
            "tcp_user_timeout": WAIT_SECONDS * 1000,
            "keepalives_idle": 4,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "options": f"-c timezone=UTC -c lock_timeout={WAIT_SECONDS}s",
        },
    )


def _lock_key(thing: str) -> int:
    return int.from_bytes(sm3.digest(thing.encode())[:8], signed=True)


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    """Turn the driver's errors into ours; the original, with its SQL, stays out of the message.

    They come wrapped by SQLAlchemy, or bare: from `Reader.run`, and from setting up a connection.
    The engine knows the driver, so that a bureau on SQLite need not load PostgreSQL's.
    """
    driver: Any = engine.dialect.loaded_dbapi
    try:
        yield
    except IntegrityError as error:
        raise StoreConflictError from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _RETRY_SQLSTATES:
            raise StoreConflictError from error
        if isinstance(error, OperationalError) or error.connection_invalidated:
            raise StoreBusyError from error
        raise
    except driver.IntegrityError as error:
        raise StoreConflictError from error
    except driver.Error as error:
        if getattr(error, "sqlstate", None) in _RETRY_SQLSTATES:
            raise StoreConflictError from error
        if isinstance(error, (driver.OperationalError, driver.InterfaceError)):
            raise StoreBusyError from error
        raise
    except PoolTimeoutError as error:
        raise StoreBusyError from error
