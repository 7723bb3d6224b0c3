"""More requests than the service can answer: a bounded number is let in, the rest hear it at once.

A queue without a bound answers everybody too late. Here so many requests run at a time, so many
more may wait and only for so long; whoever finds no room gets 503 with Retry-After, made
beforehand. Scans have places of their own, so that a crowd at the holders' page does not stand
before the counters, nor the other way round. Whether the process lives and is ready is always
answered.

Whatever was let in is answered within ANSWER_SECONDS_MAX, also where what is behind says nothing
at all: with 503, and whether it was done is then for a retry of the same request to find out.

    Places       how many of one kind are inside, for one event loop
    Admission    the places of one process, and whether it is closing
    Overload     the middleware that uses it; scan_api/server.py asks it, too, before it parses
"""

import asyncio
import time
from collections import deque

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scan_api import problems
from scan_api.deadlines import Deadlines, OverdueError
from scan_api.metrics import Metrics
from scan_api.problems import Problem

SCANS = "/v1/scans"
TERMINALS = "/v1/"
NOT_TERMINALS = ("/v1/holder/", "/v1/bureau/")
READY = "/readyz"
ALWAYS = frozenset({"/healthz", READY})
RETRY_AFTER_SECONDS = 1
# The event loop reads nothing while it begins what it has read: with so many a turn, whoever is to
# be refused hears it soon. Each takes about a tenth of a millisecond before it waits for anything.
STARTS_A_TURN_MAX = 16
# What runs has begun to use the processor, the database or the fast store; what waits has not.
# No fewer than 32 run: scans share commits, and smaller groups would be slower, not faster.
RUNNING_MAX = 128
RUNNING_MIN = 32
# Scans end in groups, so that whoever waits for a moment between two groups waits for nothing, and
# costs as much as several who are refused unparsed: no more wait than do get a place.
WAITING_MAX = 24
# Where requests take longer than this there are too many of them for what is behind.
RUNNING_SECONDS_AIM = 0.3
# Longer than anything behind waits of its own accord (card_core.store.database.WAIT_SECONDS).
ANSWER_SECONDS_MAX = 12.0
# A refusal is told within 50 ms of the request, and waiting is the longest part of it.
WAIT_SECONDS_MAX = 0.02


class Places:
    """Requests of one kind: first come, first served. All calls come from one event loop.

    Of those that come in one turn of the event loop some begin, the others wait for the next turn.
    How many run at a time follows how long they take: fewer when it is longer than `aim_seconds`,
    slowly more again up to `running_max` when it is not. How many may wait is halved by whoever
    waited for nothing, and doubled again while nobody does.
    """

    def __init__(
        self,
        running_max: int = RUNNING_MAX,
        waiting_max: int = WAITING_MAX,
        wait_seconds: float = WAIT_SECONDS_MAX,
        aim_seconds: float = RUNNING_SECONDS_AIM,
    ) -> None:
        self._most = running_max
        self._running_max = running_max
        self._aim_seconds = aim_seconds
        self._measured = 0
        self._measured_seconds = 0.0
        self._most_waiting = waiting_max
        self._waiting_max = waiting_max
        self._wait_seconds = wait_seconds
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._waited_in_vain = False
        self._expected = 0
        self._starts_left = STARTS_A_TURN_MAX
        self.running = 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def running_max(self) -> int:
        """How many may run at a time now."""
        return self._running_max

    @property
    def waiting_max(self) -> int:
        """How many may wait now."""
        return self._waiting_max

    @property
    def is_full(self) -> bool:
        """Whether the next one would be refused at once; those that are expected come before it."""
        inside = self.running + len(self._waiting) + self._expected
        return inside >= self._running_max + self._waiting_max

    def expect(self) -> None:
        """Somebody comes in with this turn of the event loop. Where a turn takes long, as many may
        be read in one as would fill the places several times, before the first has entered."""
        if not self._expected:
            asyncio.get_running_loop().call_soon(self._stop_expecting)
        self._expected += 1

    def _stop_expecting(self) -> None:
        self._expected = 0

    def enter_now(self) -> bool:
        """Take a place if one is free and nobody waits; True obliges to `leave`."""
        if self._waiting or not self._may_start():
            return False
        self._start()
        return True

    async def enter(self) -> bool:
        """Wait for a place as long as waiting is worth it; True obliges to `leave`."""
        if self.running + len(self._waiting) >= self._running_max + self._waiting_max:
            return False
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(turn)
        too_late = loop.call_later(self._wait_seconds, self._give_up, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.leave()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise
        finally:
            too_late.cancel()

    def measure(self, seconds: float) -> None:
        """One request took so long, from its place on. As many as run at a time make a look."""
        self._measured += 1
        self._measured_seconds += seconds
        if self._measured < self._running_max:
            return
        if not self._waited_in_vain:
            self._waiting_max = min(self._most_waiting, 2 * self._waiting_max + 1)
        self._waited_in_vain = False
        mean = self._measured_seconds / self._measured
        self._measured, self._measured_seconds = 0, 0.0
        if mean > self._aim_seconds:
            fewer = int(self._running_max * max(0.5, self._aim_seconds / mean))
            self._running_max = max(min(RUNNING_MIN, self._most), fewer)
        else:
            self._running_max = min(self._most, self._running_max + 1 + self._running_max // 8)

    def leave(self) -> None:
        """Give the places that are free now to those who have waited longest."""
        self.running -= 1
        self._let_in()

    def _may_start(self) -> bool:
        return self.running < self._running_max and self._starts_left > 0

    def _start(self) -> None:
        if self._starts_left == STARTS_A_TURN_MAX:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._starts_left -= 1
        self.running += 1

    def _next_turn(self) -> None:
        self._starts_left = STARTS_A_TURN_MAX
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._may_start():
            turn = self._waiting.popleft()
            if not turn.done():
                self._start()
                turn.set_result(True)

    def _give_up(self, turn: asyncio.Future[bool]) -> None:
        """Whoever waits for a turn of the event loop, and not for a place, goes on waiting."""
        if turn.done():
            return
        if self._waiting.index(turn) < self._running_max - self.running:
            self._let_in()
            if not turn.done():
                asyncio.get_running_loop().call_later(self._wait_seconds, self._give_up, turn)
        else:
            self._waiting.remove(turn)
            turn.set_result(False)
            self._waiting_max //= 2
            self._waited_in_vain = True


class Admission:
    """The places of one process. is_closing: it takes leave and is no longer ready for more."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        self.metrics = metrics or Metrics()
        self.scans = Places()
        self.others = Places(running_max=32, waiting_max=64)
        self.is_closing = False
        self.metrics.gauges |= {
            "scans_running": lambda: self.scans.running,
            "scans_running_max": lambda: self.scans.running_max,
            "scans_waiting": lambda: self.scans.waiting,
            "scans_waiting_max": lambda: self.scans.waiting_max,
            "others_running": lambda: self.others.running,
            "others_waiting": lambda: self.others.waiting,
        }

    def places_for(self, path: str) -> Places:
        """Terminals' places for what terminals ask; the others for people, pages and the rest."""
        is_terminals = path == SCANS or (
            path.startswith(TERMINALS) and not path.startswith(NOT_TERMINALS)
        )
        return self.scans if is_terminals else self.others


class Overload:
    """Pure ASGI middleware; answers 503 itself."""

    def __init__(
        self, app: ASGIApp, admission: Admission, answer_seconds: float = ANSWER_SECONDS_MAX
    ) -> None:
        self.app = app
        self.admission = admission
        self._deadlines = Deadlines(answer_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path in ALWAYS:
            await self._always(path, scope, receive, send)
            return
        places = self.admission.places_for(path)
        if not (places.enter_now() or await places.enter()):
            self.admission.metrics.add_refusal("queue")
            await _refuse(problems.OVERLOADED, send)
            return
        entered = time.monotonic()
        try:
            await self._within_time(scope, receive, send)
        finally:
            places.measure(time.monotonic() - entered)
            places.leave()

    async def _within_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A thread that waits can't be called back: what runs in one is answered when it ends."""
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            with self._deadlines:
                await self.app(scope, receive, send_noted)
        except OverdueError:
            if started:
                raise
            self.admission.metrics.add_refusal("deadline")
            await _refuse(problems.NOT_READY, send)

    async def _always(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if path == READY and self.admission.is_closing:
            await _refuse(problems.NOT_READY, send)
        else:
            await self.app(scope, receive, send)


REFUSAL_HEADERS = (
    (b"content-type", problems.MEDIA_TYPE.encode()),
    (b"retry-after", b"%d" % RETRY_AFTER_SECONDS),
)
_BODIES = {one: one.to_bytes() for one in (problems.OVERLOADED, problems.NOT_READY)}


async def _refuse(problem: Problem, send: Send) -> None:
    body = _BODIES[problem]
    headers = [*REFUSAL_HEADERS, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
