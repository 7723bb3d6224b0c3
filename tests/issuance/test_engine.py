"""A batch issued, and a stock taken over, by several processes, one of which is killed; on a real
PostgreSQL."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest
from issuing_ground import (
    PATIENCE_SECONDS,
    Released,
    released_batch,
    until,
    waiting_for_locks,
)
from servers.postgresql import PostgreSQLServer
from sqlalchemy import select, update
from stock_ground import ROWS, ReleasedStock, released_stock

from benchmarks.bench_scan.bureau import PASSPHRASE, Ground, founded
from card_core.errors import TamperedRowError
from card_core.kernel.acts.batch_control import PauseBatch, ResumeBatch
from card_core.states import BatchState
from card_core.store import batches, schema
from card_core.store.batches import Batch
from issuance import engine
from issuance.batches import new_request_id
from issuance.errors import BatchError
from issuance.settings import Settings

WORKERS = 2


@pytest.fixture(scope="module")
def ground(postgresql: PostgreSQLServer) -> Iterator[Ground]:
    with founded(postgresql.url(postgresql.create()), ecards=0) as found:
        yield found


@pytest.fixture
def released(ground: Ground) -> Released:
    return released_batch(ground)


def issue(
    released: Released | ReleasedStock,
    progress: Callable[[int, int], None] = lambda *_: None,
    workers: int = WORKERS,
) -> Batch:
    settings = Settings.from_environment(released.ground.environment)
    site, maker = released.ground.site, released.ground.staff["maker"]
    with (
        engine.here(site.kernel)
        if workers == 1
        else engine.processes(settings, PASSPHRASE.encode(), workers) as pool
    ):
        return engine.issue(pool, site.store, released.batch_id, actor=maker, progress=progress)


def test_processes_share_a_batch_and_no_number(released: Released) -> None:
    seen: list[int] = []
    after = issue(released, lambda done, _total: seen.append(done))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, after.accepted)
    released.check_complete(after)
    assert issue(released) == after


@pytest.mark.parametrize("make", [released_batch, released_stock])
def test_a_worker_that_is_killed_costs_nothing_but_its_chunk(
    ground: Ground, make: Callable[[Ground], Released | ReleasedStock]
) -> None:
    released, errors = make(ground), []

    def issue_it() -> None:
        try:
            issue(released)
        except BatchError as error:
            errors.append(error)

    issuing = threading.Thread(target=issue_it)
    with ground.site.store.write() as tx:
        # Every chunk ends by writing to the log: both workers stand there, with all else done.
        head = select(schema.audit_heads).with_for_update()
        tx.connection.execute(head).all()
        issuing.start()
        until(lambda: waiting_for_locks(ground) == WORKERS)
        victim = multiprocessing.active_children()[0].pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        issuing.join(PATIENCE_SECONDS)
    assert not issuing.is_alive()
    assert [error.code for error in errors] == ["worker_died"]
    released.check_complete(issue(released))


@pytest.mark.parametrize("workers", [1, WORKERS])
def test_a_stock_comes_to_the_same_by_one_and_by_several(ground: Ground, workers: int) -> None:
    stock, seen = released_stock(ground), []
    after = issue(stock, lambda *shown: seen.append(shown), workers)
    done = [one for one, _ in seen]
    assert done == sorted(done)
    assert (seen[0], seen[-1]) == ((0, ROWS), (ROWS, ROWS))
    stock.check_complete(after)
    assert issue(stock) == after


def test_what_a_worker_process_refuses_is_heard_as_it_said_it(released: Released) -> None:
    with released.ground.site.store.write() as tx:
        ledger = schema.batch_chunks
        mine = ledger.c.batch_id == released.batch_id
        tx.connection.execute(update(ledger).where(mine).values(digest=bytes(32)))
    with pytest.raises(TamperedRowError) as heard:
        issue(released)
    assert (heard.value.table, heard.value.row_id) == ("batches", released.batch_id)


def test_a_chunk_that_somebody_holds_is_waited_for(released: Released) -> None:
    site, maker = released.ground.site, released.ground.staff["maker"]
    after: list[Batch] = []
    told: list[int] = []

    def issue_it() -> None:
        with engine.here(site.kernel) as pool:
            after.append(
                engine.issue(
                    pool,
                    site.store,
                    released.batch_id,
                    actor=maker,
                    progress=lambda done, _total: told.append(done),
                )
            )

    issuing = threading.Thread(target=issue_it)
    with site.store.write() as tx:
        held = batches.lock_chunk(tx, released.batch_id, 2)
        assert held is not None
        issuing.start()
        # All but that one; then it is asked again and again.
        until(lambda: len(told) > 5 and told[-1] == told[-2])
        assert not after
    issuing.join(PATIENCE_SECONDS)
    released.check_complete(after[0])


def test_a_batch_is_paused_from_elsewhere_and_goes_on(released: Released) -> None:
    site, staff = released.ground.site, released.ground.staff
    told: list[int] = []

    def pause(done: int, _total: int) -> None:
        told.append(done)
        if len(told) == 2:
            act = PauseBatch(released.batch_id)
            site.kernel.perform(act, actor=staff["checker"], request_id=new_request_id())

    def issue_it() -> Batch:
        with engine.here(site.kernel) as pool:
            return engine.issue(
                pool, site.store, released.batch_id, actor=staff["maker"], progress=pause
            )

    paused = issue_it()
    assert paused.state is BatchState.PAUSED
    assert 0 < paused.issued < paused.accepted
    with pytest.raises(BatchError) as refused:
        issue_it()
    assert refused.value.code == "batch_paused"
    act = ResumeBatch(released.batch_id)
    site.kernel.perform(act, actor=staff["maker"], request_id=new_request_id())
    released.check_complete(issue_it())


def test_processes_are_taken_where_they_are_worth_their_start(ground: Ground) -> None:
    site = ground.site
    assert engine.workers_for(site, 3, 8) == 1
    assert engine.workers_for(site, 16, 8) == 2
    assert engine.workers_for(site, 10_000, 8) == 8
    assert engine.workers_for(site, 10_000) == len(os.sched_getaffinity(0))
    with founded(ecards=0) as embedded:
        assert engine.workers_for(embedded.site, 10_000, 8) == 1
