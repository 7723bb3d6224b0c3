"""The scans' endpoint stands before the framework, and answers as the framework would."""

import asyncio
import json
from collections.abc import Callable
from secrets import token_hex

import pytest
from fastapi import FastAPI
from scan_service import PURCHASE, ScanService, tampered
from starlette.types import ASGIApp, Message

from scan_api import security_headers
from scan_api.limits import BODY_BYTES_MAX, HEADERS_MAX
from scan_api.scans.wire import read_whole_scan, to_bytes
from scan_api.signed_requests import SignedRequest

Headers = list[tuple[bytes, bytes]]
Asking = Callable[[ScanService], tuple[Headers, bytes]]
_JSON = (b"content-type", b"application/json")


def _ask(app: ASGIApp, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/v1/scans",
        "raw_path": b"/v1/scans",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("192.0.2.1", 1),
        "server": ("sscard.test", 443),
        "state": {},
    }
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    start, answer = sent
    return start["status"], sorted(start["headers"]), answer["body"]


def _ask_round(app: FastAPI, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    """As the server does with what it has read itself."""
    lines = [
        b"%s: %s\r\n" % header for header in [*headers, (b"content-length", b"%d" % len(body))]
    ]
    scan = read_whole_scan(b"POST /v1/scans HTTP/1.1\r\n" + b"".join(lines) + b"\r\n" + body)
    assert scan is not None
    request = SignedRequest("POST", "/v1/scans", scan.body, (scan.authorization,), "192.0.2.1")
    endpoint = app.scans  # type: ignore[attr-defined]  # of the service's own application
    answer = asyncio.run(endpoint.answer(request, scan.content_type.decode(), endpoint.now()))
    head, _, told = to_bytes(answer, [], "https").partition(b"\r\n\r\n")
    status, *rest = head.split(b"\r\n")
    return int(status.split()[1]), sorted((*line.split(b": ", 1),) for line in rest), told


def _scan(code: str) -> bytes:
    fields = {"code": code, "business_type": PURCHASE, "request_id": token_hex(8), "amount_fen": 1}
    return json.dumps(fields).encode()


def _signed(service: ScanService, body: bytes) -> Headers:
    value = service.pharmacy.authorization("POST", "/v1/scans", body)
    return [(b"authorization", value.encode()), _JSON]


def _of_body(body: bytes) -> Asking:
    return lambda service: (_signed(service, body), body)


def _tampered(service: ScanService) -> tuple[Headers, bytes]:
    body = _scan(tampered(service.mint()))
    return _signed(service, body), body


def _another_media_type(service: ScanService) -> tuple[Headers, bytes]:
    headers = _signed(service, b"{}")
    return [headers[0], (b"content-type", b"text/plain")], b"{}"


ASKED: dict[str, Asking] = {
    "no authorization": lambda _: ([_JSON], b"{}"),
    "no JSON": _of_body(b"{"),
    "no scan": _of_body(b"{}"),
    "another media type": _another_media_type,
    "an unknown business type": _of_body(_scan("1").replace(PURCHASE.encode(), b"99999")),
    "too long a body": lambda _: ([_JSON], b"x" * (BODY_BYTES_MAX + 1)),
    "too many headers": lambda _: ([(b"x-%d" % n, b"") for n in range(HEADERS_MAX + 1)], b""),
    "rubbish": _of_body(_scan("7406")),
    "a code that was altered": _tampered,
}


# What the server never reads itself.
UNUSUAL = {"no authorization", "too long a body", "too many headers"}


@pytest.mark.parametrize("what", [what for what in ASKED if what not in UNUSUAL])
def test_the_way_round_asgi_answers_the_same(service: ScanService, what: str) -> None:
    app = service.app
    answers = []
    for way in (_ask, _ask_round):
        status, headers, body = way(app, *ASKED[what](service))  # type: ignore[operator]  # both take the same
        document = json.loads(body)
        headers = [header for header in headers if header[0] != b"content-length"]
        said = (document.get("code"), document.get("reason"))
        answers.append((status, headers, said, sorted(document)))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("what", ASKED)
def test_it_answers_as_the_framework_does(service: ScanService, what: str) -> None:
    """Status, every header, the members of the body, and its code or reason."""
    app = service.app
    answers = []
    for way in (app, lambda *given: FastAPI.__call__(app, *given)):
        status, headers, body = _ask(way, *ASKED[what](service))
        document = json.loads(body)
        headers = [header for header in headers if header[0] != b"content-length"]
        said = (document.get("code"), document.get("reason"))
        answers.append((status, headers, said, sorted(document)))
    assert answers[0] == answers[1]
    assert len(answers[0][1]) > len(security_headers.DATA)
