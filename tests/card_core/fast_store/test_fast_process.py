"""The fast store in process: the same outcomes, and one process at a time."""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fast_rig import CARD, accepted, make_kernel, new_code, spend, sqlite_kernel, until_accepting
from fast_rig import worker as open_worker

from card_core.errors import FastStoreAwayError, FastStoreError, InDoubtError
from card_core.fast_store import (
    FastStoreConfig,
    Hindrance,
    NoCard,
    Refused,
    Repeated,
    Spent,
    Ticket,
    Used,
    open_card_pusher,
    open_fast_store,
)
from card_core.fast_store.process_store import ProcessFastStore, ProcessMemory
from card_core.kernel import Kernel
from card_core.store import epochs

CONFIG = FastStoreConfig.parse("process:")
TAG = b"request1"


@pytest.fixture(params=["sqlite", "postgresql"])
def kernel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kernel]:
    if request.param == "sqlite":
        made = sqlite_kernel(tmp_path)
    else:
        server = request.getfixturevalue("postgresql")
        made = make_kernel(server.url(server.create()))
    yield made
    made.store.close()


def test_outcomes_in_process(kernel: Kernel) -> None:
    async def scenario() -> None:
        store, pusher = open_fast_store(CONFIG, kernel, monotonic=time.monotonic)
        await store.start()
        await until_accepting(store)
        code = new_code()
        missed = await store.spend(*code, TAG)
        assert isinstance(missed, NoCard)
        assert isinstance(await spend(store, code, TAG), Spent)
        assert isinstance(await store.spend(*code, TAG), Repeated)
        assert await store.spend(*code, b"request2") == Used()
        # A card that changed is loaded again, and the slow load that read it before is not kept.
        await asyncio.to_thread(pusher.push_card, code.ecard_id, 2)
        missed_again = await store.spend(*new_code(code.ecard_id), TAG)
        assert isinstance(missed_again, NoCard)
        assert not await store.put_card(missed.ticket, 1, 1, CARD)
        assert await store.put_card(missed_again.ticket, 2, 9, CARD)
        assert not await store.put_card(missed_again.ticket, 2, 1, CARD)
        refused = await store.spend(*new_code(code.ecard_id), b"request3")
        assert isinstance(refused, Refused)
        assert refused.state == 9
        for minted_at in (code.minted_at - 70, code.minted_at + 10):
            with pytest.raises(InDoubtError):
                await store.spend(code.ecard_id, minted_at, os.urandom(8), TAG)
        await store.close()
        with pytest.raises(FastStoreAwayError):
            await store.spend(*code, TAG)

    asyncio.run(scenario())


def test_a_second_process_is_told_and_takes_over_when_the_first_one_ends(kernel: Kernel) -> None:
    async def scenario() -> None:
        second = ProcessFastStore(kernel, monotonic=time.monotonic)
        async with open_worker(kernel, "process:") as first:
            codes = [new_code() for _ in range(20)]
            assert await accepted(first, codes[:10]) == 10
            assert await accepted(first, codes[:10]) == 0
            await second.start()
            while second.ready() is Hindrance.STARTING:
                await asyncio.sleep(0.02)
            assert second.ready() is Hindrance.TAKEN
            assert await accepted(second, codes) == 0
            await asyncio.to_thread(second.keeper.turn)
            with kernel.store.read() as tx:
                epoch = epochs.get(tx)
            assert epoch is not None
            assert (epoch.number, epoch.is_open) == (1, True), "the first one was disturbed"
            fresh = [new_code() for _ in range(10)]
            assert await accepted(first, fresh) == 10
        await until_accepting(second)
        assert await accepted(second, codes + fresh) == 0
        await second.close()

    asyncio.run(scenario())


def test_a_card_changed_by_another_process_waits_until_the_leases_have_run_out(
    kernel: Kernel,
) -> None:
    async def scenario() -> None:
        pusher = open_card_pusher(CONFIG, kernel, monotonic=time.monotonic)
        async with open_worker(kernel, "process:") as store:
            assert isinstance(store, ProcessFastStore)
            code = new_code()
            assert await accepted(store, [code]) == 1
            # The worst worker: one that does not look again before its lease has run out.
            await asyncio.to_thread(store.keeper.stop)
            lease = await renewed(store)
            began = time.monotonic()
            await asyncio.to_thread(pusher.push_card, code.ecard_id, 2)
            assert time.monotonic() >= lease
            assert time.monotonic() - began < 4
            with pytest.raises(FastStoreError):
                await store.spend(*new_code(code.ecard_id), TAG)

    asyncio.run(scenario())


async def renewed(store: ProcessFastStore) -> float:
    """Take one last lease, as a process does just before it is stopped; when it ends."""
    while store.keeper.lease is None:
        await asyncio.to_thread(store.keeper.turn)
    return store.keeper.lease.ends_at


def test_a_slow_load_is_not_kept_in_process(tmp_path: Path) -> None:
    now = 1000.0
    memory = ProcessMemory(sqlite_kernel(tmp_path), "a" * 32, monotonic=lambda: now)
    memory.make_buckets("0" * 16, 0, 300, now=0)
    ticket = Ticket(1, b"0" * 16, int(now * 1000))
    assert memory.put(ticket, 1, 1, CARD, kept_seconds=300)
    now += 61
    assert not memory.put(ticket, 2, 1, CARD, kept_seconds=300)
    assert not memory.put(replace(ticket, epoch=b"1" * 16), 2, 1, CARD, kept_seconds=300)
    assert memory.put(replace(ticket, missed_at_ms=int(now * 1000)), 2, 1, CARD, kept_seconds=300)


def test_old_buckets_go_and_none_is_made_twice_in_process(tmp_path: Path) -> None:
    memory = ProcessMemory(sqlite_kernel(tmp_path), "a" * 32, monotonic=lambda: 0.0)
    memory.make_buckets("0" * 16, 0, 300, now=0)
    memory.make_buckets("0" * 16, 300, 600, now=290)
    assert min(memory._marks) == 196
    with pytest.raises(InDoubtError):
        memory.make_buckets("0" * 16, 596, 900, now=300)


def test_records_out_of_their_limits_are_the_caller_s_mistake(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = ProcessFastStore(sqlite_kernel(tmp_path), monotonic=time.monotonic)
        ticket = Ticket(1, b"0" * 16, 0)
        wrong = ((0, CARD, 1), (256, CARD, 1), (1, bytes(4097), 1), (1, CARD, 0), (1, CARD, 301))
        for state, sealed, kept in wrong:
            with pytest.raises(ValueError, match="record"):
                await store.put_card(ticket, 1, state, sealed, kept_seconds=kept)

    asyncio.run(scenario())
