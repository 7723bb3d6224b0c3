"""Scans and the audit log by months on PostgreSQL: where rows go, who makes the months, what is
opened to read them."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from bureau import SeededBytes, make_cipher
from servers.postgresql import PostgreSQLServer
from sqlalchemy import Connection, insert, text

from card_core.errors import AuditChainError, StoreBusyError
from card_core.store import Reader, Store, audit, ids, migration, open_store
from card_core.store import partitions as made_by
from card_core.store import scans as stored
from card_core.store.audit import Event
from card_core.store.scans import IDS_SHARED, Scan
from card_core.store.schema import audit_events
from card_core.verdicts import Reason

BEFORE = "0019"
TERMINAL, HOLDER = "a" * 32, "b" * 32
GROUP = 3
RANDOM = SeededBytes(b"partitions")
MILLISECOND = timedelta(milliseconds=1)


def first_of_month(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


# A month that begins far behind those that an upgrade makes.
TODAY = datetime.now(UTC)
MONTH = first_of_month(TODAY + timedelta(days=300))
NEXT_MONTH = first_of_month(MONTH + timedelta(days=40))


@pytest.fixture
def old_store(postgresql: PostgreSQLServer) -> Iterator[Store]:
    """A database from before there were partitions."""
    opened = open_store(postgresql.url(postgresql.create()), cipher=make_cipher())
    with opened._writing.begin() as connection:
        config = migration._config()
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def upgraded(postgresql: PostgreSQLServer) -> str:
    name = postgresql.create()
    opened = open_store(postgresql.url(name), cipher=make_cipher())
    opened.upgrade()
    opened.close()
    return name


@pytest.fixture
def store(postgresql: PostgreSQLServer, upgraded: str) -> Iterator[Store]:
    """Of its own: partitions that a test makes stay in a database."""
    opened = open_store(postgresql.url(postgresql.create(upgraded)), cipher=make_cipher())
    yield opened
    opened.close()


def record(store: Store, *instants: datetime, terminal: str = TERMINAL) -> list[str]:
    """A group of scans with its audit event at each instant; the ids of all."""
    found = []
    with store.write() as tx:
        for at in instants:
            group = ids.make_ids(at, GROUP, RANDOM)
            digest = stored.add_group(tx, [scan(one, at, terminal) for one in group])
            audit.append(tx, "scan", event(at, group[0][:IDS_SHARED], digest))
            found += group
    return found


def scan(scan_id: str, at: datetime, terminal: str) -> Scan:
    reason = Reason.ACCEPTED
    return Scan(
        scan_id, at, terminal, "c" * 32, HOLDER, "d" * 32, "01101", reason, at, None, "li", ""
    )


def event(at: datetime, shared: str, digest: str) -> Event:
    detail = {"scans": GROUP, "digest": digest, "rows": [], "made": {}}
    return Event(at, "system", "scans", "record_scans", f"scans/{shared}", json.dumps(detail))


def where(tx: Reader, table: str) -> dict[str, int]:
    """How many rows of the table lie in which partition."""
    counted = f"SELECT tableoid::regclass::text, count(*) FROM {table} GROUP BY 1"  # noqa: S608 - a table's name
    return dict(tx.run(counted).fetchall())


def named(table: str, at: datetime) -> str:
    return f"{table}_{at:%Y_%m}"


def check_everything(store: Store, *, groups: int) -> None:
    with store.read() as tx:
        assert audit.verify_chain(tx, "scan") == groups
        assert audit.verify_scans(tx) == groups * GROUP


def files(connection: Connection, *names: str) -> list[int]:
    return [
        connection.execute(
            text("SELECT pg_relation_filenode(CAST(:name AS regclass))"), {"name": name}
        ).scalar_one()
        for name in names
    ]


def test_what_was_there_is_the_first_partition_and_is_not_written_anew(old_store: Store) -> None:
    audit_heads_begin(old_store)
    recorded = record(old_store, TODAY - timedelta(days=400), TODAY - MILLISECOND)
    kept = ("scans", "pk_scans", "ix_scans_holder_id_id", "audit_events", "pk_audit_events")
    with old_store._writing.begin() as connection:
        before = files(connection, *kept)
    old_store.upgrade()
    check_everything(old_store, groups=2)
    with old_store.read() as tx:
        ((first, count),) = where(tx, "scans").items()
        assert count == len(recorded)
        assert first.startswith("scans_before_")
        ((log, events),) = where(tx, "audit_events").items()
        assert events == 2
        now = (first, f"{first}_pkey", f"{first}_holder_id_id_idx", log, f"{log}_pkey")
        assert files(tx.connection, *now) == before
        assert made_by.lacking(tx, TODAY) == []
        found = stored.get(tx, recorded[0])
    assert found is not None
    assert found.operator == "li"


def audit_heads_begin(store: Store) -> None:
    with store.write() as tx:
        audit.begin(tx)


def test_a_row_of_a_wrong_clock_moves_the_end_of_the_first_partition(old_store: Store) -> None:
    record(old_store, MONTH)
    old_store.upgrade()
    with old_store.read() as tx:
        assert list(where(tx, "scans")) == [f"scans_before_{NEXT_MONTH:%Y_%m}"]
        assert list(where(tx, "audit_events")) == [f"audit_events_before_{NEXT_MONTH:%Y_%m}"]
    check_everything(old_store, groups=1)


def test_rows_go_into_their_months(store: Store) -> None:
    made = store.make_partitions(MONTH)
    behind = first_of_month(NEXT_MONTH + timedelta(days=40))
    before = first_of_month(MONTH - timedelta(days=1))
    assert sorted(made) == sorted(
        named(table, month)
        for table in ("scans", "audit_events")
        for month in (before, MONTH, NEXT_MONTH, behind)
    )
    assert store.make_partitions(MONTH) == []
    last = NEXT_MONTH - MILLISECOND
    # Two processes: what began in the next month is written before what began in the old one.
    recorded = record(store, MONTH, NEXT_MONTH, last)
    with store.read() as tx:
        assert where(tx, "scans") == {named("scans", MONTH): 6, named("scans", NEXT_MONTH): 3}
        log = {named("audit_events", MONTH): 2, named("audit_events", NEXT_MONTH): 1}
        assert where(tx, "audit_events") == log
        assert stored.ids_there(tx, recorded) == set(recorded)
    check_everything(store, groups=3)


def test_a_scan_is_recorded_once_whatever_the_month_says(store: Store) -> None:
    """Its id alone is its key: the same request that comes again in the next month meets it."""
    store.make_partitions(MONTH)
    (scan_id, *_) = record(store, NEXT_MONTH - MILLISECOND)
    again = scan(scan_id, NEXT_MONTH, TERMINAL)
    with store.write() as tx:
        assert stored.add_new(tx, [again])[0] == set()
    check_everything(store, groups=1)


def test_rows_of_a_month_that_nobody_made_are_sound_and_go_there_with_an_upgrade(
    store: Store,
) -> None:
    recorded = record(store, MONTH, NEXT_MONTH)
    with store.read() as tx:
        assert where(tx, "scans") == {"scans_default": 2 * GROUP}
        assert made_by.rows_by_default(tx) == {"scans": 2 * GROUP, "audit_events": 2}
        assert stored.ids_there(tx, recorded) == set(recorded)
        assert {one.id for one in stored.of_holder(tx, HOLDER)} == set(recorded)
    check_everything(store, groups=2)
    # A serving process makes the others, and leaves these to somebody who has stopped it.
    made = store.make_partitions(MONTH)
    assert named("scans", MONTH) not in made
    assert named("scans", NEXT_MONTH) not in made
    assert len(made) == 4
    store.upgrade()
    with store.read() as tx:
        assert made_by.rows_by_default(tx) == {}
        assert where(tx, "scans") == {
            named("scans", MONTH): GROUP,
            named("scans", NEXT_MONTH): GROUP,
        }
        log = {named("audit_events", MONTH): 1, named("audit_events", NEXT_MONTH): 1}
        assert where(tx, "audit_events") == log
    check_everything(store, groups=2)


def test_of_two_who_make_partitions_one_does(store: Store) -> None:
    table = made_by.PARTITIONED[0]
    with store._writing.begin() as connection:
        assert made_by._comes_first(connection)
        made_by._make(connection, table, MONTH)
        # The other one does not wait for it either.
        assert store.make_partitions(MONTH) == []
    assert named("scans", MONTH) not in store.make_partitions(MONTH)
    with store.read() as tx:
        assert made_by.lacking(tx, MONTH) == []


def test_whoever_reads_for_long_is_not_waited_for_and_scans_go_on(store: Store) -> None:
    with store.read() as tx:
        stored.count(tx)
        with pytest.raises(StoreBusyError):
            store.make_partitions(MONTH)
        recorded = record(store, TODAY)
    assert len(store.make_partitions(MONTH)) == 8
    with store.read() as tx:
        assert stored.ids_there(tx, recorded) == set(recorded)


def test_while_a_partition_is_made_scans_go_on(store: Store) -> None:
    with store._writing.begin() as connection:
        made_by._make(connection, made_by.PARTITIONED[0], MONTH)
        made_by._make(connection, made_by.PARTITIONED[1], MONTH)
        # It is not committed yet: all locks that it takes are held.
        recorded = record(store, TODAY)
        with store.read() as tx:
            assert stored.ids_there(tx, recorded) == set(recorded)
            assert stored.get(tx, recorded[0]) is not None


def test_a_second_event_of_a_number_in_another_month_is_seen(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key refuses it there; also where a page of the log ends between the two."""
    monkeypatch.setattr(audit, "RAW_ROWS_AT_ONCE", 3)
    store.make_partitions(MONTH)
    record(store, *[MONTH + number * MILLISECOND for number in range(7)])
    for seq in range(1, 8):
        with store.write() as tx:
            copied = tx.connection.execute(
                audit_events.select().where(audit_events.c.seq == seq)
            ).one()
            other = dict(copied._mapping) | {"at": NEXT_MONTH}
            tx.connection.execute(insert(audit_events), [other])
            with pytest.raises(AuditChainError) as seen:
                audit.verify_chain(tx, "scan")
            assert seen.value.seq in {seq, seq + 1}
            tx.connection.execute(audit_events.delete().where(audit_events.c.at == NEXT_MONTH))
            assert audit.verify_chain(tx, "scan") == 7


def opened(tx: Reader) -> Counter[str]:
    """How often this connection has looked into which partition; the server counts on over
    transactions until it finds time to hand the figures in."""
    counted = (
        "SELECT relname, coalesce(seq_scan, 0) + coalesce(idx_scan, 0) "
        "FROM pg_stat_xact_user_tables WHERE relname ~ '^scans'"
    )
    return Counter(dict(tx.run(counted).fetchall()))


def _one(tx: Reader, ours: list[str]) -> None:
    assert stored.get(tx, ours[0]) is not None


def _some(tx: Reader, ours: list[str]) -> None:
    assert stored.ids_there(tx, ours) == set(ours)


def _digest(tx: Reader, ours: list[str]) -> None:
    assert stored.digest_of(tx, ours)[0] == GROUP


def _group(tx: Reader, ours: list[str]) -> None:
    assert stored.digest_of_group(tx, ours[0][:IDS_SHARED])[0] == GROUP


def _holder_page(tx: Reader, _: list[str]) -> None:
    assert len(stored.of_holder(tx, HOLDER, before=LATER, limit=GROUP)) == GROUP


def _terminal_page(tx: Reader, _: list[str]) -> None:
    assert len(stored.of_terminal(tx, TERMINAL, before=LATER, limit=GROUP)) == GROUP


LATER = ids.earliest(MONTH + timedelta(days=20))
OURS = named("scans", MONTH)
LOOKS = {
    _one: {OURS},
    _some: {OURS},
    _digest: {OURS},
    _group: {OURS},
    # What is recent may reach into the month before.
    _holder_page: {OURS, named("scans", MONTH - timedelta(days=1))},
    _terminal_page: {OURS, named("scans", MONTH - timedelta(days=1))},
}


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
def test_old_partitions_are_not_opened(store: Store, plans: str) -> None:
    """Whether the server plans a statement for its values or once for all."""
    store.make_partitions(MONTH)
    store.make_partitions(TODAY + timedelta(days=180))
    ours = record(store, TODAY, MONTH + timedelta(days=10), NEXT_MONTH)[GROUP : 2 * GROUP]
    for look, expected in LOOKS.items():
        with store.read() as tx:
            tx.connection.execute(text(f"SET LOCAL plan_cache_mode = {plans}"))
            before = opened(tx)
            for _ in range(7):  # a driver has a statement prepared when it has come five times
                look(tx, ours)
            assert OURS in set(opened(tx) - before) <= expected, look.__name__


def test_pages_join_what_is_recent_and_what_is_older(store: Store) -> None:
    days = [400, 200, 32, 30, 1]
    recorded = record(store, *[TODAY - timedelta(days=one) for one in days])
    with store.read() as tx:
        newest_first = recorded[::-1]
        assert [one.id for one in stored.of_holder(tx, HOLDER)] == newest_first
        seen: list[str] = []
        while page := stored.of_terminal(tx, TERMINAL, before=seen[-1] if seen else "", limit=4):
            seen += [one.id for one in page]
        assert seen == newest_first


def test_on_sqlite_nothing_is_cut(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("whole") / "whole.db"
    store = open_store(f"sqlite:///{path}", cipher=make_cipher())
    store.upgrade()
    assert store.make_partitions(MONTH) == []
    with store.read() as tx:
        assert made_by.lacking(tx, MONTH) == []
        assert made_by.rows_by_default(tx) == {}
    store.close()
