"""What a writer's threads do side by side, and what they never do."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bureau import Bureau
from servers.databases import Databases

from card_core.kernel.scan_requests import ScanRequest
from card_core.store import Lock
from scan_api.scans.writing import ScanWriter

PATIENCE_SECONDS = 20


@pytest.fixture
def databases(postgresql_databases: Databases) -> Databases:
    """SQLite takes one writer at a time."""
    return postgresql_databases


@pytest.fixture
def writer(bureau: Bureau) -> Iterator[ScanWriter]:
    made = ScanWriter(bureau.kernel)
    yield made
    made.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0)


def scan_of_another(bureau: Bureau) -> tuple[str, ScanRequest]:
    """Somebody's card, and a scan of its code."""
    person = bureau.person()
    code = bureau.minter.mint(person.holder_id).text
    return person.card_id, bureau.scan_request(code)


def verdict(answer: bytes) -> Any:
    return json.loads(answer)["reason"]


def test_a_scan_does_not_wait_for_a_group_that_waits_for_somebody_elses_card(
    bureau: Bureau, writer: ScanWriter
) -> None:
    card_id, slow = scan_of_another(bureau)
    _, quick = scan_of_another(bureau)

    async def journey() -> None:
        with bureau.store.write() as tx:
            tx.lock(f"cards/{card_id}", Lock.OWN)
            first = writer.submit(slow)
            await until(lambda: writer.waiting == 0)
            second = writer.submit(quick)
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert verdict(await second) == "accepted"
            assert not first.done()
        assert verdict(await first) == "accepted"

    asyncio.run(journey())


def test_one_code_in_two_groups_at_once_is_accepted_once(
    bureau: Bureau, writer: ScanWriter
) -> None:
    person = bureau.person()
    code = bureau.minter.mint(person.holder_id).text

    async def journey() -> list[str]:
        with bureau.store.write() as tx:
            tx.lock(f"cards/{person.card_id}", Lock.OWN)
            first = writer.submit(bureau.scan_request(code))
            await until(lambda: writer.waiting == 0)
            second = writer.submit(bureau.scan_request(code))
            await until(lambda: writer.waiting == 0)
        return sorted([verdict(await first), verdict(await second)])

    assert asyncio.run(journey()) == ["accepted", "already_used"]


def test_every_scan_is_answered_and_counted_once(bureau: Bureau, writer: ScanWriter) -> None:
    requests = [scan_of_another(bureau)[1] for _ in range(24)]

    async def journey() -> list[bytes]:
        futures = []
        for request in requests:
            futures.append(writer.submit(request))
            await asyncio.sleep(0)
        return list(await asyncio.gather(*futures))

    answers = asyncio.run(journey())
    assert {verdict(answer) for answer in answers} == {"accepted"}
    writer.stop()
    numbers = writer.metrics.snapshot()
    assert [value for *_, value in numbers["scans"]] == [len(requests)]
    assert numbers["groups"][0][2] == len(requests)
