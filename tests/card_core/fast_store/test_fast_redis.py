"""Spending on a real Redis: what comes of it, what it costs, and that one of many wins."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fast_rig import CARD, make_kernel, new_code, patient, redis_worker, spend, sqlite_kernel
from servers.redis import RedisServer, running

from card_core.errors import FastStoreAwayError, InDoubtError
from card_core.fast_store import FastStoreConfig, NoCard, Refused, Repeated, Spent, Used, layout
from card_core.fast_store.redis_store import RedisFastStore
from card_core.fast_store.servers import RedisServers
from card_core.kernel import Kernel
from card_core.store.epochs import Node

TAG = b"request1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    one = RedisServer(tmp_path_factory.mktemp("redis"), "save ''")
    with running(one):
        yield one


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Kernel:
    """The one database of the module, so that each test finds its epoch open."""
    return sqlite_kernel(tmp_path_factory.mktemp("database"))


@asynccontextmanager
async def missed(store: RedisFastStore, ecard_id: int) -> AsyncIterator[NoCard]:
    outcome = await store.spend(ecard_id, int(time.time()), os.urandom(8), TAG)
    assert isinstance(outcome, NoCard)
    yield outcome


async def load(store: RedisFastStore, ecard_id: int, version: int, state: int = 1) -> bool:
    async with missed(store, ecard_id) as outcome:
        return await store.put_card(outcome.ticket, version, state, CARD)


def test_a_code_is_spent_once_and_the_same_request_is_known_again(
    server: RedisServer, kernel: Kernel
) -> None:
    async def scenario() -> None:
        async with redis_worker(kernel, server.url) as store:
            code = new_code()
            assert isinstance(await store.spend(*code, TAG), NoCard)
            first = await spend(store, code, TAG)
            assert isinstance(first, Spent)
            assert first.sealed == CARD
            again = await store.spend(*code, TAG)
            assert isinstance(again, Repeated)
            assert again.sealed == CARD
            assert await store.spend(*code, b"request2") == Used()
            assert isinstance(await spend(store, new_code(code.ecard_id), b"request3"), Spent)

    asyncio.run(scenario())


def test_a_card_that_may_not_be_used_spends_nothing(server: RedisServer, kernel: Kernel) -> None:
    async def scenario() -> None:
        async with redis_worker(kernel, server.url) as store:
            code = new_code()
            assert await load(store, code.ecard_id, 1, state=7)
            refused = await store.spend(*code, TAG)
            assert isinstance(refused, Refused)
            assert (refused.state, refused.sealed) == (7, CARD)
            RedisServers(FastStoreConfig.parse(server.url)).push(*epoch_of(store), code.ecard_id, 2)
            assert await load(store, code.ecard_id, 2)
            assert isinstance(await store.spend(*code, b"another1"), Spent)

    asyncio.run(scenario())


def epoch_of(store: RedisFastStore) -> tuple[str, frozenset[Node]]:
    lease = store.keeper.lease
    assert lease is not None
    return lease.name.decode(), lease.nodes


def test_a_slow_load_can_not_put_an_old_state_back(server: RedisServer, kernel: Kernel) -> None:
    async def scenario() -> None:
        async with redis_worker(kernel, server.url) as store:
            ecard_id = new_code().ecard_id
            async with missed(store, ecard_id) as slow:
                RedisServers(FastStoreConfig.parse(server.url)).push(*epoch_of(store), ecard_id, 5)
                assert not await store.put_card(slow.ticket, 4, 1, CARD)
                assert await store.put_card(slow.ticket, 5, 9, CARD)
                assert not await store.put_card(slow.ticket, 5, 1, CARD)
            outcome = await store.spend(ecard_id, int(time.time()), os.urandom(8), TAG)
            assert isinstance(outcome, Refused)
            # A push that comes late takes nothing back.
            RedisServers(FastStoreConfig.parse(server.url)).push(*epoch_of(store), ecard_id, 4)
            assert isinstance(
                await store.spend(ecard_id, int(time.time()), os.urandom(8), TAG), Refused
            )

    asyncio.run(scenario())


def test_a_load_that_took_longer_than_any_tombstone_is_not_kept(
    server: RedisServer, kernel: Kernel
) -> None:
    async def scenario() -> None:
        async with redis_worker(kernel, server.url) as store:
            async with missed(store, new_code().ecard_id) as outcome:
                ticket = outcome.ticket
            for age_ms, kept in ((61_000, False), (-1000, False), (59_000, True)):
                old = replace(ticket, missed_at_ms=ticket.missed_at_ms - age_ms)
                assert await store.put_card(old, 1, 1, CARD) is kept
            stranger = replace(ticket, epoch=b"0" * 16)
            assert not await store.put_card(stranger, 2, 1, CARD)
            assert layout.RECORD_KEPT_SECONDS > 2 * layout.LOAD_SECONDS_MAX

    asyncio.run(scenario())


def test_codes_out_of_their_time_are_in_doubt_and_close_nothing(
    server: RedisServer, kernel: Kernel
) -> None:
    async def scenario() -> None:
        async with redis_worker(kernel, server.url) as store:
            lease = store.keeper.lease
            assert lease is not None
            for minted_at in (lease.not_before - 1, int(time.time()) + 3, 0, 2**39):
                with pytest.raises(InDoubtError):
                    await store.spend(1, minted_at, bytes(8), TAG)
            now = store.keeper.lease
            assert now is not None
            assert now.number == lease.number

    asyncio.run(scenario())


def test_spending_is_one_command(server: RedisServer, kernel: Kernel) -> None:
    async def scenario() -> None:
        async with redis_worker(kernel, server.url) as store:
            codes = [new_code() for _ in range(40)]
            for code in codes:
                await load(store, code.ecard_id, 1)
            client = server.client()
            client.config_resetstat()
            outcomes = await asyncio.gather(*(store.spend(*code, TAG) for code in codes))
            stats = client.info("commandstats")
            assert all(isinstance(outcome, Spent) for outcome in outcomes)
            assert stats["cmdstat_evalsha"]["calls"] == len(codes)
            # Whatever else was called belongs to the keeper's survey and to this test.
            assert {name for name in stats if name.startswith("cmdstat_")} <= {
                "cmdstat_evalsha",
                "cmdstat_info",
                "cmdstat_hmget",
                "cmdstat_get",
                "cmdstat_hset",
                "cmdstat_config|resetstat",
                "cmdstat_client|setinfo",
            }

    asyncio.run(scenario())


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("rounds", [4, pytest.param(1000, marks=pytest.mark.long)])
def test_of_64_at_once_over_two_workers_one_wins(
    request: pytest.FixtureRequest,
    server: RedisServer,
    tmp_path: Path,
    database: str,
    rounds: int,
) -> None:
    if database == "sqlite":
        kernel = sqlite_kernel(tmp_path)
    else:
        postgresql = request.getfixturevalue("postgresql")
        kernel = make_kernel(postgresql.url(postgresql.create()))

    async def scenario() -> None:
        async with (
            redis_worker(kernel, server.url) as one,
            redis_worker(kernel, server.url) as other,
        ):
            for _ in range(rounds):
                code = new_code()
                await load(one, code.ecard_id, 1)
                outcomes = await asyncio.gather(
                    *((one, other)[at % 2].spend(*code, os.urandom(8)) for at in range(64))
                )
                assert sum(isinstance(outcome, Spent) for outcome in outcomes) == 1
                assert sum(outcome == Used() for outcome in outcomes) == 63

    asyncio.run(scenario())


def test_a_spent_code_takes_70_bytes_in_all(server: RedisServer, kernel: Kernel) -> None:
    """All in all: marks and what holds them, at 1500 scans a second for one bucket's time."""

    async def scenario() -> None:
        async with redis_worker(kernel, patient(server.url)) as store:
            lease = store.keeper.lease
            assert lease is not None
            count = 1500 * layout.BUCKET_SECONDS
            for ecard_id in range(layout.SHARDS):
                await load(store, ecard_id, 1)
            start = int(time.time())
            start -= start % layout.BUCKET_SECONDS
            minted_at = max(start, lease.not_before)
            client = server.client()
            keys = [
                layout.bucket_key(lease.name, shard, minted_at) for shard in range(layout.SHARDS)
            ]
            before = client.info("memory")["used_memory"]
            outcomes = []
            for _ in range(count // 500):
                outcomes += await asyncio.gather(
                    *(
                        store.spend(at % layout.SHARDS, minted_at, os.urandom(8), os.urandom(8))
                        for at in range(500)
                    )
                )
            assert all(isinstance(outcome, Spent) for outcome in outcomes)
            grown = client.info("memory")["used_memory"] - before
            held = sum(client.memory_usage(key) for key in keys)
            print(f"{held / count:.1f} bytes a code in the keys, {grown / count:.1f} by INFO")
            assert held / count < 70
            assert grown / count < 70
            assert all(0 < client.ttl(key) <= layout.BUCKET_KEPT_SECONDS + 300 for key in keys)

    asyncio.run(scenario())


def test_after_a_flush_of_scripts_they_are_loaded_anew(server: RedisServer, kernel: Kernel) -> None:
    async def scenario() -> None:
        async with redis_worker(kernel, server.url) as store:
            code = new_code()
            await load(store, code.ecard_id, 1)
            server.client().script_flush()
            with pytest.raises(FastStoreAwayError):
                await store.spend(*code, TAG)
            deadline = time.monotonic() + 10
            while True:
                try:
                    assert isinstance(await store.spend(*code, TAG), Spent)
                    break
                except FastStoreAwayError:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.01)

    asyncio.run(scenario())
