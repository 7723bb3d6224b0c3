"""Redis forgets, in every way that it is known to: no code is accepted twice.

The promise counts 2000 codes for each setting (`make test-long`); 100 of them show the same.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fast_rig import (
    BACK_WITHIN_SECONDS,
    Code,
    accepted,
    new_code,
    redis_worker,
    sqlite_kernel,
    until_accepting,
)
from servers.redis import RedisServer, running
from stream_proxy import StreamProxy

from card_core.fast_store.redis_store import RedisFastStore

COUNTS = [100, pytest.param(2000, marks=pytest.mark.long)]
Lose = Callable[[], None]


async def lose_and_try_again(store: RedisFastStore, codes: list[Code], lose: Lose) -> float:
    """Spend, lose, and spend again for as long as the codes live; seconds until a new one works."""
    assert await accepted(store, codes) == len(codes)
    await asyncio.to_thread(lose)
    at_once = await accepted(store, codes[:20])
    back_after = await until_accepting(store)
    assert at_once + await accepted(store, codes) == 0
    return back_after


def on_one_server(tmp_path: Path, server: RedisServer, count: int, lose: Lose) -> None:
    async def scenario() -> None:
        async with redis_worker(sqlite_kernel(tmp_path), server.url) as store:
            codes = [new_code(ecard_id=number % 50 + 1) for number in range(count)]
            assert await lose_and_try_again(store, codes, lose) < BACK_WITHIN_SECONDS

    with running(server):
        asyncio.run(scenario())


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(
    "settings",
    [("save 3600 1 300 100 60 10000",), ("appendonly yes", "appendfsync everysec", "save ''")],
    ids=["points", "everysec"],
)
def test_killed_and_started_again_with_what_it_kept(
    tmp_path: Path, settings: tuple[str, ...], count: int
) -> None:
    server = RedisServer(tmp_path / "redis", *settings)

    def lose() -> None:
        server.kill()
        server.start()

    on_one_server(tmp_path, server, count, lose)


def test_started_again_with_an_older_copy_that_has_the_buckets(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", "save ''")

    async def scenario() -> None:
        async with redis_worker(sqlite_kernel(tmp_path), server.url) as store:
            await asyncio.to_thread(server.client().save)
            codes = [new_code() for _ in range(100)]

            def lose() -> None:
                server.kill()
                server.start()
                assert server.client().keys("sscard:*:m:*"), "the copy has no bucket"

            assert await lose_and_try_again(store, codes, lose) < BACK_WITHIN_SECONDS

    with running(server):
        asyncio.run(scenario())


@pytest.mark.parametrize("count", COUNTS)
def test_everything_deleted(tmp_path: Path, count: int) -> None:
    server = RedisServer(tmp_path / "redis", "save ''")
    on_one_server(tmp_path, server, count, lambda: server.client().flushall())


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("policy", ["volatile-lru", "allkeys-lru", "volatile-ttl"])
def test_marks_evicted_by_a_policy_set_at_run_time(tmp_path: Path, policy: str, count: int) -> None:
    server = RedisServer(tmp_path / "redis", "save ''")

    def lose() -> None:
        client = server.client()
        client.config_set("maxmemory-policy", policy)
        client.config_set("maxmemory", client.info()["used_memory"] - 300_000)
        for _ in range(500):
            client.set("filler", b"x" * 10_000, ex=600)
        assert client.info()["evicted_keys"] > 0
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")

    on_one_server(tmp_path, server, count, lose)


class FailOver:
    """A master, a replica fed through a proxy, and an address that moves from one to the other."""

    def __init__(self, home: Path, *settings: str) -> None:
        at_once = "repl-diskless-sync-delay 0"
        self.master = RedisServer(home / "master", "save ''", at_once, *settings)
        self.replica = RedisServer(home / "replica", "save ''")

    def promote(self, address: StreamProxy) -> None:
        self.replica.client().replicaof("NO", "ONE")
        address.lead_to(self.replica.port)


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.parametrize("setting", ["plain", "min-replicas", "wait"])
def test_failed_over_while_the_stream_is_cut(tmp_path: Path, setting: str, count: int) -> None:
    limits = ["min-replicas-to-write 1", "min-replicas-max-lag 1"]
    pair = FailOver(tmp_path, *(limits if setting == "min-replicas" else []))

    async def scenario(stream: StreamProxy, address: StreamProxy) -> None:
        url = f"redis://127.0.0.1:{address.port}"
        async with redis_worker(sqlite_kernel(tmp_path), url) as store:
            stream.swallow()
            codes = [new_code() for _ in range(count)]
            if setting == "wait":
                assert await accepted(store, codes[:1]) == 1
                client = pair.master.client()
                client.set("written", 1)
                assert client.wait(1, 20) == 0, "the stream is not cut"
                codes = codes[1:]

            def lose() -> None:
                pair.promote(address)

            assert await lose_and_try_again(store, codes, lose) < BACK_WITHIN_SECONDS

    with running(pair.master, pair.replica), StreamProxy.running(pair.master.port) as stream:
        pair.replica.replicate(stream.port)
        with StreamProxy.running(pair.master.port) as address:
            asyncio.run(scenario(stream, address))


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
