"""Redis dead, frozen, silent, full or read-only: a prompt no, never a yes, and soon back.

How prompt and how soon is held to the promise in the long run, where nothing else runs.
"""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
import uvloop
from fast_rig import (
    BACK_WITHIN_SECONDS,
    PATIENCE_SECONDS,
    Code,
    accepted,
    new_code,
    redis_worker,
    spend,
    sqlite_kernel,
    until_accepting,
)
from redis_faults import FAULTS
from servers.redis import RedisServer, running
from stream_proxy import StreamProxy

from card_core.errors import FastStoreError
from card_core.fast_store import Hindrance
from card_core.fast_store.redis_store import RedisFastStore

ANSWER_WITHIN_SECONDS = 0.3


@pytest.mark.parametrize("fault", FAULTS)
def test_while_it_lasts_nothing_is_accepted_and_soon_after_new_codes_are(
    tmp_path: Path, fault: str
) -> None:
    slowest, _ = begin_and_end(tmp_path, fault)
    assert slowest < PATIENCE_SECONDS


@pytest.mark.alone
@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_the_no_is_as_prompt_and_the_return_as_soon_as_promised(tmp_path: Path, fault: str) -> None:
    slowest, back_after = begin_and_end(tmp_path, fault)
    assert slowest < ANSWER_WITHIN_SECONDS
    assert back_after < BACK_WITHIN_SECONDS


def begin_and_end(tmp_path: Path, fault: str) -> tuple[float, float]:
    """A fault from beginning to end; the slowest answer meanwhile and the return, in seconds."""
    server = RedisServer(tmp_path / "redis", "save ''")
    begin, end = FAULTS[fault]

    async def scenario(proxy: StreamProxy) -> tuple[float, float]:
        url = f"redis://127.0.0.1:{proxy.port}"
        async with redis_worker(sqlite_kernel(tmp_path), url) as store:
            spent = [new_code() for _ in range(20)]
            assert await accepted(store, spent) == len(spent)
            await asyncio.to_thread(begin, server, proxy)
            tried, slowest = await refused(store, [code.ecard_id for code in spent])
            await asyncio.to_thread(end, server, proxy)
            back_after = await until_accepting(store)
            assert await accepted(store, spent) == 0
            # A code whose answer was lost may be used or not; it is never accepted twice.
            for code in tried:
                assert await accepted(store, [code, code, code]) <= 1
            return slowest, back_after

    with running(server), StreamProxy.running(server.port) as proxy:
        return asyncio.run(scenario(proxy))


async def refused(store: RedisFastStore, ecard_ids: list[int]) -> tuple[list[Code], float]:
    """Try for two seconds, as terminals would; the codes that were tried, the slowest answer."""
    tried, slowest, until = [], 0.0, time.monotonic() + 2
    while time.monotonic() < until:
        codes = [new_code(ecard_id) for ecard_id in ecard_ids]
        began = time.monotonic()
        outcomes = await asyncio.gather(
            *(spend(store, code) for code in codes), return_exceptions=True
        )
        slowest = max(slowest, time.monotonic() - began)
        wrong = [outcome for outcome in outcomes if not isinstance(outcome, FastStoreError)]
        assert wrong == []
        tried += codes[:2]
        await asyncio.sleep(0.05)
    return tried, slowest


@pytest.mark.parametrize(
    ("setting", "hindrance"),
    [
        (("maxmemory-policy", "allkeys-lru", "noeviction"), Hindrance.EVICTS),
        (("maxmemory-policy", "volatile-lru", "noeviction"), Hindrance.EVICTS),
        (("maxmemory", "1", "0"), Hindrance.FULL),
    ],
    ids=["allkeys-lru", "volatile-lru", "full"],
)
def test_a_server_that_is_set_wrong_is_named_with_what_to_do(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    setting: tuple[str, str, str],
    hindrance: Hindrance,
) -> None:
    server = RedisServer(tmp_path / "redis", "save ''")
    name, wrong, right = setting

    async def scenario() -> None:
        async with redis_worker(sqlite_kernel(tmp_path), server.url) as store:
            assert store.ready() is None
            server.client().config_set(name, wrong)
            await until(lambda: store.ready() is hindrance)
            assert await accepted(store, [new_code()]) == 0
            server.client().config_set(name, right)
            await until_accepting(store)
            await until(lambda: "fast_store_usable" in caplog.text)
            assert store.ready() is None

    with running(server):
        asyncio.run(scenario())
    told = [json.loads(line) for line in caplog.messages if "fast_store_" in line]
    assert [(one["event"], one.get("cause")) for one in told] == [
        ("fast_store_hindered", hindrance.value),
        ("fast_store_usable", None),
    ]
    advice = f"{name} {right}" if hindrance is Hindrance.EVICTS else name
    assert advice in told[0]["zh"]
    assert advice in told[0]["en"]


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_loop_that_was_late_itself_does_not_blame_the_server(
    tmp_path: Path, run: Callable[[Coroutine[None, None, None]], None]
) -> None:
    """As after a full garbage collection: the answer lies there, and the time for it is over."""
    server = RedisServer(tmp_path / "redis", "save ''")

    async def scenario() -> None:
        async with redis_worker(sqlite_kernel(tmp_path), server.url) as store:
            code = new_code()
            await spend(store, new_code(code.ecard_id))
            asking = asyncio.create_task(store.spend(*code, bytes(8)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            time.sleep(0.3)
            await asking
            assert store.ready() is None

    with running(server):
        run(scenario())


def test_an_answer_after_the_leases_have_run_out_is_not_believed(tmp_path: Path) -> None:
    """A worker that is stopped in the middle of a spending, and goes on when all is decided."""
    server = RedisServer(tmp_path / "redis", "save ''")

    async def scenario() -> None:
        async with redis_worker(sqlite_kernel(tmp_path), server.url) as store:
            code = new_code()
            await spend(store, new_code(code.ecard_id))
            asking = asyncio.create_task(store.spend(*code, bytes(8)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            time.sleep(1.2)
            with pytest.raises(FastStoreError):
                await asking

    with running(server):
        asyncio.run(scenario())


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
