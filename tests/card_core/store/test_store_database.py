"""Opening a database, what its transactions promise, and how its failures look from outside."""

import os
import socket
import sqlite3
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bureau import Bureau, make_cipher
from servers.databases import SQLiteDatabases
from servers.postgresql import PostgreSQLServer
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, StatementError
from stream_proxy import StreamProxy

from card_core.errors import StoreBusyError, StoreConflictError
from card_core.store import Store, Transaction, cards, database, open_store
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import code_box_keys, proofs

LATER = datetime(2030, 1, 1, tzinfo=UTC)
PROOF = {"actor_kind": "holder", "actor_id": "outer", "nonce": bytes(16), "expires_at": LATER}
BOX_KEY = {"day": LATER.date(), "wrapped": bytes(44), "created_at": LATER}


class BrokenError(Exception):
    """What the tests break a transaction with."""


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/x", "postgres-ish"]
)
def test_a_database_that_promises_nothing_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="database URL"):
        open_store(url, cipher=make_cipher())


def test_a_postgresql_that_is_gone_without_a_word_is_not_waited_for(
    postgresql: PostgreSQLServer,
) -> None:
    """The system's own time-outs, which no test can wait for without taking a network away."""
    url = postgresql.url(postgresql.create())
    with StreamProxy.running(postgresql.socket) as proxy:
        over_tcp = url.replace("@/", f"@127.0.0.1:{proxy.port}/").split("?")[0]
        store = open_store(over_tcp, cipher=make_cipher())
        with store.read() as tx:
            number = tx.connection.connection.fileno()  # type: ignore[attr-defined]
            with socket.socket(fileno=os.dup(number)) as line:
                options = [
                    line.getsockopt(level, option)
                    for level, option in (
                        (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
                        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
                        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
                    )
                ]
        store.close()
    assert options == [1, 10_000, 4, 2, 3]


def test_what_is_committed_survives_a_loss_of_power(store: Store) -> None:
    """SQLite: as this program sets it. PostgreSQL: as it comes; nothing here weakens it."""
    with store.write() as tx:
        if tx.connection.dialect.name == "sqlite":
            settings = [
                tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
            assert settings == ["wal", 2, 1]
        else:
            changed = tx.connection.execute(
                text(
                    "SELECT name FROM pg_settings WHERE source IN ('session', 'client')"
                    " AND name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
                )
            ).all()
            assert changed == []


def insert_and_break(tx: Transaction) -> None:
    tx.connection.execute(insert(proofs).values(**{**PROOF, "actor_id": "inner"}))
    tx.changed.append(("cards", "inner", 2))
    raise BrokenError


def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    with pytest.raises(BrokenError), store.write() as tx:
        insert_and_break(tx)
    with store.read() as tx:
        assert tx.connection.execute(select(proofs)).all() == []


def test_a_savepoint_undoes_what_was_inside_alone(store: Store) -> None:
    with store.write() as tx:
        tx.connection.execute(insert(proofs).values(**PROOF))
        tx.changed.append(("cards", "outer", 2))
        with pytest.raises(BrokenError), tx.savepoint():
            insert_and_break(tx)
        assert tx.changed == [("cards", "outer", 2)]
    with store.read() as tx:
        assert tx.connection.execute(select(proofs.c.actor_id)).scalars().all() == ["outer"]


def test_an_instant_without_a_zone_is_refused(store: Store) -> None:
    row = {"actor_kind": "holder", "actor_id": "x", "nonce": bytes(16)}
    with pytest.raises(StatementError, match="time zone"), store.write() as tx:
        tx.connection.execute(insert(proofs).values(**row, expires_at=LATER.replace(tzinfo=None)))


def test_a_reader_reads_one_snapshot(bureau: Bureau) -> None:
    with bureau.store.read() as tx:
        before = len(cards.page(tx))
        other = threading.Thread(target=bureau.issued_cards, args=(2,))
        other.start()
        other.join()
        assert len(cards.page(tx)) == before
    with bureau.store.read() as tx:
        assert len(cards.page(tx)) == before + 2


def test_a_reader_writes_nothing(store: Store) -> None:
    with store.read() as tx, pytest.raises(DBAPIError, match=r"read-?only"):
        tx.connection.execute(insert(code_box_keys).values(**BOX_KEY))
    with store.write() as tx:
        assert tx.connection.execute(select(code_box_keys)).all() == []


def test_a_lost_race_for_a_unique_value_is_a_conflict(store: Store) -> None:
    with store.write() as tx:
        tx.connection.execute(insert(code_box_keys).values(**BOX_KEY))
    with pytest.raises(StoreConflictError), store.write() as tx:
        tx.connection.execute(insert(code_box_keys).values(**BOX_KEY))


@contextmanager
def held(url: str) -> Iterator[None]:
    """Another process holds the database's only right to write."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def test_a_database_that_another_holds_is_busy_and_then_serves_again(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.05)
    store = open_store(sqlite_url, cipher=make_cipher())
    with held(sqlite_url), pytest.raises(StoreBusyError), store.write():
        pass
    with store.write() as tx:
        assert tx.connection.execute(select(proofs)).all() == []
    store.close()


def test_writers_of_one_process_queue_and_the_last_gives_up_in_time(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.05)
    store = open_store(sqlite_url, cipher=make_cipher())
    with store.write():
        outcome: list[str] = []

        def write() -> None:
            try:
                with store.write():
                    outcome.append("wrote")
            except StoreBusyError as error:
                outcome.append(error.code)

        other = threading.Thread(target=write)
        other.start()
        other.join()
    assert outcome == ["store_busy"]
    store.close()


@pytest.fixture
def sqlite_url(sqlite_databases: SQLiteDatabases, tmp_path: Path) -> str:
    return sqlite_databases.fresh(tmp_path, with_bureau=False)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nonexistent/directory/bureau.db",
        "postgresql://nobody@/nothing?host=/nonexistent",
    ],
)
def test_a_database_out_of_reach_is_busy(url: str) -> None:
    store = open_store(url, cipher=make_cipher())
    for attempt in (store.read, store.write):
        with pytest.raises(StoreBusyError), attempt() as tx:
            tx.connection.execute(text("SELECT 1"))


def test_errors_show_no_values(store: Store) -> None:
    secret = "440604198001011008"
    with store.write() as tx:
        statement = text("SELECT :number FROM no_such_table")
        with pytest.raises(DBAPIError) as raised:
            tx.connection.execute(statement, {"number": secret})
    shown = "".join(traceback.format_exception(raised.value))
    assert "no_such_table" in shown
    assert secret not in shown


@pytest.mark.parametrize("limit", [0, -1, PAGE_SIZE_MAX + 1])
def test_a_page_out_of_its_limits_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="page"):
        check_limit(limit)


def test_pages_follow_each_other_without_a_gap(bureau: Bureau) -> None:
    with bureau.store.read() as tx:
        everything = cards.page(tx)
        paged = []
        while page := cards.page(tx, after=paged[-1].id if paged else "", limit=3):
            paged += page
    assert paged == everything
    assert len(paged) > 3
