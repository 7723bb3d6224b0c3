"""The registry: every change within a second, nothing that was tampered with, no old yes."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bureau import Bureau, make_cipher
from sqlalchemy import Table, delete, select, update

from card_core.errors import StoreBusyError
from card_core.kernel import DangerousAct
from card_core.kernel.acts.enrolment import RevokeTerminalKeys
from card_core.kernel.acts.institutions import (
    ChangeBusinessTypes,
    ReinstateInstitution,
    ReinstateTerminal,
    SuspendInstitution,
    SuspendTerminal,
)
from card_core.store import Store, guarded, open_store, registered, schema
from crypto import sm2
from scan_api.terminals import known_rows
from scan_api.terminals.known_rows import RECHECKED_ROWS
from scan_api.terminals.registry import STALE_SECONDS, Registry, RegistryStaleError

ROOT = Path(__file__).parents[3]
HOSPITAL, PHARMACY = "H44060400001", "P44060400002"


@dataclass
class Stopwatch:
    """Seconds that pass when they are told to."""

    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Watched:
    """A registry over its own connection to the bureau's database."""

    store: Store
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    def __post_init__(self) -> None:
        self.registry = Registry(self.store, monotonic=self.stopwatch)
        self.registry.refresh()

    def serves(self, serial_number: bytes) -> bool:
        found = self.registry.find(serial_number)
        return found is not None and found.is_in_service


@pytest.fixture
def watched(store: Store) -> Watched:
    return Watched(store)


def new_key() -> bytes:
    return sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)


def edit(bureau: Bureau, table: Table, row_id: str, **values: object) -> None:
    """As somebody does who has the database and not the keys."""
    with bureau.store.write() as tx:
        tx.connection.execute(update(table).where(table.c.id == row_id).values(**values))


def test_it_knows_who_is_enrolled_where_and_with_which_key(
    bureau: Bureau, watched: Watched
) -> None:
    watched.registry.refresh()
    for terminal in (bureau.hospital, bureau.pharmacy):
        found = watched.registry.find(terminal.serial_number)
        assert found is not None
        assert found.terminal == terminal
        assert found.institution.id == terminal.institution_id
        assert [key.public_key for key in found.keys] == [terminal.public_key]
    assert watched.registry.find(b"nobody!!") is None


def test_each_change_is_there_after_one_refresh(bureau: Bureau, watched: Watched) -> None:
    serial, other = bureau.hospital.serial_number, bureau.pharmacy.serial_number
    watched.registry.refresh()

    def after(act: object) -> bool:
        if isinstance(act, DangerousAct):
            bureau.decide(act)
        else:
            bureau.perform(act, bureau.checker)
        watched.registry.refresh()
        assert watched.serves(other)
        return watched.serves(serial)

    assert not after(SuspendTerminal(serial))
    assert after(ReinstateTerminal(serial))
    assert not after(SuspendInstitution(HOSPITAL))
    assert after(ReinstateInstitution(HOSPITAL))
    assert after(ChangeBusinessTypes(HOSPITAL, frozenset({"01101"})))
    assert watched.registry.find(serial).institution.business_types == {"01101"}
    assert after(RevokeTerminalKeys(serial))
    key = watched.registry.find(serial).keys[0]
    assert not key.is_good(bureau.clock())
    fresh = bureau.enrol((0xF1).to_bytes(8), HOSPITAL, new_key())
    watched.registry.refresh()
    assert watched.registry.find(fresh.serial_number).terminal == fresh


def test_a_refresh_without_news_reads_a_handful_of_rows(
    bureau: Bureau, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_rows, "RECHECKED_ROWS", 2)
    for serial in range(0x100, 0x106):
        bureau.enrol(serial.to_bytes(8), HOSPITAL, new_key())
    watched.registry.refresh()
    looked_at: list[str] = []
    check = guarded.check
    monkeypatch.setattr(
        guarded, "check", lambda tx, table, row: looked_at.append(row.id) or check(tx, table, row)
    )
    counts = []
    for _ in range(6):
        looked_at.clear()
        watched.registry.refresh()
        counts.append(len(looked_at))
    assert max(counts) <= 4  # two of each table, in turn
    bureau.perform(SuspendTerminal(bureau.hospital.serial_number), bureau.checker)
    looked_at.clear()
    watched.registry.refresh()
    assert bureau.hospital.id in looked_at
    assert len(looked_at) <= 5
    assert RECHECKED_ROWS >= 10


def test_what_can_not_be_refreshed_for_two_seconds_is_no_yes(
    bureau: Bureau, watched: Watched
) -> None:
    serial = bureau.hospital.serial_number
    watched.stopwatch.seconds += STALE_SECONDS
    assert watched.serves(serial)
    watched.stopwatch.seconds += 0.001
    with pytest.raises(RegistryStaleError):
        watched.serves(serial)
    assert not watched.registry.is_fresh()
    watched.registry.refresh()
    assert watched.serves(serial)


def test_a_registry_that_was_never_refreshed_knows_nobody(bureau: Bureau, store: Store) -> None:
    with pytest.raises(RegistryStaleError):
        Registry(store, monotonic=lambda: 0.0).find(bureau.hospital.serial_number)


@pytest.mark.parametrize("broken", ["terminals_changed", "terminals_page", "institutions_page"])
def test_a_refresh_that_fails_halfway_loses_no_change(
    bureau: Bureau, store: Store, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    is_broken = False
    read = getattr(registered, broken)

    def maybe(*arguments: object) -> object:
        if is_broken:
            raise StoreBusyError
        return read(*arguments)

    monkeypatch.setattr(registered, broken, maybe)
    watched = Watched(store)
    bureau.perform(SuspendInstitution(PHARMACY), bureau.checker)
    bureau.perform(SuspendTerminal(bureau.hospital.serial_number), bureau.checker)
    is_broken = True
    before = watched.stopwatch.seconds
    watched.stopwatch.seconds += 1
    with pytest.raises(StoreBusyError):
        watched.registry.refresh()
    watched.stopwatch.seconds = before + STALE_SECONDS + 0.5
    assert not watched.registry.is_fresh()
    is_broken = False
    watched.registry.refresh()
    assert not watched.serves(bureau.hospital.serial_number)
    assert not watched.serves(bureau.pharmacy.serial_number)


def test_a_row_that_fails_its_hmac_is_refused_and_told_and_the_others_go_on(
    bureau: Bureau, watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    hospital, pharmacy = bureau.hospital, bureau.pharmacy
    edit(bureau, schema.terminals, hospital.id, public_key=new_key())
    for _ in range(3):
        watched.registry.refresh()
    assert watched.registry.find(hospital.serial_number) is None
    assert watched.serves(pharmacy.serial_number)
    assert watched.registry.tampered_rows() == 1
    told = [line for line in caplog.messages if "tampered_row" in line]
    assert told == [f'{{"event": "tampered_row", "table": "terminals", "row_id": "{hospital.id}"}}']
    edit(bureau, schema.terminals, hospital.id, public_key=hospital.public_key)
    watched.registry.refresh()
    assert watched.serves(hospital.serial_number)
    assert watched.registry.tampered_rows() == 0


def test_a_state_flipped_in_the_database_brings_nobody_back(
    bureau: Bureau, watched: Watched
) -> None:
    serial = bureau.hospital.serial_number
    bureau.perform(SuspendTerminal(serial), bureau.checker)
    watched.registry.refresh()
    edit(bureau, schema.terminals, bureau.hospital.id, state="active")
    watched.registry.refresh()
    assert watched.registry.find(serial) is None


def test_an_institution_that_was_tampered_with_stops_its_terminals_alone(
    bureau: Bureau, watched: Watched
) -> None:
    edit(bureau, schema.institutions, bureau.hospital.institution_id, kind="pharmacy")
    watched.registry.refresh()
    assert watched.registry.find(bureau.hospital.serial_number) is None
    assert watched.serves(bureau.pharmacy.serial_number)


def test_an_old_row_put_back_is_refused(bureau: Bureau, watched: Watched) -> None:
    table, serial = schema.terminals, bureau.hospital.serial_number
    with bureau.store.read() as tx:
        statement = select(table).where(table.c.id == bureau.hospital.id)
        old = dict(tx.connection.execute(statement).one()._mapping)
    bureau.perform(SuspendTerminal(serial), bureau.checker)
    watched.registry.refresh()
    edit(bureau, table, bureau.hospital.id, **old)
    for _ in range(3):
        watched.registry.refresh()
        assert watched.registry.find(serial) is None
    assert watched.registry.tampered_rows() == 1


def test_a_row_that_is_gone_is_refused(bureau: Bureau, watched: Watched) -> None:
    with bureau.store.write() as tx:
        table = schema.terminals
        tx.connection.execute(delete(table).where(table.c.id == bureau.pharmacy.id))
    watched.registry.refresh()
    assert watched.registry.find(bureau.pharmacy.serial_number) is None
    assert watched.serves(bureau.hospital.serial_number)


def test_a_made_up_change_number_hides_nothing_that_comes_after(
    bureau: Bureau, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without the look at every row in turn: changes alone must bring the suspension.
    monkeypatch.setattr(known_rows, "RECHECKED_ROWS", 1)
    edit(bureau, schema.terminals, bureau.pharmacy.id, change_number=1_000_000)
    watched.registry.refresh()
    edit(bureau, schema.terminals, bureau.pharmacy.id, change_number=None)
    bureau.perform(SuspendTerminal(bureau.hospital.serial_number), bureau.checker)
    watched.registry.refresh()
    assert not watched.serves(bureau.hospital.serial_number)


WATCHER = """
import sys, time
sys.path[:0] = sys.argv[3:]
from bureau import make_cipher
from card_core.store import open_store
from scan_api.terminals.registry import Registry
store = open_store(sys.argv[1], cipher=make_cipher())
registry = Registry(store, monotonic=time.monotonic)
serial = bytes.fromhex(sys.argv[2])
with registry.refreshed():
    for wanted in (True, False, True):
        while registry.find(serial).is_in_service is not wanted:
            time.sleep(0.005)
        print(time.monotonic(), flush=True)
"""


@pytest.mark.alone
def test_a_suspension_and_its_end_reach_every_process_within_a_second(
    bureau: Bureau, database_url: str
) -> None:
    serial = bureau.hospital.serial_number
    command = [sys.executable, "-c", WATCHER, database_url, serial.hex()]
    workers = [
        subprocess.Popen([*command, str(ROOT), str(ROOT / "tests")], stdout=subprocess.PIPE)
        for _ in range(2)
    ]

    def seen_at() -> list[float]:
        return [float((worker.stdout and worker.stdout.readline()) or b"nan") for worker in workers]

    try:
        seen_at()
        changes: list[Callable[[], object]] = [
            lambda: bureau.perform(SuspendTerminal(serial), bureau.checker),
            lambda: bureau.decide(ReinstateTerminal(serial)),
        ]
        for change in changes:
            change()
            done_at = time.monotonic()
            delays = [at - done_at for at in seen_at()]
            assert all(delay <= 1.0 for delay in delays), delays
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def test_refreshing_goes_on_after_the_database_was_away(
    bureau: Bureau, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread survives a database that fails, refuses while it does, and recovers."""
    monkeypatch.setattr("scan_api.terminals.registry.REFRESH_SECONDS", 0.01)
    store = open_store(database_url, cipher=make_cipher())
    stopwatch = Stopwatch()
    registry = Registry(store, monotonic=stopwatch)
    serial = bureau.hospital.serial_number
    read, away = type(store).read, [True]

    def fail(self: Store) -> object:
        if away[0] and self is store:
            raise StoreBusyError
        return read(self)

    with registry.refreshed():
        monkeypatch.setattr(type(store), "read", fail)
        stopwatch.seconds += STALE_SECONDS + 1
        with pytest.raises(RegistryStaleError):
            registry.find(serial)
        bureau.perform(SuspendTerminal(serial), bureau.checker)
        away[0] = False
        deadline = time.monotonic() + 20
        while not registry.is_fresh():
            assert time.monotonic() < deadline
        assert not registry.find(serial).is_in_service
    store.close()
