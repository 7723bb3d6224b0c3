"""Issuing a batch, or taking a stock over, chunk by chunk: in this process, in several, or on many
machines (`cluster`).

The ledger in the database says which chunks are done, and who takes one locks it: so it does not
matter how many work, on how many machines, or which of them dies. A task is a batch's id and who
asked for it; what comes back is a chunk's number and size. Keys, rows and card numbers never pass
between processes: each worker opens the installation for itself.
"""

import atexit
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from card_core.kernel import Actor, Kernel
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.stock import TakeOverChunk
from card_core.states import BatchKind, BatchState
from card_core.store import Store, batches
from card_core.store.batches import Batch, Chunk
from issuance.batches import new_request_id
from issuance.errors import BatchError
from issuance.garbage import settle_memory
from issuance.installation import Installation, open_installation
from issuance.settings import Settings

# A worker process takes a second and a half to start: about so many chunks' time.
CHUNKS_A_WORKER = 8
# For each worker: one that it is at, and one that waits for it.
QUEUED_A_WORKER = 2
# How often it is asked who is there to work.
ASKED_SECONDS = 2.0
# Chunks that somebody else is at, or that a dead worker's connection still holds, are waited for.
ROUNDS_MAX = 15
ROUND_SECONDS = 1.0

Progress = Callable[[int, int], None]
"""Called with (cards done, cards of the batch); done is a card of a stock that was refused, too."""

_T = TypeVar("_T")

_kernels: list[Kernel] = []


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one task. chunk_number: None where nothing was left. done: cards, as in
    Progress."""

    chunk_number: int | None
    done: int


def issue_next(batch_id: str, actor: Actor, kind: BatchKind = BatchKind.ROSTER) -> Receipt:
    """Issue, or take over, the first chunk that nobody is at. Runs where a pool has opened an
    installation.

    Raises CardCoreError, CryptoError.
    """
    act = IssueChunk(batch_id) if kind is BatchKind.ROSTER else TakeOverChunk(batch_id)
    answer = _kernels[-1].perform(act, actor=actor, request_id=new_request_id())
    is_issued = kind is BatchKind.ROSTER
    done = answer["issued"] if is_issued else answer["taken"] + answer["refused"]
    return Receipt(answer["chunk_number"], done)


def kernel_here() -> Kernel:
    """The kernel of the installation that was opened last in this process, for a pool's tasks."""
    return _kernels[-1]


def workers_for(site: Installation, chunks: int, workers: int | None = None) -> int:
    """How many processes are worth their start; 1 where the database takes one writer at a time.

    workers: no more than these; as many as there are cores where it is None.
    """
    most = workers or len(os.sched_getaffinity(0))
    return max(1, min(most, site.store.writers_max, chunks // CHUNKS_A_WORKER))


@dataclass(frozen=True, slots=True)
class Pool:
    """Where tasks run. workers: asks how many do; 0 when nobody is left to.

    failures: what a task ends with when its worker died of it, again and again.
    """

    executor: Executor
    workers: Callable[[], int]
    failures: tuple[type[BaseException], ...] = ()


@contextmanager
def opened(kernel: Kernel) -> Iterator[None]:
    """This process does tasks over a kernel that is open already."""
    _kernels.append(kernel)
    try:
        yield
    finally:
        _kernels.remove(kernel)


@contextmanager
def here(kernel: Kernel) -> Iterator[Pool]:
    """One thread of this process."""
    with opened(kernel), ThreadPoolExecutor(1) as executor:
        yield Pool(executor, lambda: 1)


@contextmanager
def processes(settings: Settings, passphrase: bytes, workers: int) -> Iterator[Pool]:
    """So many processes, each with the installation opened anew."""
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_open,
        initargs=(settings, passphrase),
    ) as executor:
        yield Pool(executor, lambda: workers, (BrokenProcessPool,))


def _open(settings: Settings, passphrase: bytes) -> None:
    """In a new process, before its first task."""
    opened = ExitStack()
    atexit.register(opened.close)
    _kernels.append(opened.enter_context(open_installation(settings, passphrase)).kernel)
    settle_memory()


def issue(pool: Pool, store: Store, batch_id: str, *, actor: Actor, progress: Progress) -> Batch:
    """Issue what is not issued yet of a released batch, or take over what is not taken over of a
    stock; returns the batch after.

    Somebody may pause or cancel it meanwhile: then what is under way ends, and nothing else begins.
    Raises BatchError when it isn't released, or a worker died; whatever a task raises. Chunks that
    are done stay so, and running it again goes on with the others.
    """
    with store.read() as tx:
        found = batches.get(tx, batch_id)
        ledger = batches.chunks(tx, batch_id)
    batch = _released(found)

    def submit() -> Future[Receipt]:
        return pool.executor.submit(issue_next, batch_id, actor, batch.kind)

    total, done = sum(chunk.size for chunk in ledger), _done(ledger)
    progress(done, total)
    for round_number in range(ROUNDS_MAX):
        if batch.state is not BatchState.RELEASED:
            break
        if round_number:
            time.sleep(ROUND_SECONDS)
        try:
            for receipt in results(pool, submit, lambda one: one.chunk_number is None):
                done += receipt.done
                progress(done, total)
        except pool.failures:
            raise worker_died() from None
        with store.read() as tx:
            batch = batches.get(tx, batch_id) or batch
            ledger = batches.chunks(tx, batch_id)
    if _done(ledger) > done:  # by somebody else, or by a worker that died before it could say so
        progress(_done(ledger), total)
    return batch


def _done(ledger: Sequence[Chunk]) -> int:
    return sum(chunk.size for chunk in ledger if chunk.is_issued)


def _released(batch: Batch | None) -> Batch:
    """Raises BatchError where it isn't, or there is none."""
    is_stock = batch is not None and batch.kind is BatchKind.STOCK
    group = "stock" if is_stock else "batch"
    if batch is not None and batch.state is BatchState.PAUSED:
        raise BatchError(
            "batch_paused",
            f"批次已暂停。请先运行 sscard {group} resume。",
            f"The {group} is paused. First run sscard {group} resume.",
        )
    if batch is None or batch.state not in {BatchState.RELEASED, BatchState.ISSUED}:
        what_zh, what_en = (
            ("接管", "nothing can be taken over") if is_stock else ("发卡", "no card can be issued")
        )
        raise BatchError(
            f"{group}_not_released",
            f"批次尚未放行，不能{what_zh}。请先由复核人员运行 sscard {group} approve。",
            f"The {group} is not released, so {what_en}. First a checker runs sscard {group} "
            "approve.",
        )
    return batch


def results(
    pool: Pool, submit: Callable[[], Future[_T]], is_none_left: Callable[[_T], bool]
) -> Iterator[_T]:
    """What tasks come to, one after the other, as long as they find something to do.

    Raises BatchError when nobody is left to work; whatever a task raises.
    """
    waiting: set[Future[_T]] = set()
    is_over = False
    asked_at, queued_max = -ASKED_SECONDS, 0
    try:
        while not is_over or waiting:
            if time.monotonic() - asked_at >= ASKED_SECONDS:
                asked_at, queued_max = time.monotonic(), pool.workers() * QUEUED_A_WORKER
                if not queued_max:
                    raise worker_died()
            while not is_over and len(waiting) < queued_max:
                waiting.add(submit())
            ended, waiting = wait(waiting, ASKED_SECONDS, return_when=FIRST_COMPLETED)
            for result in [future.result() for future in ended]:
                is_over |= is_none_left(result)
                yield result
    finally:
        for future in waiting:
            future.cancel()


def worker_died() -> BatchError:
    return BatchError(
        "worker_died",
        "工作进程意外终止；已完成的部分有效。再次运行同一命令即可继续。",
        "A worker process died; what was done stays done. Run the same command to go on.",
    )
