"""The process that owns the address and keeps its workers: starts, replaces, retires them.

It never accepts a connection itself. All workers accept from one socket, so that a connection that
waits there belongs to nobody in particular and outlives each of them. A worker that dies is
replaced, at a bounded rate; SIGHUP replaces all, one at a time, each successor ready before its
predecessor takes leave (a single worker takes leave first: there must not be two).
"""

import logging
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from issuance.cli.channel import Channel, Message
from issuance.errors import IssuanceError
from scan_api.metrics import Snapshot, add, to_text

START_SECONDS_MAX = 60.0
# Notice and draining take less than 10 s; whoever is there after this hangs.
STOP_SECONDS_MAX = 15.0
RESTARTS_MAX = 10
RESTARTS_WITHIN_SECONDS = 60.0
# One that dies while it starts would otherwise be started as fast as it dies.
RESTART_PAUSE_SECONDS = 1.0
NUMBERS_SECONDS_MAX = 1.0
POLL_SECONDS = 0.2

_log = logging.getLogger("sscard.workers")


class Worker:
    """One worker process. slot: its place among the workers, which its successor takes over."""

    def __init__(self, slot: int, listening: socket.socket, **orders: object) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            descriptors = (theirs.fileno(), listening.fileno())
            self.process = subprocess.Popen(  # noqa: S603 - our own module, our own numbers
                [sys.executable, "-P", "-m", "issuance.cli.worker", *map(str, descriptors)],
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
            )
        self.slot = slot
        self.started_at = time.monotonic()
        self.channel = Channel(ours)
        self.is_ready = False
        self.has_ended = False
        self.failure: Message | None = None
        self.numbers: Snapshot | None = None
        self.numbers_came = threading.Event()
        self.channel.send("start", sweeps=slot == 0, **orders)

    def read(self, tell: Callable[[], None]) -> None:
        """Take messages until it has ended. tell: called after each change."""
        for message in self.channel:
            match message["kind"]:
                case "ready":
                    self.is_ready = True
                case "failed":
                    self.failure = message
                case "numbers" | "ended":
                    self.numbers = message["numbers"]
                    self.numbers_came.set()
            tell()
        self.process.wait()
        self.channel.close()
        self.is_ready, self.has_ended = False, True
        self.numbers_came.set()
        tell()


@dataclass(slots=True)
class _Signals:
    """What was asked for since the last look."""

    stop: bool = False
    roll: bool = False


class Workers:
    """count workers on one socket. passphrase: what each opens the keys with."""

    def __init__(
        self, count: int, listening: socket.socket, passphrase: bytes, *, notice_seconds: float
    ) -> None:
        self._count = count
        self._listening = listening
        self._orders = {
            "passphrase": passphrase.decode(),
            "notice_seconds": notice_seconds,
            "is_alone": count == 1,
        }
        self._changes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._signals = _Signals()
        self._slots: dict[int, Worker] = {}
        self._leaving: list[Worker] = []
        self._due: dict[int, float] = {}
        self._restarted_at: deque[float] = deque()
        self._past: Snapshot | None = None

    def run(self, started: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT. started: called once when all workers are ready.

        Raises IssuanceError when the workers can't start, or die faster than they are replaced.
        """
        with self._heard():
            try:
                for slot in range(self._count):
                    self._slots[slot] = self._launch(slot)
                self._wait_until_all_ready()
                if not self._signals.stop:
                    started()
                while not self._signals.stop:
                    self._look()
                    if self._signals.roll:
                        self._signals.roll = False
                        self._roll()
            finally:
                self._stop_all()

    def numbers_text(self) -> bytes:
        """The numbers of all workers, asked for now, in Prometheus's text format."""
        asked = {slot: one for slot, one in sorted(self._slots.copy().items()) if one.is_ready}
        for worker in asked.values():
            worker.numbers_came.clear()
            worker.channel.send("numbers")
        until = time.monotonic() + NUMBERS_SECONDS_MAX
        for worker in asked.values():
            worker.numbers_came.wait(max(0.0, until - time.monotonic()))
        found = {str(slot): one.numbers for slot, one in asked.items() if one.numbers is not None}
        return to_text(found, past=self._past)

    def _launch(self, slot: int) -> Worker:
        worker = Worker(slot, self._listening, **self._orders)
        threading.Thread(
            target=worker.read,
            args=(lambda: self._changes.put(None),),
            name=f"worker {slot}",
            daemon=True,
        ).start()
        return worker

    def _wait_until_all_ready(self) -> None:
        until = time.monotonic() + START_SECONDS_MAX
        while not self._signals.stop:
            self._wait_for_change()
            for worker in self._slots.values():
                if worker.has_ended:
                    raise _cannot_start(worker)
            if all(worker.is_ready for worker in self._slots.values()):
                return
            if time.monotonic() > until:
                raise _cannot_start(None)

    def _look(self) -> None:
        """Take note of who has ended, and start successors that are due."""
        self._wait_for_change()
        now = time.monotonic()
        for worker in [one for one in self._leaving if one.has_ended]:
            self._leaving.remove(worker)
            self._remember(worker)
        for slot, worker in list(self._slots.items()):
            if worker.has_ended:
                died = '{"event": "worker_died", "worker": %d, "exit_code": %d}'
                _log.error(died, slot, worker.process.returncode)
                del self._slots[slot]
                self._remember(worker)
                self._check_restarts(now)
                lived_seconds = now - worker.started_at
                self._due[slot] = now + max(0.0, RESTART_PAUSE_SECONDS - lived_seconds)
        for slot in [slot for slot, at in self._due.items() if at <= now]:
            del self._due[slot]
            self._slots[slot] = self._launch(slot)

    def _check_restarts(self, now: float) -> None:
        while self._restarted_at and now - self._restarted_at[0] > RESTARTS_WITHIN_SECONDS:
            self._restarted_at.popleft()
        if len(self._restarted_at) >= RESTARTS_MAX:
            raise IssuanceError(
                "workers_failing",
                "工作进程反复异常退出，服务已停止。请查看日志，并运行 sscard doctor。",
                "The workers die again and again; the service has stopped. See the log, and run "
                "sscard doctor.",
            )
        self._restarted_at.append(now)

    def _roll(self) -> None:
        """Replace each worker by a new one; if a new one doesn't start, the old ones stay."""
        for slot in range(self._count):
            if self._count == 1:
                self._retire(slot)
            new = self._launch(slot)
            self._wait_while(partial(_is_starting, new), START_SECONDS_MAX)
            if not new.is_ready:
                new.process.kill()
                self._leaving.append(new)
                if not self._signals.stop:
                    _log.error('{"event": "worker_not_replaced", "worker": %d}', slot)
                    self._fill(slot)
                return
            self._retire(slot)
            self._slots[slot] = new
        _log.info('{"event": "workers_replaced", "workers": %d}', self._count)

    def _retire(self, slot: int) -> None:
        """Have whoever is there take leave, and wait for it."""
        self._due.pop(slot, None)
        old = self._slots.pop(slot, None)
        if old is None:
            return
        self._leaving.append(old)
        old.channel.send("retire")
        self._wait_while(partial(_is_there, old), STOP_SECONDS_MAX)
        if not self._signals.stop and not old.has_ended:
            old.process.kill()

    def _fill(self, slot: int) -> None:
        """Start another one there in a while, unless the slot is taken."""
        if slot not in self._slots and slot not in self._due:
            self._check_restarts(time.monotonic())
            self._due[slot] = time.monotonic() + RESTART_PAUSE_SECONDS

    def _wait_while(self, unfinished: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while unfinished() and not self._signals.stop and time.monotonic() < until:
            self._look()

    def _wait_for_change(self) -> None:
        try:
            self._changes.get(timeout=POLL_SECONDS)
        except queue.Empty:
            return

    def _remember(self, worker: Worker) -> None:
        """Counters only grow: what a worker counted stays when it is gone."""
        if worker.numbers is not None:
            self._past = add([worker.numbers, *([self._past] if self._past else [])])

    def _stop_all(self) -> None:
        there = [one for one in (*self._slots.values(), *self._leaving) if not one.has_ended]
        for worker in there:
            worker.process.send_signal(signal.SIGTERM)
        # The workers' own copies take what comes until they close them.
        self._listening.close()
        until = time.monotonic() + STOP_SECONDS_MAX
        for worker in there:
            try:
                worker.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log.error('{"event": "worker_killed", "worker": %d}', worker.slot)
                worker.process.kill()
                worker.process.wait()

    @contextmanager
    def _heard(self) -> Iterator[None]:
        def stop(_number: int, _frame: object) -> None:
            self._signals.stop = True
            self._changes.put(None)

        def roll(_number: int, _frame: object) -> None:
            self._signals.roll = True
            self._changes.put(None)

        wanted = {signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGHUP: roll}
        before = {number: signal.signal(number, handle) for number, handle in wanted.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _is_starting(worker: Worker) -> bool:
    return not (worker.is_ready or worker.has_ended)


def _is_there(worker: Worker) -> bool:
    return not worker.has_ended


def _cannot_start(worker: Worker | None) -> IssuanceError:
    failure = worker.failure if worker else None
    if failure:
        return IssuanceError("worker_not_started", failure["zh"], failure["en"])
    return IssuanceError(
        "worker_not_started",
        "工作进程未能启动。请查看日志，并运行 sscard doctor。",
        "A worker did not start. See the log, and run sscard doctor.",
    )
