"""Scans as they go over the wire: the usual request read in one look, and answers in one piece.

A scan's request nearly always comes whole, in one read, with a handful of plain headers. Reading
that takes two searches over its bytes; the server's parser and what is built around each of its
requests would take longer than the rest of the scan. Whatever is the least unusual is not read
here: the parser decides about it, and ASGI brings it to the same endpoint (`endpoint`).
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

from scan_api import overload, problems, security_headers
from scan_api.limits import BODY_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX, Headers

_BEGINNING = b"POST /v1/scans HTTP/1.1\r\n"
_HEAD_BYTES_MAX = len(_BEGINNING) + HEADER_BYTES_MAX
# Names of RFC 9110, 5.6.2; values of printable characters and spaces. No folded or bare line ends.
_HEAD = re.compile(rb"POST /v1/scans HTTP/1\.1(?:\r\n[!#-'*+.^-z|~A-Z0-9-]+:[ -~]*)+")
_KNOWN = re.compile(
    rb"\r\n(authorization|content-type|content-length|connection|transfer-encoding|expect|upgrade)"
    rb":([^\r]*)",
    re.IGNORECASE,
)
_LENGTH = re.compile(rb"[0-9]{1,5}")


class WholeScan(NamedTuple):
    """One request to record a scan. authorization: of its one such header."""

    authorization: bytes
    content_type: bytes
    body: bytes


class Answer(NamedTuple):
    """headers: without Content-Length and what every answer carries. error: for the log alone, the
    code of the error behind it."""

    status: int
    headers: Headers
    body: bytes
    error: str = ""


def begins_scan(data: bytes) -> bool:
    """Whether these bytes begin like the usual request to record a scan."""
    return data.startswith(_BEGINNING)


def read_whole_scan(data: bytes) -> WholeScan | None:
    """Read bytes that are exactly one usual request to record a scan; None for any others."""
    end = data.find(b"\r\n\r\n", 0, _HEAD_BYTES_MAX)
    if end < 0 or _HEAD.fullmatch(data, 0, end) is None:
        return None
    if data.count(b"\r\n", 0, end) > HEADERS_MAX:
        return None
    found = _KNOWN.findall(data, 0, end + 2)
    known = {name.lower(): value.strip(b" ") for name, value in found}
    length = known.get(b"content-length", b"")
    if (
        len(found) != 3 + (b"connection" in known)  # each once, and no other framing
        or known.get(b"connection", b"keep-alive").lower() != b"keep-alive"
        or not _LENGTH.fullmatch(length)
        or int(length) > BODY_BYTES_MAX
        or end + 4 + int(length) != len(data)
    ):
        return None
    authorization, content_type = known.get(b"authorization"), known.get(b"content-type")
    if authorization is None or content_type is None:
        return None
    return WholeScan(authorization, content_type, data[end + 4 :])


def to_bytes(answer: Answer, common: Headers, scheme: str, *, is_last: bool = False) -> bytes:
    """The whole answer. common: what the server adds to every answer; is_last: the connection ends
    with it."""
    before, behind = _around_length(
        answer.status, tuple(answer.headers), tuple(common), scheme, is_last
    )
    return b"%b%d%b%b" % (before, len(answer.body), behind, answer.body)


@lru_cache(maxsize=64)
def _around_length(
    status: int,
    headers: tuple[tuple[bytes, bytes], ...],
    common: tuple[tuple[bytes, bytes], ...],
    scheme: str,
    is_last: bool,
) -> tuple[bytes, bytes]:
    """What stands before the body's length, and behind it: for a second, until the date changes,
    most answers have the same."""
    before = _status_line(status) + _lines([*common, *headers]) + b"content-length: "
    behind = _lines([*security_headers.data_headers(scheme), *_END[is_last]])
    return before, b"\r\n" + behind + b"\r\n"


_END = {False: (), True: ((b"connection", b"close"),)}
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode()


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])


_OVERLOADED = Answer(
    problems.OVERLOADED.status, [*overload.REFUSAL_HEADERS], problems.OVERLOADED.to_bytes()
)
# What whoever finds no room hears, made beforehand.
REFUSAL = to_bytes(_OVERLOADED, [], "http")
LAST_REFUSAL = to_bytes(_OVERLOADED, [], "http", is_last=True)
