"""One log line for each request, and the end of the line for errors that nobody expected.

A line holds method, route template, status and time taken, the code of the error that the answer
may tell less of, and a reference where the service failed: no path, query, address, header or body,
so no personal data and no dynamic code. Of an unexpected error it holds the kind and the places in
the source, never the message: messages of drivers and parsers quote their input.

Under load a line for each request would cost more than the request. LINES_MAX of each second are
written; the others are counted and written as one line for each route and status.
"""

import asyncio
import json
import logging
import secrets
import time
import traceback
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from card_core.errors import CardCoreError, TamperedRowError
from crypto import CryptoError
from scan_api import problems
from scan_api.metrics import METHODS, Metrics

FRAMES_LOGGED_MAX = 12
LINES_MAX = 100
WINDOW_SECONDS = 1.0
_ERROR = "sscard.error"

_log = logging.getLogger("sscard.scan_api")


class RequestLines:
    """Counts the requests of one process and writes their lines. All calls from one event loop.

    metrics: told of each request. clock: seconds that only grow.
    """

    def __init__(
        self, metrics: Metrics | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.clock = clock
        self._metrics = metrics or Metrics()
        self._window_ends_at = 0.0
        self._lines_left = 0
        self._unwritten: dict[tuple[str, str, int], tuple[int, float]] = {}

    def add(
        self, what: tuple[str, str, int], started: float, reference: str = "", error: str = ""
    ) -> None:
        """One request is over. what: method, route template, status (0: nothing was answered).

        started: by `clock`. reference: of a failure that `log_failure` told. error: its code.
        """
        now = self.clock()
        seconds = now - started
        self._metrics.add_request(*what, seconds)
        if now >= self._window_ends_at:
            self._write_unwritten()
            self._window_ends_at = now + WINDOW_SECONDS
            self._lines_left = LINES_MAX
        if self._lines_left or reference:
            self._lines_left = max(0, self._lines_left - 1)
            line = _line("request", what) | {"ms": round(seconds * 1000, 2)}
            told = {"error": error, "reference": reference}
            _log.info(json.dumps(line | {name: text for name, text in told.items() if text}))
            return
        if not self._unwritten:
            # Where no request follows, nobody else would write these.
            asyncio.get_running_loop().call_later(WINDOW_SECONDS, self._write_unwritten)
        count, longest = self._unwritten.get(what, (0, 0.0))
        self._unwritten[what] = (count + 1, max(longest, seconds))

    def _write_unwritten(self) -> None:
        unwritten, self._unwritten = self._unwritten, {}
        for what, (count, longest) in unwritten.items():
            told = {"count": count, "ms_max": round(longest * 1000, 2)}
            _log.info(json.dumps(_line("requests", what) | told))


class RequestLog:
    """Pure ASGI middleware; answers 500 itself when the application raised."""

    def __init__(self, app: ASGIApp, lines: RequestLines | None = None) -> None:
        self.app = app
        self._lines = lines or RequestLines()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = self._lines.clock()
        reference = ""
        status = 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        except Exception as error:  # noqa: BLE001 - the last one to catch: nothing above may tell
            reference = log_failure(error)
            if status == 0:
                await _send_internal_error(send_noted, reference)
        finally:
            # The template, not the path: what was typed into a path may be anything.
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._lines.add((method, route, status), started, reference, scope.get(_ERROR, ""))


def note_error(scope: Scope, error: Exception) -> None:
    """The request was answered because of this error; its line will hold the code."""
    scope[_ERROR] = code_of(error)


def code_of(error: Exception) -> str:
    """Empty where it is none of card_core.errors or crypto.errors."""
    return error.code if isinstance(error, (CardCoreError, CryptoError)) else ""


def _line(event: str, what: tuple[str, str, int]) -> dict[str, object]:
    method, route, status = what
    return {"event": event, "method": method, "route": route, "status": status}


def log_failure(error: Exception) -> str:
    """Write what may be told of an error that nobody expected; the reference under which it is."""
    reference = secrets.token_hex(6)
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
    return reference


async def _send_internal_error(send: Send, reference: str) -> None:
    body = internal_error(reference)
    headers = [
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
    ]
    start = {"type": "http.response.start", "status": 500, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})


def internal_error(reference: str) -> bytes:
    """The body of a 500."""
    return problems.INTERNAL_ERROR.to_bytes({"reference": reference})
