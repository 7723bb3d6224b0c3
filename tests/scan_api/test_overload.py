"""Who is let in, who waits, who is refused."""

import asyncio
import json

import pytest
from starlette.types import Message, Receive, Scope, Send

from scan_api.overload import STARTS_A_TURN_MAX, Admission, Overload, Places


class Slow:
    """An application that answers when it is told to."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.entered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.entered += 1
        await self.go_on.wait()
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
        )
        await send({"type": "http.response.body", "body": b"ok"})


async def _ask(app: Overload, path: str = "/v1/scans") -> int:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "http", "path": path}, receive, send)
    if sent[0]["status"] == 503:
        assert dict(sent[0]["headers"])[b"retry-after"] == b"1"
        assert json.loads(sent[1]["body"])["code"] in {"overloaded", "not_ready"}
    status: int = sent[0]["status"]
    return status


def _admission(running: int, waiting: int, wait_seconds: float = 60) -> Admission:
    admission = Admission()
    admission.scans = Places(running, waiting, wait_seconds)
    return admission


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def _fill(places: Places, count: int) -> None:
    """As many as may begin in one turn of the event loop, turn by turn."""
    while places.running < count:
        places.enter_now()
        await asyncio.sleep(0)


def test_so_many_run_so_many_wait_and_the_next_is_refused_at_once() -> None:
    async def run() -> None:
        admission, slow = _admission(3, 2), Slow()
        app = Overload(slow, admission)
        inside = [asyncio.create_task(_ask(app)) for _ in range(5)]
        await _settle()
        assert (slow.entered, admission.scans.running, admission.scans.waiting) == (3, 3, 2)
        assert admission.scans.is_full
        assert await _ask(app) == 503
        slow.go_on.set()
        assert await asyncio.gather(*inside) == [200] * 5
        assert (admission.scans.running, admission.scans.waiting) == (0, 0)
        assert await _ask(app) == 200
        assert admission.metrics.snapshot()["refused"] == [["queue", 1]]

    asyncio.run(run())


def test_whoever_waits_too_long_is_refused_and_leaves_no_trace() -> None:
    async def run() -> None:
        admission, slow = _admission(1, 5, 0.01), Slow()
        app = Overload(slow, admission)
        first = asyncio.create_task(_ask(app))
        await _settle()
        assert await asyncio.gather(*(_ask(app) for _ in range(5))) == [503] * 5
        assert (admission.scans.running, admission.scans.waiting) == (1, 0)
        slow.go_on.set()
        assert await first == 200
        assert await _ask(app) == 200

    asyncio.run(run())


def test_whoever_is_behind_and_says_nothing_is_not_waited_for() -> None:
    async def run() -> None:
        admission, slow = _admission(1, 1), Slow()
        assert await _ask(Overload(slow, admission, answer_seconds=0.02)) == 503
        assert (slow.entered, admission.scans.running) == (1, 0)
        assert admission.metrics.snapshot()["refused"] == [["deadline", 1]]
        # The next one has its place, and an answer that comes in time is told as it is.
        slow.go_on.set()
        assert await _ask(Overload(slow, admission)) == 200

    asyncio.run(run())


def test_a_place_is_given_back_when_the_application_raises_or_is_cancelled() -> None:
    async def run() -> None:
        async def fail(scope: Scope, receive: Receive, send: Send) -> None:
            raise ValueError("of the application")

        admission = _admission(1, 1)
        with pytest.raises(ValueError, match="of the application"):
            await _ask(Overload(fail, admission))
        slow = Slow()
        tasks = [asyncio.create_task(_ask(Overload(slow, admission))) for _ in range(2)]
        await _settle()
        # One that waits, then the one whose turn it just became, then the one that runs.
        tasks[1].cancel()
        await _settle()
        assert (admission.scans.running, admission.scans.waiting) == (1, 0)
        tasks[0].cancel()
        await _settle()
        assert admission.scans.running == 0

    asyncio.run(run())


def test_a_turn_that_comes_with_the_cancellation_is_passed_on() -> None:
    async def run() -> None:
        places = Places(1, 2, 60)
        assert places.enter_now()
        waiting = [asyncio.create_task(places.enter()) for _ in range(2)]
        await _settle()
        places.leave()
        waiting[0].cancel()
        assert await asyncio.wait_for(waiting[1], 5)
        assert (places.running, places.waiting) == (1, 0)

    asyncio.run(run())


def test_fewer_run_at_a_time_when_they_take_too_long_and_more_again_when_not() -> None:
    places = Places(running_max=128, aim_seconds=0.3)

    def busy(seconds: float, requests: int) -> int:
        for _ in range(requests):
            places.measure(seconds)
        return places.running_max

    assert busy(0.29, 1280) == 128
    assert busy(0.6, 128) == 64
    assert busy(5.0, 640) == 32
    assert busy(0.01, 32) == 37
    assert busy(0.01, 2000) == 128


def test_fewer_may_wait_when_they_wait_for_nothing_and_more_again_when_not() -> None:
    async def run() -> None:
        places = Places(32, 128, wait_seconds=0.01, aim_seconds=9)
        await _fill(places, 32)
        assert await asyncio.gather(*(places.enter() for _ in range(5))) == [False] * 5
        allowed = [places.waiting_max]
        for _ in range(4):
            for _ in range(32):
                places.measure(0.1)
            allowed.append(places.waiting_max)
        # The look that comes first still knows of those who waited for nothing.
        assert allowed == [4, 4, 9, 19, 39]
        for _ in range(128):
            places.measure(0.1)
        assert places.waiting_max == 128

    asyncio.run(run())


def test_those_who_were_read_in_the_same_turn_count_before_they_enter() -> None:
    async def run() -> None:
        places = Places(2, 1)
        assert places.enter_now()
        places.expect()
        assert not places.is_full
        places.expect()
        assert places.is_full
        await asyncio.sleep(0)
        assert not places.is_full

    asyncio.run(run())


def test_where_nobody_may_wait_the_next_one_is_refused_at_once() -> None:
    async def run() -> None:
        places = Places(1, 1, wait_seconds=0.01)
        assert places.enter_now()
        assert not places.is_full
        assert not await places.enter()
        assert places.is_full
        assert not await places.enter()
        places.leave()
        assert places.enter_now()

    asyncio.run(run())


def test_places_that_are_gone_are_not_given_on() -> None:
    async def run() -> None:
        places = Places(64, 8, 60, 0.2)
        await _fill(places, 64)
        waiting = asyncio.create_task(places.enter())
        await _settle()
        for _ in range(64):
            places.measure(9.0)
        for left in range(64, 31, -1):
            assert (places.running, places.waiting) == (left, 1)
            places.leave()
        assert (places.running, places.waiting) == (32, 0)
        assert await waiting

    asyncio.run(run())


def test_holders_and_counters_do_not_stand_in_each_others_way() -> None:
    async def run() -> None:
        admission, slow = _admission(1, 0), Slow()
        app = Overload(slow, admission)
        scan = asyncio.create_task(_ask(app))
        await _settle()
        others = [asyncio.create_task(_ask(app, path)) for path in ("/v1/holder/card", "/healthz")]
        await _settle()
        assert slow.entered == 3
        assert await _ask(app) == 503
        slow.go_on.set()
        assert await asyncio.gather(scan, *others) == [200] * 3

    asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "is_terminals"),
    [
        ("/v1/scans", True),
        ("/v1/terminal", True),
        ("/v1/anything/else", True),
        ("/v1/holder/codes", False),
        ("/", False),
        ("/docs", False),
    ],
)
def test_what_terminals_ask_has_the_terminals_places(path: str, is_terminals: bool) -> None:
    admission = Admission()
    assert (admission.places_for(path) is admission.scans) is is_terminals


def test_readiness_fails_when_the_process_takes_leave_and_life_does_not() -> None:
    async def run() -> None:
        slow = Slow()
        slow.go_on.set()
        app = Overload(slow, admission := Admission())
        assert [await _ask(app, path) for path in ("/readyz", "/healthz")] == [200, 200]
        admission.is_closing = True
        assert [await _ask(app, path) for path in ("/readyz", "/healthz")] == [503, 200]

    asyncio.run(run())


def test_what_comes_in_one_turn_begins_in_several_and_is_not_refused_for_that() -> None:
    async def run() -> None:
        admission, slow = _admission(running=100, waiting=0, wait_seconds=0), Slow()
        app = Overload(slow, admission)
        asked = [asyncio.create_task(_ask(app)) for _ in range(2 * STARTS_A_TURN_MAX + 1)]
        seen = []
        for _ in range(8):
            await asyncio.sleep(0)
            seen.append(slow.entered)
        steps = [after - before for before, after in zip([0, *seen], seen, strict=False)]
        assert max(steps) == STARTS_A_TURN_MAX
        assert seen[-1] == len(asked)
        slow.go_on.set()
        assert await asyncio.gather(*asked) == [200] * len(asked)
        assert admission.scans.running == 0

    asyncio.run(run())
