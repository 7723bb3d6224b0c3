"""Clients that know the documents and nothing else: docs/api.md, docs/chip-cards.md, /openapi.json.

They share no line with the product. What they sign and hash is GmSSL's (`gmssl_pyx`), what they
send goes through the standard library, one connection each, kept.
"""

import base64
import http.client
import json
import secrets
import socket
import time
from dataclasses import dataclass, field
from typing import Any

from gmssl_pyx import sm2_key_generate, sm2_sign

PATIENCE_SECONDS = 30.0
# The service closes a connection on which nothing came for half a minute.
IDLE_SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """body: parsed where it is JSON; an empty one is {}."""

    status: int
    content: bytes
    headers: dict[str, str]

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.content or b"{}")
        return found

    @property
    def word(self) -> str:
        """The verdict's reason, or the problem's code."""
        return str(self.body.get("reason") or self.body["code"])


class Connection:
    """One kept connection to the service. address: host:port."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)
        self._used_at = time.monotonic()

    @property
    def socket(self) -> socket.socket:
        if self._http.sock is None:
            self._http.connect()
        found: socket.socket = self._http.sock
        return found

    @property
    def port(self) -> int:
        """Of our own end."""
        port: int = self.socket.getsockname()[1]
        return port

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body:
            named["Content-Type"] = "application/json"
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self._http.close()  # and the next request opens a new one
        self._used_at = time.monotonic()
        self._http.request(method, target, body or None, named)
        answer = self._http.getresponse()
        return Answer(answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()})

    def close(self) -> None:
        self._http.close()


@dataclass
class Terminal:
    """A vendor's terminal: a serial number, a key of its own, and where the service is."""

    serial: str
    connection: Connection
    secret: bytes = field(init=False, repr=False)
    _point: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._point, self.secret = sm2_key_generate()

    @property
    def public_key(self) -> str:
        """Compressed, hexadecimal: x behind a byte that tells whether y is odd."""
        return f"{2 + self._point[63] % 2:02x}{self._point[:32].hex()}"

    def enrol(self, code: str) -> None:
        """code: as the bureau let it out, with its hyphens."""
        plain = code.replace("-", "")
        claimed = f"sscard/enrolment/v1\n{self.serial}\n{plain}\n{self.public_key}\n"
        answer = self.connection.ask(
            "POST",
            "/v1/terminals/enrolments",
            json.dumps(
                {
                    "serial_number": self.serial,
                    "enrolment_code": plain,
                    "public_key": self.public_key,
                    "proof": self._sign(claimed.encode()),
                }
            ).encode(),
        )
        assert answer.status in {200, 201}, answer

    def signed(self, method: str, target: str, body: bytes = b"") -> str:
        """The Authorization header of one request."""
        signed_at, nonce = str(int(time.time())), secrets.token_hex(16)
        head = f"sscard/request/v1\n{method}\n{target}\n{signed_at}\n{nonce}\n"
        signature = self._sign(head.encode() + body + b"\n")
        return (
            f'SSCARD-SM2 terminal="{self.serial}",time="{signed_at}",nonce="{nonce}",'
            f'signature="{signature}"'
        )

    def ask(
        self, method: str, target: str, body: bytes = b"", by: Connection | None = None
    ) -> Answer:
        """by: another connection than its own."""
        proof = self.signed(method, target, body)
        return (by or self.connection).ask(method, target, body, Authorization=proof)

    def post(self, target: str, by: Connection | None = None, **fields: Any) -> Answer:
        """With a request id of its own, unless one is given."""
        whole = {"request_id": secrets.token_hex(12)} | fields
        return self.ask("POST", target, json.dumps(whole).encode(), by)

    def scan(
        self,
        code: str,
        business_type: str = "01101",
        by: Connection | None = None,
        **fields: Any,
    ) -> Answer:
        return self.post("/v1/scans", by, code=code, business_type=business_type, **fields)

    def _sign(self, message: bytes) -> str:
        return base64.b64encode(sm2_sign(self.secret, self._point, message)).decode()


class Holder:
    """A holder's app, signed in. number, password: what is typed."""

    def __init__(self, connection: Connection, number: str, password: str) -> None:
        self._connection = connection
        self._cookie = ""
        fields = {"social_security_number": number, "password": password}
        answer = self.post("/v1/holder/sign-ins", **fields)
        assert answer.status == 201, answer
        self._cookie = answer.headers["set-cookie"].split(";")[0]

    def get(self, target: str) -> dict[str, Any]:
        answer = self._connection.ask("GET", target, Cookie=self._cookie)
        assert answer.status == 200, answer
        return answer.body

    def post(self, target: str, by: Connection | None = None, **fields: Any) -> Answer:
        body = json.dumps(fields).encode()
        return (by or self._connection).ask("POST", target, body, **self._headers())

    def delete(self, target: str) -> int:
        return self._connection.ask("DELETE", target, **self._headers()).status

    def show(self, by: Connection | None = None, **wanted: Any) -> dict[str, Any]:
        """A new code, with all that the service gives beside it."""
        answer = self.post("/v1/holder/codes", by, **wanted)
        assert answer.status == 201, answer
        return answer.body

    def code(self, by: Connection | None = None, **wanted: Any) -> str:
        return str(self.show(by, **wanted)["text"])

    def report_loss(self, by: Connection | None = None) -> Answer:
        return self.post("/v1/holder/loss-reports", by)

    def _headers(self) -> dict[str, str]:
        # Each request that changes something has a name of its own.
        key = f'"{secrets.token_hex(12)}"'
        own = {"Origin": f"http://{self._connection.address}", "Idempotency-Key": key}
        return own | ({"Cookie": self._cookie} if self._cookie else {})
