"""One log line for each request, and the end of the line for errors that nobody expected.

A line holds method, route template, status, time taken and a reference: no path, query, address,
header or body, so no personal data and no code. Of an unexpected error it holds the kind and the
places in the source, never the message: messages of drivers and parsers quote their input.
"""

import json
import logging
import secrets
import time
import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from card_core.errors import TamperedRowError
from scan_api import problems

FRAMES_LOGGED_MAX = 12

_log = logging.getLogger("sscard.scan_api")


class RequestLog:
    """Pure ASGI middleware; answers 500 itself when the application raised."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        reference = secrets.token_hex(6)
        status = 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        except Exception as error:  # noqa: BLE001 - the last one to catch: nothing above may tell
            _log_failure(error, reference)
            if status == 0:
                await _send_internal_error(send_noted, reference)
        finally:
            _log_request(scope, status, time.perf_counter() - started, reference)


def _log_request(scope: Scope, status: int, seconds: float, reference: str) -> None:
    route = scope.get("route")
    line = {
        "event": "request",
        "method": scope["method"],
        # The template, not the path: what was typed into a path may be anything.
        "route": getattr(route, "path", "none"),
        "status": status,
        "ms": round(seconds * 1000, 2),
        "reference": reference,
    }
    _log.info(json.dumps(line))


def _log_failure(error: Exception, reference: str) -> None:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_LOGGED_MAX:]
    line = {
        "event": "failure",
        "error": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        "reference": reference,
    }
    if isinstance(error, TamperedRowError):
        line |= {"table": error.table, "row_id": error.row_id}
    _log.error(json.dumps(line))


async def _send_internal_error(send: Send, reference: str) -> None:
    body = problems.INTERNAL_ERROR.to_bytes({"reference": reference})
    headers = [
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
    ]
    start = {"type": "http.response.start", "status": 500, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
