"""Workers as processes: one is stopped in the middle, one lives an hour from now."""

import asyncio
import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fast_rig import (
    PATIENCE_SECONDS,
    Code,
    accepted,
    make_kernel,
    new_code,
    redis_worker,
)
from servers.libfaketime import FalseClock
from servers.postgresql import PostgreSQLServer
from servers.redis import RedisServer, running

ROOT = Path(__file__).parents[3]
ANSWER_SECONDS = 30


class WorkerProcess:
    def __init__(self, database_url: str, address: str, **environment: str) -> None:
        here = Path(__file__).parent
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(here)])
        self._process = subprocess.Popen(
            [sys.executable, here / "fast_worker.py", database_url, address],
            env={**os.environ, **environment, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._lines.get(timeout=ANSWER_SECONDS) == "ready\n"

    def give(self, *codes: Code) -> None:
        assert self._process.stdin is not None
        for code in codes:
            self._process.stdin.write(f"{code.ecard_id} {code.minted_at} {code.nonce.hex()}\n")

    def answers(self, count: int) -> dict[str, str]:
        """The outcomes of the next `count` answers, by nonce."""
        lines = [self._lines.get(timeout=ANSWER_SECONDS) for _ in range(count)]
        pairs = (line.split() for line in lines)
        return {pair[0]: pair[1] for pair in pairs}

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._reader.join(5)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError):
            for line in self._process.stdout:
                self._lines.put(line)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    one = RedisServer(tmp_path / "redis", "save ''")
    with running(one):
        yield one


@pytest.mark.parametrize("pause_seconds", [4, pytest.param(10, marks=pytest.mark.long)])
def test_a_worker_stopped_in_the_middle_takes_nothing_that_another_one_took(
    tmp_path: Path, server: RedisServer, pause_seconds: float
) -> None:
    """Its commands may still be on their way, and its lease is long over when it goes on."""
    url = f"sqlite:///{tmp_path / 'workers.db'}"
    kernel = make_kernel(url)
    stopped = WorkerProcess(url, server.url)

    async def scenario() -> None:
        async with redis_worker(kernel, server.url) as store:
            codes = [new_code() for _ in range(100)]
            stopped.give(*codes[:50])
            theirs = await asyncio.to_thread(stopped.answers, 50)
            assert set(theirs.values()) == {"Spent"}
            stopped.give(*codes[50:])
            stopped.signal(signal.SIGSTOP)
            server.client().flushall()
            ours: set[str] = set()
            until = time.monotonic() + pause_seconds
            # On a busy machine the new epoch may open later.
            while time.monotonic() < (until if ours else until + PATIENCE_SECONDS):
                code = new_code()
                codes.append(code)
                stopped.give(code)
                if await accepted(store, [code]):
                    ours.add(code.nonce.hex())
                await asyncio.sleep(0.05)
            for code in codes[:100]:
                if await accepted(store, [code]):
                    ours.add(code.nonce.hex())
            stopped.signal(signal.SIGCONT)
            theirs |= await asyncio.to_thread(stopped.answers, len(codes) - 50)
            taken = {nonce for nonce, outcome in theirs.items() if outcome == "Spent"}
            assert len(taken) >= 50
            assert ours, "the new epoch took no code"
            assert taken & ours == set()

    try:
        asyncio.run(scenario())
    finally:
        stopped.end()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_worker_an_hour_off_takes_what_the_database_s_time_lets_it(
    tmp_path: Path, server: RedisServer, postgresql: PostgreSQLServer, hours: int
) -> None:
    url = postgresql.url(postgresql.create())
    kernel = make_kernel(url)
    off = WorkerProcess(url, server.url, **FalseClock(tmp_path, hours=hours).environment)

    async def scenario() -> None:
        async with redis_worker(kernel, server.url) as store:
            fresh = [new_code() for _ in range(20)]
            expired = [code._replace(minted_at=code.minted_at + 3600 * hours) for code in fresh]
            expired += [code._replace(minted_at=code.minted_at - 70) for code in fresh]
            off.give(*fresh[:10])
            theirs = await asyncio.to_thread(off.answers, 10)
            assert set(theirs.values()) == {"Spent"}
            assert await accepted(store, fresh) == 10
            off.give(*fresh, *expired)
            again = await asyncio.to_thread(off.answers, 60)
            assert "Spent" not in again.values()

    try:
        asyncio.run(scenario())
    finally:
        off.end()
        kernel.store.close()
