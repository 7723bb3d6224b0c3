"""A batch issued by several processes, one of which is killed; on a real PostgreSQL."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from office import ROSTERS
from servers.postgresql import PostgreSQLServer
from sqlalchemy import select, text

from benchmarks.bench_scan.bureau import PASSPHRASE, Ground, founded
from card_core.states import BatchState
from card_core.store import batches, cards, schema
from card_core.store.batches import Batch
from card_core.store.cards import Card
from issuance import engine
from issuance.batches import find_batch, new_request_id, release_approval
from issuance.errors import BatchError
from issuance.importing import import_roster
from issuance.roster import check_roster
from issuance.settings import Settings

WORKERS = 2
PATIENCE_SECONDS = 120


@dataclass
class Released:
    """A released batch of several chunks, and where."""

    ground: Ground
    batch_id: str

    def issue(self, progress: Callable[[int, int], None] = lambda *_: None) -> Batch:
        settings = Settings.from_environment(self.ground.environment)
        site, maker = self.ground.site, self.ground.staff["maker"]
        with engine.processes(settings, PASSPHRASE.encode(), WORKERS) as pool:
            return engine.issue(pool, site.store, self.batch_id, actor=maker, progress=progress)

    def cards(self) -> list[Card]:
        with self.ground.site.store.read() as tx:
            found = cards.page(tx, batch_id=self.batch_id)
            while more := cards.page(tx, batch_id=self.batch_id, after=found[-1].id):
                found += more
        return found

    def check_complete(self, after: Batch) -> None:
        """Each number of the batch once, in its chunk; each person one card."""
        assert (after.state, after.issued) == (BatchState.ISSUED, after.accepted)
        made = self.cards()
        first = after.first_card_serial
        assert first is not None
        serials = sorted(int(card.card_number[2:]) for card in made)
        assert serials == list(range(first, first + after.accepted))
        assert len({card.holder_id for card in made}) == after.accepted
        with self.ground.site.store.read() as tx:
            ledger = batches.chunks(tx, self.batch_id)
        assert [chunk.first_card_number for chunk in ledger] == [
            f"FS{first + at * 500:07d}" for at in range(len(ledger))
        ]


@pytest.fixture
def released(postgresql: PostgreSQLServer) -> Iterator[Released]:
    with founded(postgresql.url(postgresql.create()), ecards=0) as ground:
        report = check_roster(ROSTERS / "foshan-2000.csv", today=date(2026, 11, 22))
        kernel, staff = ground.site.kernel, ground.staff
        import_roster(kernel, report, name="large", actor=staff["maker"])
        with ground.site.store.read() as tx:
            batch = find_batch(tx, "large")
            approval = release_approval(tx, batch)
        kernel.approve(
            approval.id,
            content_hash=approval.content_hash,
            actor=staff["checker"],
            request_id=new_request_id(),
        )
        yield Released(ground, batch.id)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def test_processes_share_a_batch_and_no_number(released: Released) -> None:
    seen: list[int] = []
    after = released.issue(lambda done, _total: seen.append(done))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, after.accepted)
    released.check_complete(after)
    assert released.issue() == after


def test_a_worker_that_is_killed_costs_nothing_but_its_chunk(released: Released) -> None:
    errors: list[BatchError] = []

    def issue() -> None:
        try:
            released.issue()
        except BatchError as error:
            errors.append(error)

    def waiting() -> int:
        with released.ground.site.store.read() as tx:
            found = tx.connection.execute(
                text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            ).scalar()
        return int(found or 0)

    issuing = threading.Thread(target=issue)
    with released.ground.site.store.write() as tx:
        # Every chunk ends by writing to the log: both workers stand there, with all else done.
        head = select(schema.audit_heads).with_for_update()
        tx.connection.execute(head).all()
        issuing.start()
        until(lambda: waiting() == WORKERS)
        victim = multiprocessing.active_children()[0].pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        issuing.join(PATIENCE_SECONDS)
    assert not issuing.is_alive()
    assert [error.code for error in errors] == ["worker_died"]
    released.check_complete(released.issue())


def test_processes_are_taken_where_they_are_worth_their_start(released: Released) -> None:
    site = released.ground.site
    assert engine.workers_for(site, 3, 8) == 1
    assert engine.workers_for(site, 16, 8) == 2
    assert engine.workers_for(site, 10_000, 8) == 8
    assert engine.workers_for(site, 10_000) == len(os.sched_getaffinity(0))
    with founded(ecards=0) as embedded:
        assert engine.workers_for(embedded.site, 10_000, 8) == 1
