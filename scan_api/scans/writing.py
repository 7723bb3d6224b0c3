"""The one thread of a process that writes scans: those that wait together share a commit.

A scan that comes while a group is being written waits for the next one, so groups grow with the
load and a single scan waits for nobody. The queue is bounded in number and in age.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from card_core.errors import CardCoreError, StoreBusyError
from card_core.kernel import Kernel
from card_core.kernel.scan_requests import ScanRequest

GROUP_SCANS_MAX = 256
WAITING_SCANS_MAX = 2048
WAITING_SECONDS_MAX = 5.0
IDLE_SECONDS = 5.0

_log = logging.getLogger("sscard.scan_api")


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: ScanRequest
    since: float
    future: "Future[bytes]" = field(default_factory=Future)


class ScanWriter:
    """Writes scans through the kernel in groups; its thread ends when nothing came for a while."""

    def __init__(self, kernel: Kernel, *, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds, monotonic."""
        self._kernel = kernel
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def submit(self, request: ScanRequest) -> "Future[bytes]":
        """The scan's answer, when its group is committed: JSON, or a CardCoreError.

        Raises StoreBusyError at once where too many wait already, or the writer was stopped.
        """
        waiting = _Waiting(request, self._clock())
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
            late = [one for one in group if self._clock() - one.since > WAITING_SECONDS_MAX]
            for one in late:
                one.future.set_exception(StoreBusyError())
            self._write([one for one in group if one not in late])

    def _next_group(self) -> list[_Waiting]:
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._stopping, IDLE_SECONDS)
            if not self._waiting:
                self._thread = None
            size = min(len(self._waiting), GROUP_SCANS_MAX)
            return [self._waiting.popleft() for _ in range(size)]

    def _write(self, group: list[_Waiting]) -> None:
        if not group:
            return
        results: list[bytes | CardCoreError | Exception]
        try:
            results = list(self._kernel.record_scans([one.request for one in group]))
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must learn it
            results = [error] * len(group)
        for one, result in zip(group, results, strict=True):
            if isinstance(result, bytes):
                one.future.set_result(result)
            else:
                one.future.set_exception(result)
