"""Databases to test on: an empty one, or one with a bureau set up, copied from a prepared one.

Setting a bureau up takes a hundred transactions; copying one takes a few. The bureau itself is
made through the kernel like any other, once for each kind of database. One engine serves all tests
of a process: what SQLAlchemy has compiled once, it need not compile for each test anew.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from bureau import BOX_WRAP_KEY, Bureau, Clock, SeededBytes, make_cipher, make_grants
from servers.postgresql import PostgreSQLServer
from sqlalchemy import (
    Column,
    Executable,
    MetaData,
    Table,
    delete,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateSchema, CreateTable

from card_core.kernel import BoxKeyWrap, Kernel
from card_core.store import FieldCipher, Store, open_store, schema

PEOPLE = 8
# Connections to PostgreSQL that wait for the next test; one that needed many is an exception.
KEPT = 3
_PREPARED = {
    table: Table(
        table.name,
        MetaData(schema="prepared"),
        *(Column(column.name, column.type) for column in table.columns),
    )
    for table in schema.metadata.sorted_tables
}


def _function(name: str, statements: Iterable[Executable]) -> bytes:
    """What runs them on the server, which then plans them once for all calls of a session."""
    body = ";".join(str(one.compile(dialect=postgresql.dialect())) for one in statements)
    head = f"CREATE FUNCTION prepared.{name}() RETURNS void LANGUAGE plpgsql"
    return f"{head} AS $$ BEGIN {body}; END $$".encode()


# For tables this small, DELETE is many times faster than TRUNCATE: no files are made. Rows come
# from a copy in which every reference held, so nobody need look each of them up again.
_UNCHECKED = "SET session_replication_role = replica"
_EMPTY = _function("empty", (delete(table) for table in reversed(schema.metadata.sorted_tables)))
_FILL = _function(
    "fill",
    (
        insert(table).from_select(table.columns, select(prepared))
        for table, prepared in _PREPARED.items()
    ),
)


class SQLiteDatabases:
    """directory: for the prepared files, and for the database of one test after the other."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._empty = directory / "empty.db"
        self._prepared = directory / "prepared.db"
        _upgrade(f"sqlite:///{self._empty}")
        shutil.copy(self._empty, self._prepared)
        self.bureau = _set_up(f"sqlite:///{self._prepared}")
        self._engine = open_store(_url_in(directory), cipher=make_cipher())._engine

    def fresh(self, directory: Path | None = None, *, with_bureau: bool) -> str:
        """The URL of a new copy, the one that `opened` opens unless it has its own directory."""
        url = _url_in(directory or self._directory)
        path = url.removeprefix("sqlite:///")
        for left in (path, f"{path}-wal", f"{path}-shm"):
            Path(left).unlink(missing_ok=True)
        shutil.copy(self._prepared if with_bureau else self._empty, path)
        return url

    @contextmanager
    def opened(self, cipher: FieldCipher) -> Iterator[Store]:
        yield Store(self._engine, cipher)
        self._engine.dispose()


class PostgreSQLDatabases:
    """One database, emptied and filled again for each test; its copy of the bureau is a schema."""

    def __init__(self, server: PostgreSQLServer) -> None:
        self._url = server.url(server.create())
        _upgrade(self._url)
        self.bureau = _set_up(self._url)
        self._engine = open_store(self._url, cipher=make_cipher())._engine
        with self._engine.begin() as connection:
            connection.execute(CreateSchema("prepared"))
            for table, prepared in _PREPARED.items():
                connection.execute(CreateTable(prepared))
                connection.execute(insert(prepared).from_select(table.columns, select(table)))
        self._session = psycopg.connect(self._url, autocommit=True)
        for statement in (_EMPTY, _FILL, _UNCHECKED):
            self._session.execute(statement)

    def fresh(self, _: Path | None = None, *, with_bureau: bool) -> str:
        filled = ", prepared.fill()" if with_bureau else ""
        self._session.execute(f"SELECT prepared.empty(){filled}".encode())
        return self._url

    @contextmanager
    def opened(self, cipher: FieldCipher) -> Iterator[Store]:
        yield Store(self._engine, cipher)
        # Those of a test that failed may be in use still.
        if self._engine.pool.checkedout() or self._engine.pool.checkedin() > KEPT:
            self._engine.dispose()

    def close(self) -> None:
        self._session.close()
        self._engine.dispose()


Databases = SQLiteDatabases | PostgreSQLDatabases


def _url_in(directory: Path) -> str:
    return f"sqlite:///{directory / 'bureau.db'}"


def _upgrade(url: str) -> None:
    store = open_store(url, cipher=make_cipher())
    store.upgrade()
    store.close()


def _set_up(url: str) -> Bureau:
    store, clock = open_store(url, cipher=make_cipher()), Clock()
    kernel = Kernel(
        store,
        clock=clock,
        random_bytes=SeededBytes(b"prepared"),
        box_key_wrap=BoxKeyWrap(BOX_WRAP_KEY),
        grants=make_grants(store, clock),
    )
    bureau = Bureau.set_up(kernel, clock, people=PEOPLE)
    store.close()
    return bureau
