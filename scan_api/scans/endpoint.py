"""Recording a scan, as plain ASGI in front of the framework, and for the server itself.

`POST /v1/scans` is most of what this service does, and what stands around every other request (the
framework's typed machinery, one middleware behind the other) would cost more than the scan. What
the route does, says and refuses is described in the same OpenAPI document (see `routes`), and a
test holds the two together. The server reads the usual request itself (`wire`) and comes here
without ASGI.
"""

import time

from starlette.types import ASGIApp, Receive, Scope, Send

from scan_api import limits, overload, problems
from scan_api.deadlines import Deadlines, OverdueError
from scan_api.error_answers import ANSWERABLE, answer_of
from scan_api.limits import BODY_BYTES_MAX, header_fault, read_body
from scan_api.overload import SCANS, Admission
from scan_api.problems import Problem
from scan_api.request_log import RequestLines, code_of, internal_error, log_failure
from scan_api.scans.recording import ScanDesk
from scan_api.scans.wire import Answer
from scan_api.security_headers import data_headers
from scan_api.signed_requests import SignedRequest

VERDICT_HEADERS = [(b"content-type", b"application/json")]
_PROBLEM = (b"content-type", problems.MEDIA_TYPE.encode())


class ScanEndpoint:
    """Pure ASGI, before everything else: answers POST /v1/scans, and hands on the rest.

    In the same order as the middlewares, and by the same functions: 1 limits on the head and the
    body, 2 a place, 3 the scan, 4 the line in the log, 5 the headers of every answer.
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
        if scope["type"] != "http" or scope["path"] != SCANS or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        started = self._lines.clock()
        fault = header_fault(scope["headers"])
        body = b"" if fault else await read_body(receive)
        if body is None:
            self._lines.add(("POST", SCANS, 0), started)
            return
        if len(body) > BODY_BYTES_MAX:
            fault = problems.BODY_TOO_LARGE
        if fault:
            self._lines.add(("POST", SCANS, fault.status), started)
            answer = _refusal(fault, limits.REFUSAL_HEADERS)
        else:
            request = SignedRequest.of(scope, body)
            answer = await self.answer(request, _content_type(scope), started)
        await _send(send, answer, scope["scheme"])

    def now(self) -> float:
        """Seconds by the clock that `answer` measures with."""
        return self._lines.clock()

    async def answer(self, request: SignedRequest, content_type: str, started: float) -> Answer:
        """Steps 2 to 4 for a request that is within the limits. started: by `now`."""
        status, reference, code = 0, "", ""
        try:
            answer = await self._answer(request, content_type)
            status, code = answer.status, answer.error
        except Exception as error:  # noqa: BLE001 - the last one to catch: nothing above may tell
            status, reference = 500, log_failure(error)
            answer = Answer(500, [_PROBLEM], internal_error(reference))
        finally:
            self._lines.add(("POST", SCANS, status), started, reference, code)
        return answer

    async def _answer(self, request: SignedRequest, content_type: str) -> Answer:
        """Raises whatever nobody should hear about."""
        places = self._admission.scans
        if not (places.enter_now() or await places.enter()):
            self._admission.metrics.add_refusal("queue")
            return _refusal(problems.OVERLOADED, overload.REFUSAL_HEADERS)
        entered = time.monotonic()
        try:
            with self._deadlines:
                return Answer(200, VERDICT_HEADERS, await self._desk.record(request, content_type))
        except OverdueError:
            self._admission.metrics.add_refusal("deadline")
            return _refusal(problems.NOT_READY, overload.REFUSAL_HEADERS)
        except ANSWERABLE as error:
            known = answer_of(error)
            told = known.headers.items()
            headers = [(name.lower().encode(), value.encode()) for name, value in told]
            return Answer(known.status, headers, known.body, code_of(error))
        finally:
            places.measure(time.monotonic() - entered)
            places.leave()


def _refusal(problem: Problem, headers: tuple[tuple[bytes, bytes], ...]) -> Answer:
    return Answer(problem.status, [*headers], problem.to_bytes())


def _content_type(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"content-type":
            text: str = value.decode("latin-1")
            return text
    return ""


async def _send(send: Send, answer: Answer, scheme: str) -> None:
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    headers += data_headers(scheme)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
