"""Buying an access token, for tests: a good purchase that a mutation spoils."""

import itertools
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx2
import jwt
from scan_service import ScanService, TerminalDevice

from crypto import jose
from scan_api.terminals.assertions import LIFE_SECONDS_MAX
from scan_api.terminals.registry import key_name
from scan_api.terminals.token_grant import ASSERTION_TYPE

JWS: Any = jwt.PyJWS(algorithms=["none", "HS256", "ES256"])
JWS.register_algorithm(jose.ALGORITHM, jose.SM2Algorithm())
FORM = "application/x-www-form-urlencoded"

_serial = itertools.count(1)


def name_of(device: TerminalDevice) -> str:
    return key_name(device.key.public_key().to_bytes(compressed=True)).hex()


@dataclass
class Draft:
    """A good purchase of a token, that a mutation spoils; made by PyJWT itself."""

    service: ScanService
    head: dict[str, Any] = field(default_factory=dict)
    key: Any = None
    algorithm: str = jose.ALGORITHM
    text: str = ""

    def __post_init__(self) -> None:
        self.device = self.service.pharmacy
        self.key = self.device.key
        serial, now = self.device.serial_number.hex(), int(self.service.clock().timestamp())
        self.head = {"kid": name_of(self.device), "typ": "JWT"}
        self.payload: dict[str, Any] = {
            "iss": serial,
            "sub": serial,
            "aud": self.service.services.authentication.tokens.audience,
            "jti": f"assertion-{next(_serial):020}",
            "iat": now,
            "exp": now + LIFE_SECONDS_MAX,
        }
        self.form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
        self.content_type = FORM

    def assertion(self) -> str:
        payload = json.dumps(self.payload).encode()
        return JWS.encode(payload, self.key, algorithm=self.algorithm, headers=self.head)

    def send(self) -> httpx2.Response:
        text = self.text or self.assertion()
        body = urlencode({"client_assertion": text, **self.form})
        headers = {"Content-Type": self.content_type}
        return self.service.http.post("/v1/oauth/token", content=body, headers=headers)


def buy(service: ScanService, device: TerminalDevice | None = None) -> str:
    draft = Draft(service)
    if device is not None:
        serial = device.serial_number.hex()
        draft.key, draft.head["kid"] = device.key, name_of(device)
        draft.payload |= {"iss": serial, "sub": serial}
    answer = draft.send()
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def ask_who(service: ScanService, token: str, **headers: str) -> httpx2.Response:
    bearer = {"Authorization": f"Bearer {token}", **headers}
    return service.http.get("/v1/terminal", headers=bearer)
