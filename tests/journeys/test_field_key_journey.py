"""The field key is rotated while people sign in, scan and rosters come in; the service dies once.

Real processes: `sscard serve`, and the command line beside it. What can't be waited for is skipped:
the day after which old answers go, by sweeping with a clock that is ahead; the hour before a
version may be destroyed, by making the rotation that much older, under the same HMAC. The short run
skips the minute before the sealing anew, too.
"""

import csv
import http.client
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from field_versions import versions_at_rest
from installation import Installation, Person
from outside import Holder, Terminal
from running_service import Running, serving, until
from servers.ports import free_port
from servers.postgresql import PostgreSQLServer
from sqlalchemy import update

from benchmarks.bench_scan.bureau import HOLDER_PASSWORD, HOSPITAL, Ground, founded
from card_core.kernel.acts.field_keys import DESTROY_AFTER, RESEAL_AFTER
from card_core.store import Store, answers, field_keys, guarded
from card_core.store.field_keys import FieldKeyState
from card_core.store.schema import field_keys as key_table
from crypto.keys import sealing
from issuance import field_key_files

ROSTERS = Path(__file__).parents[1] / "rosters"
SCANS_A_SIGN_IN = 3
ROWS_A_ROSTER = 10
# A process that has begun to write follows within two.
FOLLOWED_SECONDS = 3.0
SEALED_SECONDS_MAX = 240
TURN_SECONDS_MAX = 60


@dataclass
class Lane:
    """Somebody who signs in and shows codes at a terminal, over and over.

    told: how often each answer came. torn: requests that the death of the service cut off.
    """

    person: Person
    terminal: Terminal
    dead: threading.Event
    pause_seconds: float
    told: Counter[str] = field(default_factory=Counter)
    torn: int = 0

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._turn()
            except (OSError, http.client.HTTPException):
                if not self.dead.is_set():
                    raise
                self.torn += 1
                self.terminal.connection.close()
            stop.wait(self.pause_seconds)

    def _turn(self) -> None:
        holder = Holder(self.terminal.connection, self.person.number, HOLDER_PASSWORD)
        self.told["signed in"] += 1
        for _ in range(SCANS_A_SIGN_IN):
            answer = self.terminal.scan(holder.code(), operator="0042", department="till 3")
            self.told[answer.word] += 1


@dataclass
class Rosters:
    """Small rosters that come in by command, one after the other. taken: how many did."""

    town: Installation
    folder: Path
    pause_seconds: float
    taken: int = 0
    _files: Iterator[Path] = field(init=False)

    def __post_init__(self) -> None:
        self._files = self._written()

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.town.command("roster", "import", str(next(self._files)), operator="maker")
            self.taken += 1
            stop.wait(self.pause_seconds)

    def _written(self) -> Iterator[Path]:
        """Good rows alone, each of somebody who is in no other roster here."""
        good = set(json.loads((ROSTERS / "foshan-2000.expected.json").read_text())["accept"])
        with (ROSTERS / "foshan-2000.csv").open(encoding="gb18030", newline="") as file:
            head, *rows = csv.reader(file)
        chosen = (row for number, row in enumerate(rows, 1) if number in good)
        for number, some in enumerate(_groups(chosen)):
            path = self.folder / f"roster-{number}.csv"
            with path.open("w", encoding="gb18030", newline="") as file:
                csv.writer(file).writerows([head, *some])
            yield path


def _groups(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while some := list(islice(rows, ROWS_A_ROSTER)):
        yield some


@dataclass
class Works:
    """The service, which can die and come back at the same address, and the load on it."""

    town: Installation
    folder: Path
    options: tuple[str, ...]
    stack: ExitStack
    lanes: list[Lane]
    rosters: Rosters
    dead: threading.Event
    running: list[Future[None]] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.town.ground.site.store

    def die_and_come_back(self) -> None:
        """kill -9 of every process of the service; then it is started anew."""
        self.dead.set()
        parent = self.town.service.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for process in (parent, *map(int, children)):
            os.kill(process, signal.SIGKILL)
        self.town.service.process.wait()
        again = serving(self.folder, self.town.ground.environment, *self.options)
        self.town.service = self.stack.enter_context(again)
        self.wait_for_turns()
        self.dead.clear()

    def wait_for_turns(self) -> None:
        """Until everybody has been served, and a roster has come in, that began after now."""
        signed_in = [lane.told["signed in"] for lane in self.lanes]
        taken = self.rosters.taken

        def served() -> bool:
            for one in self.running:
                if one.done():
                    one.result()
            return self.rosters.taken >= taken + 2 and all(
                lane.told["signed in"] >= before + 2
                for lane, before in zip(self.lanes, signed_in, strict=True)
            )

        assert until(served, TURN_SECONDS_MAX), [lane.told for lane in self.lanes]

    @contextmanager
    def load(self) -> Iterator[None]:
        """Everybody is at it until the block ends; whatever one of them raised is raised."""
        stop = threading.Event()
        with ThreadPoolExecutor(len(self.lanes) + 1) as threads:
            self.running = [threads.submit(one.run, stop) for one in (*self.lanes, self.rosters)]
            try:
                yield
            finally:
                stop.set()
            for one in self.running:
                one.result()

    def tables_through(self) -> set[str]:
        with self.store.read() as tx:
            return {one.table for one in field_keys.progress(tx) if one.is_done}

    def begun(self) -> bool:
        with self.store.read() as tx:
            return bool(field_keys.progress(tx))

    def grow_older(self, by: timedelta) -> None:
        """As if the rotation had been so long ago."""
        with self.store.write() as tx:
            for key in field_keys.versions(tx):
                row = guarded.get(tx, key_table, str(key.version))
                assert row
                values = {**row._mapping, "since": key.since - by}
                del values["mac"]
                mac = tx.cipher.row_mac(key_table.name, values)
                tx.connection.execute(
                    update(key_table)
                    .where(key_table.c.id == row.id)
                    .values(since=key.since - by, mac=mac)
                )

    def forget_old_answers(self) -> None:
        """What the service's sweep does a day later."""
        with self.store.write() as tx:
            while answers.sweep(tx, datetime.now(UTC) + timedelta(seconds=1)):
                pass


@contextmanager
def works(
    folder: Path, url: str | None, *options: str, lanes: int, pause_seconds: float
) -> Iterator[Works]:
    with ExitStack() as stack:
        ground: Ground = stack.enter_context(founded(url, ecards=lanes))
        options = ("--port", str(free_port()), *options)
        service: Running = stack.enter_context(serving(folder, ground.environment, *options))
        town, dead = Installation(ground, service), threading.Event()
        each = [
            Lane(town.person(), town.terminal(HOSPITAL), dead, pause_seconds) for _ in range(lanes)
        ]
        rosters = Rosters(town, folder, pause_seconds)
        yield Works(town, folder, options, stack, each, rosters, dead)


def rotate_and_destroy(at_work: Works, *, waits: bool) -> None:
    """waits: for the minute before the sealing anew, which is skipped otherwise."""
    town, together = at_work.town, ("--operator", "admin", "--with", "checker", "--yes")
    with at_work.load():
        at_work.wait_for_turns()
        town.command("keys", "field", "rotate", *together)
        if not waits:
            threading.Event().wait(FOLLOWED_SECONDS)
            at_work.grow_older(RESEAL_AFTER)
        assert until(at_work.begun, SEALED_SECONDS_MAX)
        at_work.die_and_come_back()
        assert until(
            lambda: at_work.tables_through() == set(field_keys.TABLES), SEALED_SECONDS_MAX
        ), at_work.tables_through()
        early = town.sscard("keys", "field", "destroy", "1", *together)
        assert early.returncode == 1, early.stderr
        at_work.grow_older(DESTROY_AFTER)
        at_work.wait_for_turns()
    # Nobody's answer is lost by this: a retry comes within a day, or not at all.
    at_work.forget_old_answers()
    with at_work.load():
        town.command("keys", "field", "destroy", "1", *together)
        assert field_key_files.name_of(1) not in town.ground.site.keys.names()
        at_work.wait_for_turns()


def check(at_work: Works) -> None:
    told = sum((lane.told for lane in at_work.lanes), Counter[str]())
    torn = sum(lane.torn for lane in at_work.lanes)
    print(f"{dict(told)}, {torn} torn, {at_work.rosters.taken} rosters")
    assert set(told) == {"signed in", "accepted"}, told
    assert torn >= 1
    at_rest = versions_at_rest(at_work.store)
    # Digests in the audit log are over these: the key of that one table stays.
    assert at_rest.pop("scans.operator") == at_rest.pop("scans.department") == {1, 2}
    assert {"holders.name", "applications.content", "credentials.password_hash"} <= set(at_rest)
    assert set().union(*at_rest.values()) == {2}, at_rest
    with at_work.store.read() as tx:
        states = {key.version: key.state for key in field_keys.versions(tx)}
    assert states == {1: FieldKeyState.DESTROYED, 2: FieldKeyState.ACTIVE}
    # A process that has never had the first version opens everything.
    assert "whole" in at_work.town.command("audit", "verify")
    assert at_work.town.service.stop() == 0, at_work.town.service.log
    for event in ("failure", "resealing_failed"):
        assert f'"event": "{event}"' not in at_work.town.service.log


def test_the_field_key_is_rotated_under_load_and_the_old_one_destroyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)
    with works(tmp_path, None, lanes=2, pause_seconds=2.0) as at_work:
        rotate_and_destroy(at_work, waits=False)
        check(at_work)


@pytest.mark.long
def test_the_field_key_is_rotated_under_load_with_its_waits_on_postgresql(
    postgresql: PostgreSQLServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)
    url = postgresql.url(postgresql.create())
    with works(tmp_path, url, "--workers", "2", lanes=8, pause_seconds=0.5) as at_work:
        rotate_and_destroy(at_work, waits=True)
        check(at_work)
