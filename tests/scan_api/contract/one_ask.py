"""One request, whoever sends it."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from contract_town import Caller, Town
from scan_service import TerminalDevice
from token_purchase import FORM

JSON = "application/json"

_requests = itertools.count(1)


@dataclass
class Ask:
    """rightful: who may ask this. body: fields; None for no body. media_type: of the body."""

    rightful: Caller
    path: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    media_type: str = JSON

    def content(self) -> bytes:
        if self.body is None:
            return b""
        if self.media_type == FORM:
            return urlencode(self.body).encode()
        return json.dumps(self.body).encode()


def request_id() -> str:
    return f"ask-{next(_requests)}"


def post(town: Town, device: TerminalDevice, target: str, body: Mapping[str, Any]) -> Any:
    """A signed request of the town's own, whose answer the next one needs."""
    answer = device.post(town.service.http, target, json.dumps(body).encode())
    answer.raise_for_status()
    return answer.json()
