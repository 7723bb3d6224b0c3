"""Recording a scan, as plain ASGI in front of the framework.

`POST /v1/scans` is most of what this service does, and the framework's typed machinery would cost
more than the scan. What it does, says and refuses is described in the same OpenAPI document (see
`routes`), and a test holds the two together.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scan_api.error_answers import ANSWERABLE, answer_of
from scan_api.scans.recording import ScanDesk

PATH = "/v1/scans"

_JSON = (b"content-type", b"application/json")


class ScanEndpoint:
    """Pure ASGI middleware: answers POST /v1/scans itself and hands on everything else."""

    def __init__(self, app: ASGIApp, desk: ScanDesk) -> None:
        self.app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        # Log lines and metrics name requests by their route.
        scope["route"] = _ROUTE
        body = await _body(receive)
        if body is None:
            return
        try:
            verdict = await self._desk.record(scope, body)
        except ANSWERABLE as error:
            known = answer_of(error)
            headers = [(name.encode(), value.encode()) for name, value in known.headers.items()]
            await _send(send, known.status, headers, known.body)
            return
        await _send(send, 200, [_JSON], verdict)


class _Route:
    path = PATH


_ROUTE = _Route()


async def _body(receive: Receive) -> bytes | None:
    """The body, which RequestLimits has bounded and read; None when the sender went away."""
    message = await receive()
    if not message.get("more_body", False):
        return _part(message)
    parts = [_part(message)]
    while message.get("more_body", False):
        message = await receive()
        parts.append(_part(message))
    return None if None in parts else b"".join(part for part in parts if part)


def _part(message: Message) -> bytes | None:
    return None if message["type"] == "http.disconnect" else message.get("body", b"")


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
