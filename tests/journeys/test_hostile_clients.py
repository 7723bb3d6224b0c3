"""Slow, large, deep and endless requests: each is ended, and those beside them are served."""

import json
import select
import socket
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from running_service import Load, Running, serving, until

from benchmarks.bench_scan.bureau import Ground, founded
from benchmarks.bench_scan.requests import CONSUME, Press, post
from scan_api.limits import BODY_BYTES_MAX
from scan_api.server import BODY_SECONDS_MAX, HEAD_SECONDS_MAX
from scan_api.signed_requests import authorization

SLOW = 500
SLACK_SECONDS = 20
MEMORY_MIB_MAX = 50
BEGINNINGS = (
    b"",
    b"POST /v1/sc",
    b"POST /v1/scans HTTP/1.1\r\nhost: x\r\n",
    b"POST /v1/scans HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n" + b"x" * 500,
)


def connect(service: Running) -> socket.socket:
    host, port = service.address.split(":")
    return socket.create_connection((host, int(port)), 10)


def ask(service: Running, request: bytes) -> bytes:
    """What comes back until the server closes."""
    received = b""
    with connect(service) as connection:
        try:
            connection.sendall(request)
            while part := connection.recv(65_536):
                received += part
        except ConnectionError:
            # It had enough before all was sent; its answer may be lost with the rest.
            pass
    return received


def signed(ground: Ground, body: bytes) -> bytes:
    terminal = ground.terminals[0]
    header = authorization(
        terminal.key,
        terminal.serial_number,
        method="POST",
        target="/v1/scans",
        body=body,
        signed_at=int(datetime.now(UTC).timestamp()),
        nonce=body[:8] + len(body).to_bytes(8),
    )
    return post(body, authorization=header, connection="close")


def deep(text: bytes, depth: int = 10_000) -> bytes:
    """Valid JSON, nested so deep."""
    opening, closing = text.split(b"|")
    return opening * depth + b"1" + closing * depth


def test_hostile_clients_are_bounded_and_others_are_served(tmp_path: Path) -> None:
    bodies = {
        "deep list": deep(b"[|]"),
        "deep object": deep(b'{"a":|}', 9_000),
        "deep in a field": b'{"code":' + deep(b"[|]") + b"}",
        "long number": b'{"code":' + b"9" * 60_000 + b"}",
        "many fields": json.dumps({f"f{n}": n for n in range(3_500)}).encode(),
    }
    with founded(ecards=20) as ground, serving(tmp_path, ground.environment) as service:
        load = Load(Press(ground), tmp_path)
        beside = {"connections": 4, "seconds": 4, "rate": 4}
        alone = load.run(service, CONSUME, **beside)  # type: ignore[arg-type]
        memory = service.memory_mib()
        with ExitStack() as stack:
            slow = [stack.enter_context(connect(service)) for _ in range(SLOW)]
            for number, connection in enumerate(slow):
                connection.sendall(BEGINNINGS[number % len(BEGINNINGS)])
            crowded = load.run(service, CONSUME, **beside)  # type: ignore[arg-type]
            assert crowded["accepted"] == crowded["sent"] > 0
            assert (crowded["lost"], crowded["unanswered"]) == (0, 0)
            print("p99 alone", alone["good"]["p99_us"], "beside them", crowded["good"]["p99_us"])
            _check_refusals(service, ground, bodies)
            assert until(
                lambda: len(_ended(slow)) == SLOW,
                HEAD_SECONDS_MAX + BODY_SECONDS_MAX + SLACK_SECONDS,
            )
            # The quarter that had begun a body hears why; nobody else had asked anything yet.
            answered = [one for one in slow if one.recv(20).startswith(b"HTTP/1.1 408")]
            assert len(answered) == SLOW // len(BEGINNINGS)
        assert service.memory_mib() - memory <= MEMORY_MIB_MAX
        assert service.stop() == 0
        assert '"event": "failure"' not in service.log
        assert "Traceback" not in service.log


def _check_refusals(service: Running, ground: Ground, bodies: dict[str, bytes]) -> None:
    too_large = ask(service, post(b"x" * (BODY_BYTES_MAX + 1)))
    assert too_large.startswith(b"HTTP/1.1 413 ")
    many = {f"x-{number}": "y" for number in range(1_000)}
    assert ask(service, post(b"{}", **many)).startswith(b"HTTP/1.1 431 ")
    assert ask(service, post(b"{}", x="y" * 40_000)).startswith(b"HTTP/1.1 431 ")
    for name, body in bodies.items():
        answer = ask(service, signed(ground, body))
        assert answer[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 422"}, (name, answer[:300])
        # A list of what is wrong is bounded by the request, not a multiple of it.
        assert len(answer) < 16 * BODY_BYTES_MAX, name


def _ended(connections: list[socket.socket]) -> list[socket.socket]:
    """Those that have something to read: an answer, or their end."""
    poller = select.poll()
    numbers = {one.fileno(): one for one in connections}
    for number in numbers:
        poller.register(number, select.POLLIN)
    return [numbers[number] for number, _ in poller.poll(0)]


@pytest.mark.alone
@pytest.mark.long
def test_those_beside_hostile_clients_wait_no_more_than_twice_as_long(tmp_path: Path) -> None:
    with founded(ecards=200) as ground, serving(tmp_path, ground.environment) as service:
        load = Load(Press(ground), tmp_path)
        beside = {"connections": 8, "seconds": 8, "rate": 50}
        alone = load.run(service, CONSUME, **beside)  # type: ignore[arg-type]
        with ExitStack() as stack:
            for number in range(SLOW):
                connection = stack.enter_context(connect(service))
                connection.sendall(BEGINNINGS[number % len(BEGINNINGS)])
            crowded = load.run(service, CONSUME, **beside)  # type: ignore[arg-type]
        assert crowded["accepted"] == crowded["sent"]
        assert crowded["good"]["p99_us"] <= 2 * alone["good"]["p99_us"]
