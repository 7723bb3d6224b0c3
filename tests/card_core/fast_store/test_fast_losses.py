"""Redis forgets, in every way that it is known to: no code is accepted twice.

The promise counts 2000 codes for each setting, and how soon a new code is accepted (`make
test-long`); 100 of them show the same.
"""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fast_rig import (
    BACK_WITHIN_SECONDS,
    PATIENCE_SECONDS,
    Code,
    accepted,
    new_code,
    patient,
    redis_worker,
    sqlite_kernel,
    until_accepting,
)
from redis_losses import LOSSES, FailOver, Loss
from servers.redis import RedisServer, running
from stream_proxy import StreamProxy

from card_core.fast_store.redis_store import RedisFastStore

FEW, MANY = 100, 2000
CASES = [
    *((setting, FEW, PATIENCE_SECONDS) for setting in LOSSES if setting != "aof-always"),
    *(
        pytest.param(
            setting, MANY, BACK_WITHIN_SECONDS, marks=[pytest.mark.long, pytest.mark.alone]
        )
        for setting in LOSSES
    ),
]


async def lose_and_try_again(store: RedisFastStore, codes: list[Code], loss: Loss) -> float:
    """Spend, lose, and spend again for as long as the codes live; seconds until a new one works."""
    loss.begin()
    assert await accepted(store, codes) == len(codes)
    await asyncio.to_thread(loss.lose)
    at_once = await accepted(store, codes[:20])
    back_after = await until_accepting(store)
    assert at_once + await accepted(store, codes) == 0
    return back_after


@pytest.mark.parametrize(("setting", "count", "back_within"), CASES)
def test_what_redis_forgets_is_not_accepted_again(
    tmp_path: Path, setting: str, count: int, back_within: float
) -> None:
    async def scenario(loss: Loss) -> None:
        async with redis_worker(sqlite_kernel(tmp_path), patient(loss.url)) as store:
            codes = [new_code(ecard_id=number % 50 + 1) for number in range(count)]
            assert await lose_and_try_again(store, codes, loss) < back_within

    with LOSSES[setting](tmp_path) as loss:
        asyncio.run(scenario(loss))


def test_started_again_with_an_older_copy_that_has_the_buckets(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", "save ''")

    def lose() -> None:
        server.kill()
        server.start()
        assert server.client().keys("sscard:*:m:*"), "the copy has no bucket"

    async def scenario() -> None:
        async with redis_worker(sqlite_kernel(tmp_path), server.url) as store:
            await asyncio.to_thread(server.client().save)
            codes = [new_code() for _ in range(100)]
            loss = Loss(server.url, lose)
            await lose_and_try_again(store, codes, loss)

    with running(server):
        asyncio.run(scenario())


def test_failed_over_and_back_under_a_connection_that_never_broke(tmp_path: Path) -> None:
    """The first master is the same process, and master again, but its marks are the other one's."""
    pair = FailOver(tmp_path)

    async def scenario(stream: StreamProxy) -> None:
        async with redis_worker(sqlite_kernel(tmp_path), pair.master.url) as store:
            # The keeper is stopped and its lease has no end: only what a spending asks counts.
            lease = store.keeper.lease
            assert lease is not None
            await asyncio.to_thread(store.keeper.stop)
            store.keeper.lease = replace(lease, ends_at=time.monotonic() + 600)
            stream.swallow()
            code = new_code()
            assert await accepted(store, [code, code]) == 1
            await asyncio.to_thread(there_and_back, pair)
            assert await accepted(store, [code]) == 0
            assert store.keeper.lease is None, "the worker did not notice"

    with running(pair.master, pair.replica), StreamProxy.running(pair.master.port) as stream:
        pair.replica.replicate(stream.port)
        asyncio.run(scenario(stream))


def there_and_back(pair: FailOver) -> None:
    pair.replica.client().replicaof("NO", "ONE")
    pair.master.replicate(pair.replica.port)
    pair.master.client().replicaof("NO", "ONE")


def test_a_plain_mark_does_lose(tmp_path: Path) -> None:
    """The control: SET NX is what people use, and the same loss lets it accept everything again."""
    pair = FailOver(tmp_path)
    with running(pair.master, pair.replica), StreamProxy.running(pair.master.port) as stream:
        pair.replica.replicate(stream.port)
        stream.swallow()
        names = [f"code-{number}" for number in range(100)]
        first = pair.master.client()
        assert all(first.set(name, 1, nx=True, ex=65) for name in names)
        pair.replica.client().replicaof("NO", "ONE")
        second = pair.replica.client()
        assert all(second.set(name, 1, nx=True, ex=65) for name in names)
