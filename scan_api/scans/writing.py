"""The one thread of a process that writes scans: those that wait together share a commit.

A scan that comes while a group is being written waits for the next one, so groups grow with the
load and a single scan waits for nobody. The queue is bounded in number and in age.

The same thread writes the records of scans that were answered before (`identified`): within a
second, in groups of their own, again and again while the database is away. Their queue is bounded
by places that are taken before a code is spent.
"""

import asyncio
import json
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from card_core.errors import CardCoreError, StoreBusyError
from card_core.kernel import Kernel
from card_core.kernel.identified import IdentifiedScan
from card_core.kernel.scan_requests import ScanRequest
from scan_api.metrics import Metrics

GROUP_SCANS_MAX = 256
WAITING_SCANS_MAX = 2048
WAITING_SECONDS_MAX = 5.0
IDLE_SECONDS = 5.0
IDENTIFIED_MAX = 20_000
IDENTIFIED_GROUP_MAX = 256
# The longer, the fewer commits; the record is promised within a second of the answer.
IDENTIFIED_WAIT_SECONDS = 0.25
IDENTIFIED_RETRY_SECONDS = 0.25
# When the process ends and the database is away.
DRAIN_SECONDS_MAX = 5.0

_log = logging.getLogger("sscard.scans")

_Result = bytes | Exception
_Future = asyncio.Future[bytes]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    request: ScanRequest
    since: float
    loop: asyncio.AbstractEventLoop
    future: _Future


class ScanWriter:
    """Writes scans through the kernel in groups; its thread ends when nothing came for a while."""

    def __init__(
        self,
        kernel: Kernel,
        metrics: Metrics | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """metrics: told of each group and verdict. clock: seconds, monotonic."""
        self.metrics = metrics or Metrics()
        self._kernel = kernel
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._identified: deque[IdentifiedScan] = deque()
        self._places_taken = 0
        self._failing = False
        self._identified_due_at = 0.0
        self._stopping = False
        self._drain_until = 0.0
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """How many scans wait for their group."""
        return len(self._waiting)

    @property
    def unrecorded(self) -> int:
        """How many scans were answered and are not on record yet."""
        return len(self._identified)

    def submit(self, request: ScanRequest) -> _Future:
        """The scan's answer as JSON, when its group is committed; called in an event loop.

        The future raises CardCoreError. Raises StoreBusyError at once where too many wait already,
        or the writer was stopped.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(request, self._clock(), loop, loop.create_future())
        with self._wake:
            if self._stopping or len(self._waiting) >= WAITING_SCANS_MAX:
                raise StoreBusyError
            self._waiting.append(waiting)
            self._start()
        return waiting.future

    def take_place(self) -> bool:
        """Take a place for the record of one identified scan, before its code is spent; False where
        there is none. To be given back by `keep` or `leave_place`."""
        with self._wake:
            if self._stopping or self._places_taken >= IDENTIFIED_MAX:
                return False
            self._places_taken += 1
            return True

    def leave_place(self) -> None:
        with self._wake:
            self._places_taken -= 1

    def keep(self, scan: IdentifiedScan) -> None:
        """Have the record of a scan written, on a place that was taken for it."""
        with self._wake:
            if not self._identified:
                self._identified_due_at = self._clock() + IDENTIFIED_WAIT_SECONDS
            self._identified.append(scan)
            # The thread has its next look in time; waking it for each one would cost more.
            if len(self._identified) in {1, IDENTIFIED_GROUP_MAX}:
                self._start()

    def stop(self) -> None:
        """Write what waits, take nothing more, and end the thread."""
        with self._wake:
            self._stopping = True
            self._drain_until = self._clock() + DRAIN_SECONDS_MAX
            self._identified_due_at = self._clock()
            if self._identified:
                self._start()
            self._wake.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _start(self) -> None:
        """Have the thread look, under the lock."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="scan writer", daemon=True)
            self._thread.start()
        self._wake.notify()

    def _run(self) -> None:
        while self._has_work():
            group = self._next_group()
            if group:
                self._write_waiting(group)
            identified = self._next_identified()
            if identified:
                self._write_identified(identified)

    def _write_waiting(self, group: list[_Waiting]) -> None:
        oldest = self._clock() - WAITING_SECONDS_MAX
        in_time = [one for one in group if one.since >= oldest]
        late = [one for one in group if one.since < oldest]
        _deliver_all(late, [StoreBusyError() for _ in late])
        if in_time:
            began = self._clock()
            results = self._write(in_time)
            written = self._clock()
            _deliver_all(in_time, results)
            self.metrics.add_group(len(in_time), written - began)
            self._count(in_time, results)

    def _has_work(self) -> bool:
        """Wait for something to write; False where the thread ends."""
        with self._wake:
            idle_at = self._clock() + IDLE_SECONDS
            while not self._waiting and not self._is_identified_due():
                now = self._clock()
                if self._identified:
                    until = self._identified_due_at
                elif self._stopping or now >= idle_at:
                    self._thread = None
                    return False
                else:
                    until = idle_at
                self._wake.wait(max(0.0, until - now))
            return True

    def _is_identified_due(self) -> bool:
        if not self._identified:
            return False
        return self._clock() >= self._identified_due_at or self._is_group_full()

    def _is_group_full(self) -> bool:
        return len(self._identified) >= IDENTIFIED_GROUP_MAX and not self._failing

    def _next_group(self) -> list[_Waiting]:
        with self._wake:
            size = min(len(self._waiting), GROUP_SCANS_MAX)
            return [self._waiting.popleft() for _ in range(size)]

    def _next_identified(self) -> list[IdentifiedScan]:
        with self._wake:
            if not self._is_identified_due():
                return []
            size = min(len(self._identified), IDENTIFIED_GROUP_MAX)
            return [self._identified[at] for at in range(size)]

    def _write_identified(self, group: list[IdentifiedScan]) -> None:
        """They leave the queue when they are written, and never before."""
        began = self._clock()
        try:
            self._kernel.record_identified(group)
        except Exception as error:  # noqa: BLE001 - whatever it is, these scans are answered already
            if not self._failing:
                _log.warning('{"event": "scans_not_recorded", "error": "%s"}', _name_of(error))
            with self._wake:
                self._failing = True
                self._identified_due_at = self._clock() + IDENTIFIED_RETRY_SECONDS
                if self._stopping and self._clock() >= self._drain_until:
                    lost, self._identified = len(self._identified), deque()
                    self._places_taken -= lost
                    _log.error('{"event": "scans_lost", "scans": %d}', lost)
            return
        self.metrics.add_group(len(group), self._clock() - began)
        for one in group:
            self._count_one(one.verdict.outcome, one.verdict.value, one.request)
        with self._wake:
            self._failing = False
            for _ in group:
                self._identified.popleft()
            self._places_taken -= len(group)
            # What came meanwhile waits its time; what is behind it, or the last, waits no longer.
            due_at = self._clock() + (0.0 if self._stopping else IDENTIFIED_WAIT_SECONDS)
            self._identified_due_at = due_at

    def _write(self, group: list[_Waiting]) -> list[_Result]:
        try:
            return list(self._kernel.record_scans([one.request for one in group]))
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must learn it
            return [error] * len(group)

    def _count(self, group: list[_Waiting], results: list[_Result]) -> None:
        for one, result in zip(group, results, strict=True):
            if isinstance(result, bytes):
                verdict = json.loads(result)
                self._count_one(verdict["outcome"], verdict["reason"], one.request)

    def _count_one(self, outcome: str, reason: str, request: ScanRequest) -> None:
        medium = request.presented.medium.value if request.presented else "none"
        self.metrics.add_scan(outcome, reason, request.business_type, medium)


def _name_of(error: Exception) -> str:
    return error.code if isinstance(error, CardCoreError) else type(error).__name__


def _deliver_all(group: list[_Waiting], results: list[_Result]) -> None:
    """Wake each event loop once, whatever the number of its scans."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Future, _Result]]] = defaultdict(list)
    for one, result in zip(group, results, strict=True):
        by_loop[one.loop].append((one.future, result))
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_deliver, pairs)
        except RuntimeError:
            continue  # the loop has ended: nobody waits there any more


def _deliver(pairs: list[tuple[_Future, _Result]]) -> None:
    for future, result in pairs:
        if future.done():
            continue  # whoever asked went away
        if isinstance(result, bytes):
            future.set_result(result)
        else:
            future.set_exception(result)
