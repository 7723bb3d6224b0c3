"""Issuing a batch chunk by chunk, in this process or in several.

The ledger in the database says which chunks are done, and who takes one locks it: so it does not
matter how many work, on how many machines, or which of them dies. A task is a batch's id and who
asked for it; what comes back is a chunk's number and size. Keys, rows and card numbers never pass
between processes: each worker opens the installation for itself.
"""

import atexit
import multiprocessing
import os
from collections.abc import Callable, Iterator
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

from card_core.kernel import Actor, Kernel
from card_core.kernel.acts.batches import IssueChunk
from card_core.states import BatchState
from card_core.store import Store, batches
from card_core.store.batches import Batch
from issuance.batches import new_request_id
from issuance.errors import BatchError
from issuance.installation import Installation, open_installation
from issuance.settings import Settings

# A worker process takes a second and a half to start: about so many chunks' time.
CHUNKS_A_WORKER = 8
# For each worker: one that it is at, and one that waits for it.
QUEUED_A_WORKER = 2

Progress = Callable[[int, int], None]
"""Called with (cards made, cards of the batch)."""

_kernels: list[Kernel] = []


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one task. chunk_number: None where nothing was left. issued: cards."""

    chunk_number: int | None
    issued: int


def issue_next(batch_id: str, actor: Actor) -> Receipt:
    """Issue the first chunk that nobody is at. Runs where a pool has opened an installation.

    Raises CardCoreError, CryptoError.
    """
    act = IssueChunk(batch_id)
    answer = _kernels[-1].perform(act, actor=actor, request_id=new_request_id())
    return Receipt(answer["chunk_number"], answer["issued"])


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
    """Where tasks run, and how many at a time."""

    executor: Executor
    workers: int


@contextmanager
def here(kernel: Kernel) -> Iterator[Pool]:
    """One thread of this process, over a kernel that is open already."""
    _kernels.append(kernel)
    try:
        with ThreadPoolExecutor(1) as executor:
            yield Pool(executor, 1)
    finally:
        _kernels.remove(kernel)


@contextmanager
def processes(settings: Settings, passphrase: bytes, workers: int) -> Iterator[Pool]:
    """So many processes, each with the installation opened anew."""
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_open,
        initargs=(settings, passphrase),
    ) as executor:
        yield Pool(executor, workers)


def _open(settings: Settings, passphrase: bytes) -> None:
    """In a new process, before its first task."""
    opened = ExitStack()
    atexit.register(opened.close)
    _kernels.append(opened.enter_context(open_installation(settings, passphrase)).kernel)


def issue(pool: Pool, store: Store, batch_id: str, *, actor: Actor, progress: Progress) -> Batch:
    """Issue what is not issued yet of a released batch; returns the batch after.

    Raises BatchError when it isn't released, or a worker died; whatever a task raises. Chunks that
    are issued stay so, and running it again goes on with the others.
    """
    with store.read() as tx:
        batch = batches.get(tx, batch_id)
        ledger = batches.chunks(tx, batch_id)
    if batch is None or batch.state not in {BatchState.RELEASED, BatchState.ISSUED}:
        raise BatchError(
            "batch_not_released",
            "批次尚未放行，不能发卡。请先由复核人员运行 sscard batch approve。",
            "The batch is not released, so no card can be issued. First a checker runs sscard "
            "batch approve.",
        )
    done = sum(chunk.size for chunk in ledger if chunk.is_issued)
    progress(done, batch.accepted)
    if batch.state is BatchState.RELEASED:
        try:
            for issued in _receipts(pool, batch_id, actor):
                done += issued
                progress(done, batch.accepted)
        except BrokenProcessPool:
            raise BatchError(
                "worker_died",
                "一个发卡进程意外终止；已发出的卡有效。再次运行同一命令即可继续。",
                "A worker process died; what was issued stays issued. Run the same command to go "
                "on.",
            ) from None
    with store.read() as tx:
        return batches.get(tx, batch_id) or batch


def _receipts(pool: Pool, batch_id: str, actor: Actor) -> Iterator[int]:
    """How many cards each chunk had, as they are issued; until a task finds none left."""
    waiting = {_submit(pool, batch_id, actor) for _ in range(pool.workers * QUEUED_A_WORKER)}
    is_over = False
    try:
        while waiting:
            ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for receipt in [future.result() for future in ended]:
                is_over |= receipt.chunk_number is None
                if not is_over:
                    waiting.add(_submit(pool, batch_id, actor))
                yield receipt.issued
    finally:
        for future in waiting:
            future.cancel()


def _submit(pool: Pool, batch_id: str, actor: Actor) -> Future[Receipt]:
    return pool.executor.submit(issue_next, batch_id, actor)
