"""The migrations and the tables say the same, on both databases, and run once."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from bureau import make_cipher
from servers.postgresql import PostgreSQLServer
from sqlalchemy import inspect, text

from card_core.errors import SchemaOutdatedError
from card_core.store import Reader, Store, open_store, partitions
from card_core.store.schema import GUARDED, metadata

ROOT = Path(__file__).parents[3]
OWN_KEYS = {table.name for table in partitions.PARTITIONED if table.own_key}


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with no table at all."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'blank.db'}"
    server: PostgreSQLServer = request.getfixturevalue("postgresql")
    return server.url(server.create())


def test_migrations_and_tables_say_the_same(store: Store) -> None:
    with store.read() as tx:
        found = inspect(tx.connection)
        parts = partitions_of(tx)
        context = MigrationContext.configure(
            tx.connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "table" or name not in parts,
            },
        )
        assert compare_metadata(context, metadata) == []
        for table in metadata.sorted_tables:
            made = {
                (index["name"], tuple(index["column_names"]), bool(index["unique"]))
                for index in found.get_indexes(table.name)
                if not index.get("duplicates_constraint")
            }
            wanted = {
                (index.name, tuple(column.name for column in index.columns), index.unique)
                for index in table.indexes
            }
            assert made == wanted, table.name
            wanted_key = [column.name for column in table.primary_key]
            holders = [table.name]
            if table.name in OWN_KEYS and parts:
                holders = [name for name in parts if name.startswith(table.name)]
                assert len(holders) > partitions.MONTHS_AHEAD
            for name in holders:
                assert found.get_pk_constraint(name)["constrained_columns"] == wanted_key, name


def partitions_of(tx: Reader) -> set[str]:
    """Tables that are parts of others."""
    if tx.is_sqlite:
        return set()
    statement = text(
        "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class ON "
        "pg_class.oid = inhrelid WHERE relkind = 'r'"
    )
    return set(tx.connection.execute(statement).scalars())


def test_partial_indexes_are_partial(store: Store) -> None:
    with store.read() as tx:
        found = inspect(tx.connection)
        where = {
            index["name"]: " ".join(str(one) for one in index["dialect_options"].values())
            for table in ("cards", "applications", "stock_cards")
            for index in found.get_indexes(table)
            if str(index["name"]).startswith("uq_")
        }
    assert "cancelled" in where["uq_cards_live"]
    assert "open" in where["uq_applications_open"]
    for name in ("uq_stock_cards_card_number", "uq_stock_cards_code_index"):
        assert "open" in where[name]
        assert "taken" in where[name]


def test_a_blank_database_is_not_current_until_it_is_upgraded(blank_url: str) -> None:
    store = open_store(blank_url, cipher=make_cipher())
    assert not store.is_current()
    store.upgrade()
    store.upgrade()
    assert store.is_current()
    store.close()


def test_processes_that_upgrade_at_once_do_not_disturb_each_other(blank_url: str) -> None:
    program = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from bureau import make_cipher\n"
        "from card_core.store import open_store\n"
        "open_store(sys.argv[1], cipher=make_cipher()).upgrade()\n"
    )
    command = [sys.executable, "-c", program, blank_url, str(ROOT), str(ROOT / "tests")]
    workers = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors.decode()[-2000:]
    store = open_store(blank_url, cipher=make_cipher())
    assert store.is_current()
    store.close()


def test_a_database_newer_than_this_program_is_refused(blank_url: str) -> None:
    store = open_store(blank_url, cipher=make_cipher())
    store.upgrade()
    with store.write() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not store.is_current()
    with pytest.raises(SchemaOutdatedError):
        store.upgrade()
    store.close()


def test_guarded_tables_have_a_version_and_a_mac_and_no_other_has() -> None:
    for table in metadata.sorted_tables:
        columns = {column.name for column in table.columns}
        assert ({"version", "mac"} <= columns) == (table in GUARDED), table.name
