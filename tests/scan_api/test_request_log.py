import asyncio
import json
import logging
from types import SimpleNamespace

import pytest
from starlette.types import Message, Receive, Scope, Send

from scan_api.metrics import Metrics
from scan_api.request_log import LINES_MAX, RequestLines, RequestLog

CANARY = "110101199003074477"


class _Route:
    path = "/v1/things/{number}"


async def _fail(scope: Scope, receive: Receive, send: Send) -> None:
    scope["route"] = _Route()
    raise ValueError(f"no such person: {CANARY}")


async def _fail_after_start(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ValueError(CANARY)


def _ask(app: object) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": CANARY.encode()}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/v1/things/{CANARY}",
        "query_string": CANARY.encode(),
        "headers": [(b"cookie", CANARY.encode())],
        "client": ("192.0.2.1", 1),
    }
    asyncio.run(RequestLog(app)(scope, receive, send))  # type: ignore[arg-type]
    return sent


def test_an_unexpected_error_is_a_bland_500_with_a_reference(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    start, body = _ask(_fail)
    document = json.loads(body["body"])
    assert start["status"] == document["status"] == 500
    assert document["code"] == "internal_error"
    assert CANARY not in body["body"].decode()
    lines = [json.loads(record.message) for record in caplog.records]
    assert {line["reference"] for line in lines} == {document["reference"]}


def test_the_log_tells_kind_and_place_of_an_error_and_nothing_of_the_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    _ask(_fail)
    failure, request = (json.loads(record.message) for record in caplog.records)
    assert failure["error"] == "builtins.ValueError"
    assert any("_fail" in place for place in failure["at"])
    assert request["route"] == "/v1/things/{number}"
    assert request["status"] == 500
    assert CANARY not in caplog.text
    assert "192.0.2.1" not in caplog.text


def test_an_error_after_the_answer_began_sends_no_second_one() -> None:
    assert [message["type"] for message in _ask(_fail_after_start)] == ["http.response.start"]


_ROUTE = SimpleNamespace(path="/v1/scans")


class _Crowd:
    """Many requests to one application, in one loop, at times of our own."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.now = 100.0
        self.log = RequestLog(self._answer, RequestLines(self.metrics, lambda: self.now))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.now += 0.001
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def ask(self, count: int) -> None:
        async def nothing(_: object = None) -> Message:
            return {}

        for _ in range(count):
            scope = {"type": "http", "method": "POST", "path": "/", "route": _ROUTE}
            await self.log(scope, nothing, nothing)  # type: ignore[arg-type]
            self.now -= 0.001


def _lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(record.message) for record in caplog.records]


def test_a_crowd_costs_a_bounded_number_of_lines_and_loses_no_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    crowd = _Crowd()

    async def two_seconds() -> None:
        await crowd.ask(LINES_MAX + 250)
        crowd.now += 1.5
        await crowd.ask(1)

    asyncio.run(two_seconds())
    lines = _lines(caplog)
    assert [line["event"] for line in lines].count("request") == LINES_MAX + 1
    (together,) = (line for line in lines if line["event"] == "requests")
    assert together == {
        "event": "requests",
        "method": "POST",
        "route": "/v1/scans",
        "status": 200,
        "count": 250,
        "ms_max": 1.0,
    }
    assert crowd.metrics.snapshot()["requests"] == [["POST", "/v1/scans", 200, LINES_MAX + 251]]


def test_what_was_counted_is_written_though_nobody_asks_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("scan_api.request_log.WINDOW_SECONDS", 0.05)
    crowd = _Crowd()

    async def one_burst() -> None:
        await crowd.ask(LINES_MAX + 7)
        async with asyncio.timeout(10):
            while not any(line["event"] == "requests" for line in _lines(caplog)):
                await asyncio.sleep(0.01)

    asyncio.run(one_burst())
    assert _lines(caplog)[-1]["count"] == 7


def test_a_method_of_the_callers_own_invention_is_not_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    async def ask() -> None:
        scope = {"type": "http", "method": CANARY, "path": "/"}
        await RequestLog(_fail)(scope, None, _swallow)  # type: ignore[arg-type]

    asyncio.run(ask())
    assert CANARY not in caplog.text
    assert _lines(caplog)[-1]["method"] == "other"


async def _swallow(_: Message) -> None:
    pass
