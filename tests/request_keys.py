"""Callers that give each request that changes something an Idempotency-Key of its own."""

from typing import TypeVar
from uuid import uuid4

import httpx2

HEADER = "Idempotency-Key"
_Client = TypeVar("_Client", bound=httpx2.Client)


def new_key() -> str:
    return f'"{uuid4()}"'


def naming_requests(client: _Client) -> _Client:
    """The client, which from now on sends a new key wherever none is given."""

    def name(request: httpx2.Request) -> None:
        if request.method != "GET" and HEADER not in request.headers:
            request.headers[HEADER] = new_key()

    client.event_hooks = {"request": [name]}
    return client
