"""Databases to test on: an empty one, or one with a bureau set up, copied from a prepared one.

Setting a bureau up takes a hundred transactions; copying one takes a few. The bureau itself is
made through the kernel like any other, once for each kind of database.
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
    Connection,
    Executable,
    MetaData,
    Table,
    create_engine,
    delete,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateSchema, CreateTable

from card_core.kernel import BoxKeyWrap, Kernel
from card_core.store import open_store, schema

PEOPLE = 8
_PREPARED = {
    table: Table(
        table.name,
        MetaData(schema="prepared"),
        *(Column(column.name, column.type) for column in table.columns),
    )
    for table in schema.metadata.sorted_tables
}


def _script(statements: Iterable[Executable]) -> bytes:
    """As one text, which a server takes at once."""
    return ";".join(str(one.compile(dialect=postgresql.dialect())) for one in statements).encode()


# For tables this small, DELETE is many times faster than TRUNCATE: no files are made. Rows come
# from a copy in which every reference held, so nobody need look each of them up again.
_UNCHECKED = b"SET session_replication_role = replica;"
_EMPTY = _script(delete(table) for table in reversed(_PREPARED))
_FILL = _script(
    insert(table).from_select(table.columns, select(prepared))
    for table, prepared in _PREPARED.items()
)


class SQLiteDatabases:
    """directory: for the prepared files."""

    def __init__(self, directory: Path) -> None:
        self._empty = directory / "empty.db"
        self._prepared = directory / "prepared.db"
        _upgrade(f"sqlite:///{self._empty}")
        shutil.copy(self._empty, self._prepared)
        self.bureau = _set_up(f"sqlite:///{self._prepared}")

    def fresh(self, directory: Path, *, with_bureau: bool) -> str:
        """The URL of a new copy."""
        path = directory / "bureau.db"
        shutil.copy(self._prepared if with_bureau else self._empty, path)
        return f"sqlite:///{path}"


class PostgreSQLDatabases:
    """One database, emptied and filled again for each test; its copy of the bureau is a schema."""

    def __init__(self, server: PostgreSQLServer) -> None:
        self._url = server.url(server.create())
        _upgrade(self._url)
        self.bureau = _set_up(self._url)
        with self._open() as connection:
            connection.execute(CreateSchema("prepared"))
            for table, prepared in _PREPARED.items():
                connection.execute(CreateTable(prepared))
                connection.execute(insert(prepared).from_select(table.columns, select(table)))

    def fresh(self, _: Path, *, with_bureau: bool) -> str:
        with psycopg.connect(self._url) as connection:
            connection.execute(_UNCHECKED + _EMPTY)
            if with_bureau:
                connection.execute(_FILL)
        return self._url

    @contextmanager
    def _open(self) -> Iterator[Connection]:
        engine = create_engine(self._url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            yield connection
        engine.dispose()


Databases = SQLiteDatabases | PostgreSQLDatabases


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
