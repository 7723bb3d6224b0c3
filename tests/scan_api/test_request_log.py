import asyncio
import json
import logging

import pytest
from starlette.types import Message, Receive, Scope, Send

from scan_api.request_log import RequestLog

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
