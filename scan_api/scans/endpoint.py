"""Recording a scan, as plain ASGI in front of the framework.

`POST /v1/scans` is most of what this service does, and what stands around every other request (the
framework's typed machinery, one middleware behind the other) would cost more than the scan. What
the route does, says and refuses is described in the same OpenAPI document (see `routes`), and a
test holds the two together.
"""

import time
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from scan_api import limits, overload, problems
from scan_api.deadlines import Deadlines, OverdueError
from scan_api.error_answers import ANSWERABLE, answer_of
from scan_api.limits import BODY_BYTES_MAX, Headers, header_fault, read_body
from scan_api.overload import Admission
from scan_api.request_log import RequestLines, internal_error, log_failure
from scan_api.scans.recording import ScanDesk
from scan_api.security_headers import data_headers

PATH = "/v1/scans"

_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", problems.MEDIA_TYPE.encode())


class _Answer(NamedTuple):
    """headers: without Content-Length and what every answer carries."""

    status: int
    headers: Headers
    body: bytes


class ScanEndpoint:
    """Pure ASGI, before everything else: answers POST /v1/scans, and hands on the rest.

    In the same order as the middlewares, and by the same functions: 1 limits on the head and the
    body, 2 a place, 3 the scan, 4 the headers of every answer, 5 the line in the log.
    """

    def __init__(
        self,
        app: ASGIApp,
        desk: ScanDesk,
        admission: Admission,
        lines: RequestLines,
        *,
        answer_seconds: float = overload.ANSWER_SECONDS_MAX,
    ) -> None:
        self.app = app
        self._desk = desk
        self._admission = admission
        self._lines = lines
        self._deadlines = Deadlines(answer_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        started = self._lines.clock()
        status, reference = 0, ""
        try:
            try:
                answer = await self._answer(scope, receive)
            except Exception as error:  # noqa: BLE001 - the last one to catch: nothing above may tell
                reference = log_failure(error)
                answer = _Answer(500, [_PROBLEM], internal_error(reference))
            if answer is not None:
                status = answer.status
                await _send(send, answer, scope["scheme"])
        finally:
            self._lines.add(("POST", PATH, status), started, reference)

    async def _answer(self, scope: Scope, receive: Receive) -> _Answer | None:
        """None when the sender went away. Raises whatever nobody should hear about."""
        fault = header_fault(scope["headers"])
        body = b"" if fault else await read_body(receive)
        if body is None:
            return None
        if len(body) > BODY_BYTES_MAX:
            fault = problems.BODY_TOO_LARGE
        if fault:
            return _Answer(fault.status, [*limits.REFUSAL_HEADERS], fault.to_bytes())
        places = self._admission.scans
        if not (places.enter_now() or await places.enter()):
            self._admission.metrics.add_refusal("queue")
            full = problems.OVERLOADED
            return _Answer(full.status, [*overload.REFUSAL_HEADERS], full.to_bytes())
        entered = time.monotonic()
        try:
            with self._deadlines:
                return _Answer(200, [_JSON], await self._desk.record(scope, body))
        except OverdueError:
            self._admission.metrics.add_refusal("deadline")
            late = problems.NOT_READY
            return _Answer(late.status, [*overload.REFUSAL_HEADERS], late.to_bytes())
        except ANSWERABLE as error:
            known = answer_of(error)
            told = known.headers.items()
            headers = [(name.lower().encode(), value.encode()) for name, value in told]
            return _Answer(known.status, headers, known.body)
        finally:
            places.measure(time.monotonic() - entered)
            places.leave()


async def _send(send: Send, answer: _Answer, scheme: str) -> None:
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    headers += data_headers(scheme)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
