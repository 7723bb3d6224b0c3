"""Many scans of one code at once: every request is written before any answer is read."""

import json
import os
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from installation import Installation
from outside import Connection, Terminal

from crypto import sm2
from scan_api.signed_requests import NONCE_BYTES, authorization

TARGET = "/v1/scans"


class Line:
    """One kept connection of one terminal, written and read apart."""

    def __init__(self, terminal: Terminal, connection: Connection) -> None:
        self._connection = connection
        self._reading = connection.socket.makefile("rb")
        self._serial = bytes.fromhex(terminal.serial)
        # Signed by the product's own hand: GmSSL's is a hundred times slower.
        self._key = sm2.PrivateKey.from_bytes(terminal.secret)

    def request(self, **fields: Any) -> bytes:
        """A signed scan, ready to be written."""
        body = json.dumps({"request_id": secrets.token_hex(12)} | fields).encode()
        proof = authorization(
            self._key,
            self._serial,
            method="POST",
            target=TARGET,
            body=body,
            signed_at=int(datetime.now(UTC).timestamp()),
            nonce=os.urandom(NONCE_BYTES),
        )
        head = (
            f"POST {TARGET} HTTP/1.1\r\nhost: sscard\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nauthorization: {proof}\r\n\r\n"
        )
        return head.encode() + body

    def write(self, request: bytes) -> None:
        self._connection.socket.sendall(request)

    def read(self) -> str:
        """The verdict's reason, or the problem's code."""
        self._reading.readline()
        length = 0
        while (line := self._reading.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        answer = json.loads(self._reading.read(length))
        return str(answer.get("reason") or answer["code"])

    def close(self) -> None:
        self._reading.close()
        self._connection.close()


@contextmanager
def lines_of(
    installation: Installation, terminals: Sequence[Terminal], count: int
) -> Iterator[list[Line]]:
    """So many connections, the terminals in turn, as many to each worker."""
    connections = installation.connect_many(count)
    found = [Line(terminals[at % len(terminals)], one) for at, one in enumerate(connections)]
    try:
        yield found
    finally:
        for line in found:
            line.close()


def race(lines: Sequence[Line], **fields: Any) -> Counter[str]:
    """The same scan on every line at once, each a request of its own; the answers, counted."""
    requests = [line.request(**fields) for line in lines]
    for line, request in zip(lines, requests, strict=True):
        line.write(request)
    return Counter(line.read() for line in lines)
