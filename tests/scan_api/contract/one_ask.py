"""One request, whoever sends it."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from contract_town import Caller
from token_purchase import FORM

JSON = "application/json"


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
