import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from scan_api.limits import BODY_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX, RequestLimits


async def _echo_size(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    size = len(message["body"])
    assert not message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % size})


def _scope(headers: list[tuple[bytes, bytes]]) -> Scope:
    return {"type": "http", "method": "POST", "path": "/", "headers": headers}


def _ask(
    parts: list[bytes],
    headers: list[tuple[bytes, bytes]] | None = None,
) -> tuple[list[Message], int]:
    """What came back, and how many of the body's parts were taken."""
    sent: list[Message] = []
    left: Iterator[bytes] = iter(parts)
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        part = next(left, None)
        if part is None:
            return {"type": "http.disconnect"}
        taken += 1
        return {"type": "http.request", "body": part, "more_body": taken < len(parts)}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(RequestLimits(_echo_size)(_scope(headers or []), receive, send))
    return sent, taken


def test_a_body_of_exactly_the_limit_is_handed_on_in_one_piece() -> None:
    sent, _ = _ask([b"x" * 1000] * 65 + [b"x" * (BODY_BYTES_MAX - 65_000)])
    assert (sent[0]["status"], sent[1]["body"]) == (200, b"%d" % BODY_BYTES_MAX)


def test_one_byte_more_is_refused_without_a_content_length() -> None:
    sent, _ = _ask([b"x" * BODY_BYTES_MAX, b"x"])
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]


def test_an_endless_body_is_not_read_beyond_the_limit() -> None:
    sent, taken = _ask([b"x" * 60_000] * 1000)
    assert (sent[0]["status"], taken) == (413, 2)


def test_a_body_announced_too_large_is_not_read_at_all() -> None:
    sent, taken = _ask([b"x"], [(b"content-length", b"%d" % (BODY_BYTES_MAX + 1))])
    assert (sent[0]["status"], taken) == (413, 0)


def test_a_sender_that_went_away_gets_no_answer() -> None:
    sent, _ = _ask([])
    assert sent == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"a", b"b")] * HEADERS_MAX, 200),
        ([(b"a", b"b")] * (HEADERS_MAX + 1), 431),
        ([(b"a", b"b" * (HEADER_BYTES_MAX - 1))], 200),
        ([(b"a", b"b" * HEADER_BYTES_MAX)], 431),
    ],
)
def test_headers_are_limited_in_number_and_size(
    headers: list[tuple[bytes, bytes]], status: int
) -> None:
    sent, _ = _ask([b""], headers)
    assert sent[0]["status"] == status
