"""The bounds on a request's head, over real connections."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from scan_api import server
from scan_api.limits import RequestLimits
from scan_api.server import HEAD_BYTES_MAX, BoundedProtocol


async def _hello(scope: Scope, receive: Receive, send: Send) -> None:
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.2)
    monkeypatch.setattr(BoundedProtocol, "body_seconds", 0.2)
    running = uvicorn.Server(server.configure(RequestLimits(_hello), host="127.0.0.1", port=0))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    running.should_exit = True
    thread.join()


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def _read_to_end(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(65_536):
        received += part
    return received


def test_a_head_that_never_ends_is_refused(port: int) -> None:
    with _connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nlong: ")
        connection.sendall(b"x" * (HEAD_BYTES_MAX + 1))
        answer = _read_to_end(connection)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"headers_too_large" in answer


@pytest.mark.parametrize("beginning", [b"", b"\r\n", b"GET / HTTP/1.1\r\nhost: x\r\n"])
def test_a_head_that_stops_coming_ends_the_connection(port: int, beginning: bytes) -> None:
    with _connect(port) as connection:
        connection.sendall(beginning)
        assert _read_to_end(connection) == b""


def test_a_second_request_on_a_connection_is_bounded_like_the_first(port: int) -> None:
    request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
    with _connect(port) as connection:
        connection.sendall(request)
        assert connection.recv(65_536).endswith(b"ok")
        connection.sendall(request)
        assert connection.recv(65_536).endswith(b"ok")
        connection.sendall(request[:10])
        assert _read_to_end(connection) == b""


def test_many_requests_sent_at_once_are_all_answered(port: int) -> None:
    with _connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 9)
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert _read_to_end(connection).count(b"HTTP/1.1 200 OK") == 10


@pytest.mark.parametrize("beginning", [b"", b"12345"])
def test_a_body_that_stops_coming_is_given_up(port: int, beginning: bytes) -> None:
    with _connect(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n" + beginning)
        answer = _read_to_end(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"body_too_slow" in answer


def test_a_body_that_comes_in_pieces_but_in_time_is_taken(port: int) -> None:
    with _connect(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345")
        connection.sendall(b"67890")
        assert connection.recv(65_536).endswith(b"ok")


def test_connections_are_bounded_in_number(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "connections_max", 1)
    with _connect(port) as first:
        first.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert first.recv(65_536).endswith(b"ok")
        with _connect(port) as second:
            assert _read_to_end(second).startswith(b"HTTP/1.1 503 ")
