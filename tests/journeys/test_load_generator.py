"""The load generator tells what happened: against servers that behave as the test says."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.bench_scan import processes
from benchmarks.bench_scan.requests import post, write

ACCEPTED = b'{"outcome":"accepted"}'
Behaviour = Callable[[int], bytes | None]


def answer(status: bytes = b"200 OK", body: bytes = ACCEPTED, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n%s\r\n%s" % (status, len(body), more, body)


@contextmanager
def server(behaviour: Behaviour) -> Iterator[str]:
    """Answers request number n with behaviour(n); None closes the connection instead."""
    listening = socket.create_server(("127.0.0.1", 0))
    numbers = iter(range(10**9))

    def serve(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(65_536):
                assert data.startswith(b"POST /v1/scans")
                said = behaviour(next(numbers))
                if said is None:
                    return
                connection.sendall(said)
                if b"connection: close" in said:
                    return

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@pytest.fixture(scope="module")
def requests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    processes.build_load()
    some = [post(b'{"n": %d}' % number) for number in range(60)]
    return write(some, tmp_path_factory.mktemp("load") / "requests")


def test_each_request_is_sent_once_and_each_answer_is_counted(requests: Path) -> None:
    busy = answer(b"503 Busy", b"{}", b"retry-after: 1\r\n")
    with server(lambda n: busy if n % 3 == 2 else answer()) as address:
        found = processes.load(address, requests, connections=4, seconds=30)
    assert (found["sent"], found["answered"], found["lost"], found["reconnects"]) == (60, 60, 0, 0)
    assert found["statuses"] == {"200": 40, "503": 20}
    assert (found["accepted"], found["retry_after"]) == (40, 20)
    assert (found["good"]["count"], found["other"]["count"]) == (40, 20)


def test_connections_that_end_are_told_from_answers_that_are_the_last(requests: Path) -> None:
    last = answer(more=b"connection: close\r\n")
    with server(lambda n: None if n == 30 else last if n == 10 else answer()) as address:
        found = processes.load(address, requests, connections=1, seconds=30)
    assert (found["sent"], found["accepted"], found["lost"]) == (60, 59, 1)
    assert found["reconnects"] == 2


@pytest.mark.alone
def test_the_open_loop_does_not_forget_the_time_in_which_nothing_was_sent(requests: Path) -> None:
    """A stall of 0.5 s at 100 requests a second delays about 50 of them, not one."""

    def stall(number: int) -> bytes:
        if number == 5:
            time.sleep(0.5)  # the behaviour that is measured
        return answer()

    with server(stall) as address:
        closed = processes.load(address, requests, connections=1, seconds=30)
    with server(stall) as address:
        opened = processes.load(address, requests, connections=1, seconds=30, rate=100)
    assert closed["good"]["count"] == opened["good"]["count"] == 60
    assert closed["good"]["p50_us"] < 100_000
    assert opened["good"]["p50_us"] > 100_000
    assert opened["good"]["max_us"] >= 500_000


def test_a_rate_is_kept(requests: Path) -> None:
    with server(lambda _: answer()) as address:
        found = processes.load(address, requests, connections=4, seconds=30, rate=50)
    assert found["answered"] == 60
    assert found["seconds"] >= 59 / 50
