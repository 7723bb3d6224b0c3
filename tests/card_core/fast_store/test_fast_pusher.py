"""After push_card returns, no worker uses what it knew of the card before."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fast_rig import accepted, new_code, redis_worker, sqlite_kernel
from servers.redis import RedisServer, running
from stream_proxy import StreamProxy

from card_core.errors import FastStoreAwayError, FastStoreError
from card_core.fast_store import FastStoreConfig, NoCard, layout, open_card_pusher
from card_core.fast_store.keeper import ACTOR
from card_core.fast_store.lease import SETTLE_SECONDS
from card_core.fast_store.pusher import CardPusher
from card_core.kernel import Kernel
from card_core.kernel.acts.epochs import LEASE_SECONDS, CloseEpoch, OpenEpoch
from card_core.store import epochs
from card_core.store.epochs import Node

TAG = b"request1"


@pytest.mark.parametrize(
    "away",
    [pytest.param(False, id="there", marks=pytest.mark.alone), pytest.param(True, id="away")],
)
def test_no_worker_accepts_the_card_any_more(tmp_path: Path, away: bool) -> None:
    """The worker reaches Redis and the pusher does not: the leases decide."""
    server = RedisServer(tmp_path / "redis", "save ''")

    async def scenario(proxy: StreamProxy) -> None:
        kernel = sqlite_kernel(tmp_path)
        url = f"redis://127.0.0.1:{proxy.port}"
        pusher = open_card_pusher(FastStoreConfig.parse(url), kernel, monotonic=time.monotonic)
        async with redis_worker(kernel, server.url) as store:
            code = new_code()
            assert await accepted(store, [code]) == 1
            if away:
                proxy.swallow()
            took = await pushed(pusher, code.ecard_id)
            if not away:
                assert took < 1
                missed = await store.spend(*new_code(code.ecard_id), TAG)
                assert isinstance(missed, NoCard)
            else:
                assert took >= LEASE_SECONDS + SETTLE_SECONDS
                with pytest.raises(FastStoreError):
                    await store.spend(*code, TAG)

    with running(server), StreamProxy.running(server.port) as proxy:
        asyncio.run(scenario(proxy))


async def pushed(pusher: CardPusher, ecard_id: int) -> float:
    began = time.monotonic()
    await asyncio.to_thread(pusher.push_card, ecard_id, 2)
    return time.monotonic() - began


class Pushes:
    """A backing that counts pushes and may do something while it takes one."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.names: list[str] = []
        self.meanwhile = meanwhile

    def push(self, name: str, nodes: frozenset[Node], ecard_id: int, version: int) -> None:
        self.names.append(name)
        self.meanwhile()


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return sqlite_kernel(tmp_path)


def perform(kernel: Kernel, act: CloseEpoch | OpenEpoch) -> None:
    kernel.perform(act, actor=ACTOR, request_id=kernel.random_bytes(16).hex())


def open_epoch(kernel: Kernel, number: int, name: str) -> None:
    perform(kernel, CloseEpoch(number - 1, layout.LAYOUT, "tests"))
    with kernel.store.read() as tx:
        now = epochs.database_time(tx)
    until = int(now.timestamp()) + 300
    perform(kernel, OpenEpoch(number, layout.LAYOUT, name, (Node("a", "b"),), until, now))


def test_an_epoch_that_changes_meanwhile_is_pushed_to_again(kernel: Kernel) -> None:
    waits: list[float] = []
    open_epoch(kernel, 1, "a" * 16)

    def change() -> None:
        pushes.meanwhile = lambda: None
        open_epoch(kernel, 2, "b" * 16)

    pushes = Pushes(change)
    CardPusher(kernel, pushes, wait=waits.append).push_card(1, 2)
    assert pushes.names == ["a" * 16, "b" * 16]
    assert waits == []


def test_without_a_fast_store_there_is_nothing_to_wait_for(kernel: Kernel) -> None:
    waits: list[float] = []
    CardPusher(kernel, Pushes(), wait=waits.append).push_card(1, 2)
    assert waits == []


def test_an_epoch_that_was_just_closed_still_has_leases(kernel: Kernel) -> None:
    waits: list[float] = []
    open_epoch(kernel, 1, "a" * 16)
    perform(kernel, CloseEpoch(1, layout.LAYOUT, "tests"))
    pushes = Pushes()
    CardPusher(kernel, pushes, wait=waits.append).push_card(1, 2)
    assert waits == [LEASE_SECONDS + SETTLE_SECONDS]
    assert pushes.names == []


def test_a_push_that_fails_closes_the_epoch_before_it_waits(kernel: Kernel) -> None:
    open_epoch(kernel, 1, "a" * 16)

    def fail() -> None:
        raise FastStoreAwayError("imagined")

    def is_closed_by_now(seconds: float) -> None:
        waits.append(seconds)
        with kernel.store.read() as tx:
            epoch = epochs.get(tx)
        assert epoch is not None
        assert not epoch.is_open

    waits: list[float] = []
    CardPusher(kernel, Pushes(fail), wait=is_closed_by_now).push_card(1, 2)
    assert waits == [LEASE_SECONDS + SETTLE_SECONDS]
