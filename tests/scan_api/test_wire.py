"""The usual scan goes round the server's parser, over real connections, and nothing else does."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.types import Receive, Scope, Send

from scan_api import server
from scan_api.limits import HEADERS_MAX, RequestLimits
from scan_api.overload import Admission, Overload, Places
from scan_api.scans.wire import Answer, WholeScan, read_whole_scan
from scan_api.server import BoundedProtocol
from scan_api.signed_requests import SignedRequest

BODY = b'{"code":"1"}'
SCAN = (
    b"POST /v1/scans HTTP/1.1\r\nhost: x\r\nauthorization: Bearer y\r\n"
    b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
)
# A tab is allowed in a value, and unusual.
BY_THE_PARSER = SCAN.replace(b"host: x", b"host:\tx")
GET = b"GET /v1/terminal HTTP/1.1\r\nhost: x\r\n\r\n"
SECONDS_MAX = 10


@pytest.mark.parametrize(
    "data",
    [
        SCAN,
        SCAN.replace(b"content-length: ", b"Content-Length:"),
        SCAN.replace(b"host: x", b"Connection: Keep-Alive"),
        SCAN.replace(b"Bearer y\r\n", b"  Bearer y  \r\n"),
    ],
)
def test_the_usual_scan_is_read(data: bytes) -> None:
    assert read_whole_scan(data) == WholeScan(b"Bearer y", b"application/json", BODY)


@pytest.mark.parametrize(
    "data",
    [
        SCAN[:-1],
        SCAN + b"P",
        SCAN + SCAN,
        SCAN[: SCAN.index(b"\r\n\r\n") + 4],
        SCAN[:40],
        SCAN.replace(b"POST", b"post"),
        SCAN.replace(b"/v1/scans", b"/v1/scans?x"),
        SCAN.replace(b"HTTP/1.1", b"HTTP/1.0"),
        SCAN.replace(b"host: x", b"transfer-encoding: chunked"),
        SCAN.replace(b"host: x", b"Transfer-Encoding : chunked"),
        SCAN.replace(b"host: x", b"expect: 100-continue"),
        SCAN.replace(b"host: x", b"connection: close"),
        SCAN.replace(b"host: x", b"connection: keep-alive, upgrade"),
        SCAN.replace(b"host: x", b"upgrade: h2c"),
        SCAN.replace(b"host: x", b"content-length: 12"),
        SCAN.replace(b"host: x", b"authorization: Bearer z"),
        SCAN.replace(b"host: x", b"content-type: application/json"),
        SCAN.replace(b"host: x", b"host: x\r\n folded"),
        SCAN.replace(b"host: x", b"host: x\ncontent-length: 3"),
        SCAN.replace(b"host: x", b"host: \x00"),
        SCAN.replace(b"host: x", b"host: \xe4"),
        SCAN.replace(b"host: x", b"no colon"),
        SCAN.replace(b"host: x", b": no name"),
        SCAN.replace(b"host: x", b"x:\r\n" * HEADERS_MAX + b"host: x"),
        SCAN.replace(b"host: x", b"x: " + b"x" * 40_000),
        SCAN.replace(b"content-length: ", b"content-length: +"),
        SCAN.replace(b"content-length", b"x-content-length"),
        SCAN.replace(b"authorization", b"x-authorization"),
        SCAN.replace(b"content-type", b"x-content-type"),
        b"",
    ],
)
def test_whatever_is_unusual_is_left_to_the_parser(data: bytes) -> None:
    assert read_whole_scan(data) is None


class Scans:
    """Stands where the endpoint stands: an application that says "ok", and its way round ASGI that
    says "scan" when it is told to."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.asked = threading.Semaphore(0)
        self.requests: list[SignedRequest] = []

    def now(self) -> float:
        return 0.0

    async def answer(self, request: SignedRequest, content_type: str, started: float) -> Answer:
        assert (content_type, started) == ("application/json", 0.0)
        self.requests.append(request)
        self.asked.release()
        await asyncio.to_thread(self.go_on.wait, SECONDS_MAX)
        return Answer(200, [(b"x-way", b"round")], b"scan")


class Served:
    """A server over `Scans`, in a thread."""

    def __init__(self, admission: Admission) -> None:
        self.scans = Scans()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            start = {"type": "http.response.start", "status": 200}
            await send(start | {"headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})

        config = server.configure(
            RequestLimits(Overload(app, admission)), host="127.0.0.1", port=0, admission=admission
        )
        config.scans = self.scans  # type: ignore[assignment]  # as much of it as is used
        self.server = server.Server(config)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listening]})
        self.thread.start()

    def connect(self) -> "Connection":
        return Connection(socket.create_connection(self.listening.getsockname(), SECONDS_MAX))

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()


class Connection:
    """Ours; reads one answer at a time."""

    def __init__(self, ours: socket.socket) -> None:
        self.ours = ours
        self._received = b""

    def send(self, data: bytes) -> None:
        self.ours.sendall(data)

    def answer(self) -> tuple[int, bytes, bytes]:
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(self._received) < length:
            self._receive()
        body, self._received = self._received[:length], self._received[length:]
        return int(head[9:12]), head, body

    def ends(self) -> bool:
        return not self._received and not self.ours.recv(1)

    def stays_silent(self, seconds: float = 0.2) -> bool:
        self.ours.settimeout(seconds)
        try:
            self.ours.recv(1)
        except TimeoutError:
            return True
        finally:
            self.ours.settimeout(SECONDS_MAX)
        return False

    def _receive(self) -> None:
        more = self.ours.recv(65_536)
        assert more, "the connection ended"
        self._received += more


@contextmanager
def _served(admission: Admission | None = None) -> Iterator[tuple[Served, Connection]]:
    served = Served(admission or Admission())
    connection = served.connect()
    try:
        yield served, connection
    finally:
        served.scans.go_on.set()
        connection.ours.close()
        served.stop()


def test_usual_scans_go_round_and_others_do_not_on_one_connection() -> None:
    with _served() as (served, ours):
        for data, body in [(SCAN, b"scan"), (BY_THE_PARSER, b"ok"), (GET, b"ok"), (SCAN, b"scan")]:
            ours.send(data)
            assert ours.answer()[::2] == (200, body)
        (request, _) = served.scans.requests
        assert request == SignedRequest(
            "POST", "/v1/scans", BODY, (b"Bearer y",), ours.ours.getsockname()[0]
        )


def test_the_answer_carries_what_every_answer_carries() -> None:
    with _served() as (_, ours):
        heads = []
        for data in (SCAN, BY_THE_PARSER):
            ours.send(data)
            heads.append(ours.answer()[1].lower())
        assert heads[0].startswith(b"http/1.1 200 ok\r\n")
        assert b"\r\ndate: " in heads[0]
        assert b"\r\ndate: " in heads[1]
        assert b"\r\nx-way: round" in heads[0]
        assert b"\r\nx-content-type-options: nosniff" in heads[0]
        assert b"\r\nconnection:" not in heads[0]


@pytest.mark.parametrize("behind", [SCAN, BY_THE_PARSER, SCAN[:50], GET + SCAN])
def test_what_comes_before_the_answer_waits_for_it(behind: bytes) -> None:
    with _served() as (served, ours):
        served.scans.go_on.clear()
        ours.send(SCAN)
        assert served.scans.asked.acquire(timeout=SECONDS_MAX)
        ours.send(behind)
        assert ours.stays_silent()
        served.scans.go_on.set()
        assert ours.answer()[2] == b"scan"
        if behind == SCAN[:50]:
            ours.send(SCAN[50:])
        bodies = {SCAN: [b"scan"], GET + SCAN: [b"ok", b"ok"], SCAN[:50]: [b"ok"]}
        for body in bodies.get(behind, [b"ok"]):
            assert ours.answer()[2] == body


def test_whoever_goes_away_is_not_answered_and_stops_nobody() -> None:
    with _served() as (served, ours):
        served.scans.go_on.clear()
        ours.send(SCAN)
        assert served.scans.asked.acquire(timeout=SECONDS_MAX)
        ours.ours.close()
        served.scans.go_on.set()
        other = served.connect()
        other.send(SCAN)
        assert other.answer()[2] == b"scan"
        other.ours.close()


def test_a_server_that_takes_leave_answers_first_and_closes_then() -> None:
    admission = Admission()
    with _served(admission) as (served, ours):
        served.scans.go_on.clear()
        ours.send(SCAN)
        assert served.scans.asked.acquire(timeout=SECONDS_MAX)
        served.server.should_exit = True
        # Longer than connections that stay silent are waited for.
        assert ours.stays_silent(server.SILENT_SECONDS + 0.5)
        served.scans.go_on.set()
        _, head, body = ours.answer()
        assert body == b"scan"
        assert b"\r\nconnection: close" in head
        assert ours.ends()


class _Full(Places):
    """Places that the test fills and empties."""

    is_full = True  # type: ignore[assignment]  # a property there


def test_a_connection_that_was_refused_unparsed_goes_on_as_if_nothing_were() -> None:
    admission = Admission()
    with _served(admission) as (_, ours):
        ours.send(SCAN)
        assert ours.answer()[0] == 200
        full, admission.scans = admission.scans, _Full()
        for _ in range(3):
            ours.send(SCAN)
            status, head, body = ours.answer()
            assert status == 503
            assert b"retry-after: 1" in head
            assert b"x-content-type-options: nosniff" in head
            assert json.loads(body)["code"] == "overloaded"
        admission.scans = full
        ours.send(SCAN)
        assert ours.answer()[0] == 200
        assert admission.metrics.snapshot()["refused"] == [["unparsed", 3]]


def test_a_scan_inside_another_requests_body_is_not_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BoundedProtocol, "body_seconds", 5)
    admission = Admission()
    admission.scans = _Full(0, 0)
    begun = b"POST /v1/scans HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(SCAN)
    with _served(admission) as (_, ours):
        ours.send(begun)
        # The server has read the head for itself before the body comes.
        assert ours.stays_silent()
        ours.send(SCAN)
        assert ours.answer()[0] == 503
        assert ours.stays_silent()
    assert admission.metrics.snapshot()["refused"] == [["queue", 1]]
