"""A terminal's side of a service that may die: every request sent, every answer as it came."""

import http.client
import json
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """seconds: from the request's first byte to the answer's last."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def verdict(self) -> Any:
        """Or the problem document."""
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """Of a verdict its reason, of a problem document its code."""
        return str(self.verdict["reason" if self.status == 200 else "code"])

    @property
    def is_accepted(self) -> bool:
        return self.status == 200 and bool(self.verdict["outcome"] == "accepted")


class Caller:
    """Sends raw requests over a kept connection for each thread. address: host and port."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._local = threading.local()

    def send(self, request: bytes) -> Answer | None:
        """None where the connection ended, or never came to be: nobody knows what happened then.

        Nothing is sent twice but over a connection that was closed before anything was sent.
        """
        began = time.monotonic()
        try:
            connection = self._connection()
            connection.sock.sendall(request)
            found = http.client.HTTPResponse(connection.sock, method="POST")
            found.begin()
            body = found.read()
        except (OSError, http.client.HTTPException):
            self.forget()
            return None
        if found.will_close:
            self.forget()
        headers = {name.lower(): value for name, value in found.getheaders()}
        return Answer(found.status, headers, body, time.monotonic() - began)

    def send_all(self, requests: Iterable[bytes], at_a_time: int = 16) -> list[Answer | None]:
        """In this order, so many at a time; the answers in the same order."""
        with ThreadPoolExecutor(at_a_time) as pool:
            return list(pool.map(self.send, requests))

    def get(self, path: str) -> tuple[int, Any]:
        """Status and body of a question that needs no signature."""
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def forget(self) -> None:
        """Use a new connection from now on, in this thread."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _connection(self) -> Any:
        connection: Any = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_SECONDS)
            connection.connect()
            self._local.connection = connection
        return connection
