"""A worker with a fast store on real servers, and what its tests ask of it."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bureau import SYSTEM, make_cipher

from card_core.errors import FastStoreError
from card_core.fast_store import (
    FastStore,
    FastStoreConfig,
    NoCard,
    Outcome,
    Spent,
    open_fast_store,
)
from card_core.fast_store.redis_store import RedisFastStore
from card_core.kernel import Kernel
from card_core.kernel.acts.set_up import SetUpIssuer
from card_core.store import open_store

# As long as the promise says; held where the machine is the test's own, in the long run.
BACK_WITHIN_SECONDS = 5.0
# And for tests that share theirs with others.
PATIENCE_SECONDS = 30.0
AT_A_TIME = 25
CARD = b"a sealed record"
_serial = itertools.count(1)


def make_kernel(url: str) -> Kernel:
    """A kernel on the machine's real clock, with nothing in its database but an issuer."""
    store = open_store(url, cipher=make_cipher())
    store.upgrade()
    kernel = Kernel(store, clock=lambda: datetime.now(UTC), random_bytes=os.urandom)
    kernel.perform(SetUpIssuer(1, "GD", "发卡机构"), actor=SYSTEM, request_id="set-up")
    return kernel


def sqlite_kernel(directory: Path) -> Kernel:
    return make_kernel(f"sqlite:///{directory / f'rig-{next(_serial)}.db'}")


class Code(NamedTuple):
    ecard_id: int
    minted_at: int
    nonce: bytes


def new_code(ecard_id: int | None = None) -> Code:
    """A code that is minted now, of a new e-card unless one is given."""
    return Code(ecard_id or next(_serial) + 1000, int(time.time()), os.urandom(8))


async def spend(store: FastStore, code: Code, tag: bytes | None = None) -> Outcome:
    """Spend, after loading the card if it is missed, as a scan does."""
    request_tag = tag or os.urandom(8)
    outcome = await store.spend(*code, request_tag)
    if isinstance(outcome, NoCard):
        await store.put_card(outcome.ticket, 1, 1, CARD)
        outcome = await store.spend(*code, request_tag)
    return outcome


async def accepted(store: FastStore, codes: Iterable[Code]) -> int:
    """How many of the codes are accepted now, each under a request of its own.

    Several at a time: a server that syncs each write to a slow disk would take longer for thousands
    than they live.
    """
    count = 0
    for some in _in_groups(codes):
        results = await asyncio.gather(
            *(spend(store, code) for code in some), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, FastStoreError):
                raise result
            count += isinstance(result, Spent)
    return count


def _in_groups(codes: Iterable[Code]) -> Iterator[list[Code]]:
    left = iter(codes)
    while some := list(itertools.islice(left, AT_A_TIME)):
        yield some


def patient(url: str) -> str:
    """For a test of what is remembered, and not of how fast a busy machine answers."""
    return url + ("&" if "?" in url else "?") + "answer_ms=2000"


async def until_accepting(store: FastStore, ecard_id: int | None = None) -> float:
    """Show new codes, of one e-card or of many, until one is accepted; how many seconds."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_SECONDS:
        if await accepted(store, [new_code(ecard_id)]):
            return time.monotonic() - began
        await asyncio.sleep(0.05)
    raise AssertionError(f"no new code is accepted: {store.ready()}")


@asynccontextmanager
async def worker(kernel: Kernel, address: str) -> AsyncIterator[FastStore]:
    """A store that is accepting."""
    store, _ = open_fast_store(FastStoreConfig.parse(address), kernel, monotonic=time.monotonic)
    await store.start()
    try:
        await until_accepting(store)
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def redis_worker(kernel: Kernel, address: str) -> AsyncIterator[RedisFastStore]:
    async with worker(kernel, address) as store:
        assert isinstance(store, RedisFastStore)
        yield store
