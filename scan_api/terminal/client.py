"""A terminal's side of the service: signs every request and asks until the outcome is known.

A scan that got no answer may have been recorded. It is asked again with the same request id, to
which the service gives the same answer and spends nothing twice, and with a fresh nonce, because
each signature is taken once. What is still unknown after that is an error: never a yes.
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2

from card_core.kernel.enrolment_codes import EnrolmentCode
from card_core.store.terminal_journal import Accepted
from scan_api.bundles.routes import BYTES, TIME_HEADER
from scan_api.problems import CLOCK_OFF, MEDIA_TYPE
from scan_api.signed_requests import NONCE_BYTES, authorization
from scan_api.terminal.errors import (
    OutcomeUnknownError,
    RequestRefusedError,
    ServiceAwayError,
    TerminalError,
)
from scan_api.terminal.key import TerminalKey
from scan_api.terminals.possession import enrolment_bytes, next_key_bytes, prove

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 3.0
ATTEMPTS_MAX = 3
PAUSES_SECONDS = (0.2, 0.8)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Fetched:
    """service_seconds: the service's time when it answered."""

    data: bytes
    service_seconds: int


class TerminalClient:
    """One terminal's connection to the service; safe in many threads.

    base_url: https, or plain http to this machine itself. transport: another way to the service,
    for tests. clock: Unix seconds, by the service's time as well as it is known. learn: takes that
    time where the service says that the clock is off. pause: waits so many seconds between two
    attempts. attempts_max: at most ATTEMPTS_MAX.
    """

    def __init__(
        self,
        base_url: str,
        key: TerminalKey,
        *,
        transport: httpx2.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        learn: Callable[[float], None] | None = None,
        pause: Callable[[float], None] = time.sleep,
        attempts_max: int = ATTEMPTS_MAX,
    ) -> None:
        """Raises: ValueError for an address to which names and numbers would travel in clear."""
        parts = urlsplit(base_url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError("the service's address must be https, or http on this machine")
        self._key = key
        self._clock = clock
        self._learn = learn
        self._pause = pause
        self._attempts_max = attempts_max
        self._http = httpx2.Client(
            base_url=base_url,
            transport=transport,
            timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            headers={"Accept": f"application/json, {MEDIA_TYPE}"},
            # A proxy or a netrc file of the machine must not stand between the terminal and us.
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self) -> dict[str, Any]:
        """Who this terminal is and what it may scan for: GET /v1/terminal.

        Raises: TerminalError.
        """
        try:
            return self._ask("GET", "/v1/terminal", b"")
        except OutcomeUnknownError:
            # A question changes nothing, so nothing is in doubt.
            raise ServiceAwayError from None

    def scan(
        self,
        code: str,
        business_type: str,
        *,
        request_id: str | None = None,
        amount_fen: int | None = None,
        operator: str | None = None,
        department: str | None = None,
    ) -> dict[str, Any]:
        """The service's verdict on one code: POST /v1/scans. Refused codes are verdicts too.

        request_id: give that of an earlier scan to settle its outcome; made anew when absent.
        Raises: TerminalError.
        """
        fields = {
            "code": code,
            "business_type": business_type,
            "request_id": request_id or new_request_id(),
            "amount_fen": amount_fen,
            "operator": operator,
            "department": department,
        }
        return self._send("/v1/scans", fields)

    def challenge_card(self) -> dict[str, Any]:
        """What a chip card is to answer now: POST /v1/card-challenges. Raises: TerminalError."""
        try:
            return self._ask("POST", "/v1/card-challenges", b"")
        except OutcomeUnknownError:
            # A challenge that got lost is worth nothing to anybody.
            raise ServiceAwayError from None

    def read_card(
        self,
        challenge_id: str,
        card_text: str,
        cryptogram: bytes,
        business_type: str,
        *,
        request_id: str | None = None,
        amount_fen: int | None = None,
        operator: str | None = None,
        department: str | None = None,
    ) -> dict[str, Any]:
        """The service's verdict on a chip card: POST /v1/card-reads (docs/chip-cards.md).

        challenge_id: from `challenge_card`. card_text: what iReadCardBas returned, as text.
        cryptogram: the chip's 16 bytes. The rest as in `scan`. Raises: TerminalError.
        """
        fields = {
            "challenge_id": challenge_id,
            "card_text": card_text,
            "cryptogram": cryptogram.hex(),
            "business_type": business_type,
            "request_id": request_id or new_request_id(),
            "amount_fen": amount_fen,
            "operator": operator,
            "department": department,
        }
        return self._send("/v1/card-reads", fields)

    def _send(self, target: str, fields: Mapping[str, object]) -> dict[str, Any]:
        body = {name: value for name, value in fields.items() if value is not None}
        return self._ask("POST", target, json.dumps(body, ensure_ascii=False).encode())

    def enrol(self, code: EnrolmentCode) -> dict[str, Any]:
        """Bring this key with an enrolment code: POST /v1/terminals/enrolments.

        Asking again with the same code and key is safe. Raises: TerminalError.
        """
        serial, public_key = self._key.serial_number, self._public_key()
        fields = {
            "enrolment_code": code.text,
            "serial_number": serial.hex(),
            "public_key": public_key.hex(),
            "proof": prove(self._key, enrolment_bytes(serial, code.text, public_key)),
        }
        return self._ask("POST", "/v1/terminals/enrolments", json.dumps(fields).encode())

    def bring_next_key(self, key: TerminalKey) -> dict[str, Any]:
        """Let `key` follow the present one: POST /v1/terminals/keys, signed by the present one.

        Asking again with the same key is safe. Raises: TerminalError.
        """
        public_key = key.public_key.to_bytes(compressed=True)
        proof = prove(key, next_key_bytes(self._key.serial_number, public_key))
        fields = {"public_key": public_key.hex(), "proof": proof}
        return self._ask("POST", "/v1/terminals/keys", json.dumps(fields).encode())

    def fetch(self, target: str) -> Fetched:
        """What terminals carry, as bytes (docs/offline.md). Raises: TerminalError."""
        try:
            response = self._send_signed("GET", target, b"")
        except OutcomeUnknownError:
            raise ServiceAwayError from None
        told = response.headers.get(TIME_HEADER, "")
        if not response.is_success:
            _read(response)
        if not told.isdigit() or response.headers.get("Content-Type") != BYTES:
            raise ServiceAwayError  # a captive portal's own page
        return Fetched(response.content, int(told))

    def upload(self, records: Sequence[Accepted]) -> dict[str, str]:
        """Hand in what was accepted with no network: POST /v1/offline-scans.

        Returns what became of each record, by its request id. Doing it again is safe.
        Raises: TerminalError.
        """
        fields = {
            "request_id": new_request_id(),
            "records": [
                {
                    "request_id": one.record.request_id,
                    "code": one.record.code,
                    "business_type": one.record.business_type,
                    "amount_fen": one.record.amount_fen,
                    "scanned_at": int(one.record.scanned_at.timestamp()),
                    "sequence": one.record.sequence,
                    "signature": one.signature.hex(),
                }
                for one in records
            ],
        }
        answer = self._ask("POST", "/v1/offline-scans", json.dumps(fields).encode())
        return {one["request_id"]: one["outcome"] for one in answer["records"]}

    def _public_key(self) -> bytes:
        return self._key.public_key.to_bytes(compressed=True)

    def _ask(self, method: str, target: str, body: bytes) -> dict[str, Any]:
        """Reads an object; raises as `_send_signed`."""
        return _read(self._send_signed(method, target, body))

    def _send_signed(self, method: str, target: str, body: bytes) -> httpx2.Response:
        """Asks at most `attempts_max` times; the worst of the failures is what is told."""
        failure: TerminalError = ServiceAwayError()
        for attempt in range(self._attempts_max):
            if attempt:
                self._pause(PAUSES_SECONDS[attempt - 1])
            try:
                response = self._http.send(self._signed(method, target, body))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
            except httpx2.TransportError:
                failure = OutcomeUnknownError()
                continue
            if response.status_code < 500:
                return self._in_time(response, method, target, body)
            # The service failed, perhaps after it had recorded: the same as no answer.
            failure = OutcomeUnknownError()
        raise failure

    def _in_time(
        self, response: httpx2.Response, method: str, target: str, body: bytes
    ) -> httpx2.Response:
        """The answer; where it is that our clock is off, the one to the same by the right time.

        A clock that is off is no fault of the clerk's: nothing was done, and the service says what
        time it is. Raises ServiceAwayError, OutcomeUnknownError.
        """
        server_time = _server_time(response)
        if server_time is None or self._learn is None:
            return response
        self._learn(server_time)
        try:
            again = self._http.send(self._signed(method, target, body))
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            raise ServiceAwayError from None
        except httpx2.TransportError:
            raise OutcomeUnknownError from None
        if again.status_code >= 500:
            raise OutcomeUnknownError
        return again

    def _signed(self, method: str, target: str, body: bytes) -> httpx2.Request:
        request = self._http.build_request(method, target, content=body or None)
        if body:
            request.headers["Content-Type"] = "application/json"
        request.headers["Authorization"] = authorization(
            self._key,
            self._key.serial_number,
            method=method,
            # What goes over the wire, which has the base address's own path in front.
            target=request.url.raw_path.decode(),
            body=body,
            signed_at=int(self._clock()),
            nonce=secrets.token_bytes(NONCE_BYTES),
        )
        return request


def new_request_id() -> str:
    """A name that no other request of this terminal has."""
    return secrets.token_hex(16)


def _server_time(response: httpx2.Response) -> int | None:
    """The service's time, in Unix seconds, if it says that ours is wrong."""
    if response.status_code != 401:
        return None
    try:
        problem = response.json()
    except ValueError:
        return None
    if not isinstance(problem, Mapping) or problem.get("code") != CLOCK_OFF.code:
        return None
    server_time = problem.get("server_time")
    return server_time if type(server_time) is int else None


def _read(response: httpx2.Response) -> dict[str, Any]:
    """The answer's object. Raises: RequestRefusedError; OutcomeUnknownError for what isn't one."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    # A captive portal answers 200 with a page of its own.
    if not isinstance(answer, Mapping):
        raise OutcomeUnknownError
    if response.is_success:
        return dict(answer)
    try:
        raise RequestRefusedError(response.status_code, dict(answer))
    except KeyError:
        raise OutcomeUnknownError from None
