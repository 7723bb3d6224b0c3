"""Limits on a request before anything looks at it: headers, and the body's size and time.

The body is read here as a whole (it is small) and handed on in one piece, so that what follows
never waits for a slow sender. How the bytes of the headers are bounded while they arrive is the
server's part: scan_api/server.py.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scan_api import problems
from scan_api.problems import Problem

BODY_BYTES_MAX = 64 * 1024
BODY_SECONDS_MAX = 10.0
HEADERS_MAX = 64
HEADER_BYTES_MAX = 32 * 1024


class RequestLimits:
    """Pure ASGI middleware; answers 431, 413 and 408 itself."""

    def __init__(self, app: ASGIApp, *, body_seconds: float = BODY_SECONDS_MAX) -> None:
        self.app = app
        self.body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if problem := _header_fault(scope):
            await _refuse(problem, send)
            return
        try:
            async with asyncio.timeout(self.body_seconds):
                body = await _read_body(receive)
        except TimeoutError:
            await _refuse(problems.BODY_TOO_SLOW, send)
            return
        if body is None:
            return
        if len(body) > BODY_BYTES_MAX:
            await _refuse(problems.BODY_TOO_LARGE, send)
            return
        await self.app(scope, _replay(body, receive), send)


def _header_fault(scope: Scope) -> Problem | None:
    headers = scope["headers"]
    size = sum(len(name) + len(value) for name, value in headers)
    if len(headers) > HEADERS_MAX or size > HEADER_BYTES_MAX:
        return problems.HEADERS_TOO_LARGE
    for name, value in headers:
        # The server has refused what is no number; what is no number here is not relied on.
        if name == b"content-length" and value.isdigit() and int(value[:19]) > BODY_BYTES_MAX:
            return problems.BODY_TOO_LARGE
    return None


async def _read_body(receive: Receive) -> bytes | None:
    """The body, or just more than the limit of it; None when the sender went away."""
    body = bytearray()
    while len(body) <= BODY_BYTES_MAX:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message


async def _refuse(problem: Problem, send: Send) -> None:
    body = problem.to_bytes()
    headers = [
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        # What is left of the request stays unread: the connection can't serve another one.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
