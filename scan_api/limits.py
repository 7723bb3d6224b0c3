"""Limits on a request before anything looks at it: its headers, and the size of its body.

The body is read here as a whole (it is small) and handed on in one piece, so that what follows
never waits for a slow sender. How head and body are bounded while they arrive, in bytes and in
time, is the server's part: scan_api/server.py.
"""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scan_api import problems
from scan_api.problems import Problem

BODY_BYTES_MAX = 64 * 1024
HEADERS_MAX = 64
HEADER_BYTES_MAX = 32 * 1024

Headers = list[tuple[bytes, bytes]]


class RequestLimits:
    """Pure ASGI middleware; answers 431 and 413 itself.

    larger: how many bytes a body may have whose path begins so; BODY_BYTES_MAX elsewhere.
    """

    def __init__(self, app: ASGIApp, larger: Mapping[str, int] | None = None) -> None:
        self.app = app
        self._larger = tuple((larger or {}).items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        most = next((size for one, size in self._larger if path.startswith(one)), BODY_BYTES_MAX)
        if problem := header_fault(scope["headers"], most):
            await _refuse(problem, send)
            return
        body = await read_body(receive, most)
        if body is None:
            return
        if len(body) > most:
            await _refuse(problems.BODY_TOO_LARGE, send)
            return
        await self.app(scope, _replay(body, receive), send)


def header_fault(headers: Headers, body_bytes_max: int = BODY_BYTES_MAX) -> Problem | None:
    """What is wrong with a request by its headers alone."""
    size = 0
    length = b""
    for name, value in headers:
        size += len(name) + len(value)
        if name == b"content-length":
            length = value
    if len(headers) > HEADERS_MAX or size > HEADER_BYTES_MAX:
        return problems.HEADERS_TOO_LARGE
    # The server has refused what is no number; what is no number here is not relied on.
    if length.isdigit() and int(length[:19]) > body_bytes_max:
        return problems.BODY_TOO_LARGE
    return None


async def read_body(receive: Receive, body_bytes_max: int = BODY_BYTES_MAX) -> bytes | None:
    """The body, or just more than the limit of it; None when the sender went away."""
    message = await receive()
    if message["type"] == "http.disconnect":
        return None
    first: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return first
    body = bytearray(first)
    while len(body) <= body_bytes_max:
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


# What is left of such a request stays unread: the connection can't serve another one.
REFUSAL_HEADERS = ((b"content-type", problems.MEDIA_TYPE.encode()), (b"connection", b"close"))


async def _refuse(problem: Problem, send: Send) -> None:
    body = problem.to_bytes()
    headers = [*REFUSAL_HEADERS, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
