"""The one thread of a process that writes scans: those that wait together share a commit.

A scan that comes while a group is being written waits for the next one, so groups grow with the
load and a single scan waits for nobody. The queue is bounded in number and in age.
"""

import asyncio
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from card_core.errors import StoreBusyError
from card_core.kernel import Kernel
from card_core.kernel.scan_requests import ScanRequest
from scan_api.metrics import Metrics

GROUP_SCANS_MAX = 256
WAITING_SCANS_MAX = 2048
WAITING_SECONDS_MAX = 5.0
IDLE_SECONDS = 5.0

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
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """How many scans wait for their group."""
        return len(self._waiting)

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
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="scan writer", daemon=True)
                self._thread.start()
            self._waiting.append(waiting)
            self._wake.notify()
        return waiting.future

    def stop(self) -> None:
        """Write what waits, take nothing more, and end the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while group := self._next_group():
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

    def _next_group(self) -> list[_Waiting]:
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._stopping, IDLE_SECONDS)
            if not self._waiting:
                self._thread = None
            size = min(len(self._waiting), GROUP_SCANS_MAX)
            return [self._waiting.popleft() for _ in range(size)]

    def _write(self, group: list[_Waiting]) -> list[_Result]:
        try:
            return list(self._kernel.record_scans([one.request for one in group]))
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must learn it
            return [error] * len(group)

    def _count(self, group: list[_Waiting], results: list[_Result]) -> None:
        for one, result in zip(group, results, strict=True):
            if isinstance(result, bytes):
                verdict, presented = json.loads(result), one.request.presented
                medium = presented.medium.value if presented else "none"
                self.metrics.add_scan(
                    verdict["outcome"], verdict["reason"], one.request.business_type, medium
                )


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
