"""The audit log over many months: it is verified, and what a month taken out does.

The long form has the million events that the promise counts, and prints how long they took.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bureau import SeededBytes, make_cipher
from servers.postgresql import PostgreSQLServer
from sqlalchemy import text

from card_core.errors import AuditChainError, TamperedRowError
from card_core.store import Store, Transaction, audit, backup, bulk, ids, open_store
from card_core.store import scans as stored
from card_core.store.audit import Event
from card_core.store.scans import IDS_SHARED, Scan
from card_core.store.schema import audit_events
from card_core.verdicts import Reason

PROMISED = 1_000_000
MONTHS = 6
AT_ONCE = 10_000
RANDOM = SeededBytes(b"months")
# In the middle of the first month, so that each next one is another.
FIRST = datetime(2031, 1, 15, tzinfo=UTC)
GROUP = 2


def month(number: int) -> datetime:
    return FIRST + timedelta(days=30 * number)


def append_many(tx: Transaction, count: int) -> None:
    """As `audit.append` does one by one, with the same links, over all months."""
    link, chain = audit.FIRST_LINK, "bureau"
    detail = json.dumps({"step": "activate", "rows": [], "made": {}, "state": "normal"})
    for first in range(1, count + 1, AT_ONCE):
        rows = []
        for seq in range(first, min(first + AT_ONCE, count + 1)):
            at = FIRST + timedelta(days=30 * (MONTHS - 1)) * (seq / count)
            event = Event(at, "operator", "a" * 32, "activate_card", f"card/{seq:032x}", detail)
            link = audit._link(tx, link, chain, seq, event)
            values = {name: getattr(event, name) for name in Event.__slots__}
            rows.append({"chain": chain, "seq": seq, **values, "link": link})
        bulk.insert(tx, audit_events, rows)
    mac = tx.cipher.audit_head_mac(chain, count, link)
    tx.run(audit._SET_HEAD[tx.is_sqlite], (count, link, mac, chain))


def record_scans(store: Store) -> None:
    """A group of scans in each month, with its event."""
    with store.write() as tx:
        for number in range(MONTHS):
            at = month(number)
            group = ids.make_ids(at, GROUP, RANDOM)
            digest = stored.add_group(tx, [scan(one, at) for one in group])
            detail = {"scans": GROUP, "digest": digest, "rows": [], "made": {}}
            subject = f"scans/{group[0][:IDS_SHARED]}"
            event = Event(at, "system", "scans", "record_scans", subject, json.dumps(detail))
            audit.append(tx, "scan", event)


def scan(scan_id: str, at: datetime) -> Scan:
    reason = Reason.ACCEPTED
    return Scan(
        scan_id, at, "a" * 32, "c" * 32, "b" * 32, "d" * 32, "01101", reason, at, None, "li", ""
    )


def verify(store: Store) -> tuple[int, int]:
    """How many events and scans there are, as `sscard audit verify` does it."""
    with store.read() as tx:
        events = sum(audit.verify_chain(tx, chain) for chain in audit.CHAINS)
        audit.verify_rows(tx)
        return events, audit.verify_scans(tx)


def in_months(store: Store) -> None:
    """Over MONTHS partitions where there are any."""
    with store.write() as tx:
        audit.begin(tx)
    for number in range(MONTHS):
        store.make_partitions(month(number))


def lie_in(store: Store, table: str) -> set[str]:
    with store.read() as tx:
        found = tx.run(f"SELECT DISTINCT tableoid::regclass::text FROM {table}").fetchall()  # noqa: S608 - a table's name
    return {name for (name,) in found}


@pytest.mark.parametrize(
    "count", [3000, pytest.param(PROMISED, marks=[pytest.mark.long, pytest.mark.alone])]
)
def test_events_of_many_months_are_verified_and_one_that_is_changed_is_found(
    store: Store, database_url: str, count: int
) -> None:
    in_months(store)
    with store.write() as tx:
        append_many(tx, count)
        # As a server does by itself soon after so many rows.
        tx.connection.execute(text("ANALYZE audit_events"))
    if not database_url.startswith("sqlite"):
        assert len(lie_in(store, "audit_events")) == MONTHS
    began = time.monotonic()
    with store.read() as tx:
        assert audit.verify_chain(tx, "bureau") == count
        chain = time.monotonic() - began
        audit.verify_rows(tx)
    whole = time.monotonic() - began
    print(f"{count} events: chain {chain:.2f} s, with the rows {whole:.2f} s")
    with store.write() as tx:
        changed = {"seq": count // 2, "act": "cancel_card"}
        tx.connection.execute(text("UPDATE audit_events SET act = :act WHERE seq = :seq"), changed)
    with store.read() as tx, pytest.raises(AuditChainError) as seen:
        audit.verify_chain(tx, "bureau")
    assert seen.value.seq == count // 2


@pytest.fixture
def months(postgresql: PostgreSQLServer) -> Iterator[Store]:
    """A database with events and scans in each month."""
    made = open_store(postgresql.url(postgresql.create()), cipher=make_cipher())
    made.upgrade()
    in_months(made)
    with made.write() as tx:
        append_many(tx, 600)
    record_scans(made)
    assert verify(made) == (600 + MONTHS, MONTHS * GROUP)
    assert {len(lie_in(made, "scans")), len(lie_in(made, "audit_events"))} == {MONTHS}
    yield made
    made.close()


def test_a_restored_backup_has_its_months_and_holds(
    months: Store, postgresql: PostgreSQLServer, tmp_path: Path
) -> None:
    taken, url = tmp_path / "copy", postgresql.url(postgresql.create())
    source = months._engine.url.set(drivername="postgresql")
    backup.take(source.render_as_string(hide_password=False), taken)
    backup.put_back(taken, url)
    restored = open_store(url, cipher=make_cipher())
    assert verify(restored) == verify(months)
    for table in ("scans", "audit_events"):
        assert lie_in(restored, table) == lie_in(months, table)
    # What comes later goes into its month there, too, and old ids still meet what they named.
    made = restored.make_partitions(month(MONTHS + 2))
    assert f"scans_{month(MONTHS + 2):%Y_%m}" in made
    with restored.write() as tx:
        (old, *_) = stored.of_holder(tx, "b" * 32)
        assert stored.add_new(tx, [scan(old.id, month(MONTHS + 2))])[0] == set()
    restored.close()


@pytest.mark.parametrize("table", ["scans", "audit_events"])
def test_a_month_taken_out_is_missed_and_one_put_back_holds(months: Store, table: str) -> None:
    """As docs/operations.md says: nothing but the month itself says what was in it."""
    whole, out = verify(months), month(2).replace(day=1)
    behind = (out + timedelta(days=32)).replace(day=1)
    name = f"{table}_{out:%Y_%m}"
    with months.write() as tx:
        tx.run(f"ALTER TABLE {table} DETACH PARTITION {name}")
    with months.read() as tx:
        if table == "scans":
            # The chain holds; the digests in it miss the month's scans.
            assert audit.verify_chain(tx, "scan") == MONTHS
            with pytest.raises(TamperedRowError):
                audit.verify_scans(tx)
        else:
            with pytest.raises(AuditChainError):
                audit.verify_chain(tx, "bureau")
    with months.write() as tx:
        bounds = bounds_of(table, out, behind)
        tx.run(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM {bounds}")
    assert verify(months) == whole


def bounds_of(table: str, first: datetime, behind: datetime) -> str:
    """Scans lie by their ids, which begin with the time; events by their instants."""
    if table == "scans":
        return f"('{ids.earliest(first)}') TO ('{ids.earliest(behind)}')"
    return f"('{first.isoformat()}') TO ('{behind.isoformat()}')"
