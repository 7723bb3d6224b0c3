"""Asking another issuer about its holder's code. What can't be settled is refused: never a yes.

Each question has a time limit, few go on at once, and an issuer that did not answer is left alone
for a moment, so that scans of our own holders never wait for somebody else's service.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx2
from pydantic import ValidationError

from card_core.codes import ForWhom, KeyPurpose, Presence
from card_core.errors import StoreError
from card_core.kernel.peers import JudgedElsewhere
from card_core.presented import Medium
from card_core.signing import NoSigningKeyError, SigningKeys
from card_core.trust import TrustedIssuer, TrustList
from card_core.verdicts import Reason
from crypto import CryptoError
from crypto.keys import KeyFileError
from scan_api.issuers.models import PeerScanRequest, PeerVerdict
from scan_api.issuers.signatures import (
    ANSWER_HEADER,
    NONCE_BYTES,
    PeerSignatureError,
    Question,
    authorization,
    verify_answer,
)

TARGET: Final = "/v1/peer-scans"
CONNECT_SECONDS: Final = 0.5
ANSWER_SECONDS: Final = 1.0
ALL_SECONDS: Final = 2.5  # within the time that a terminal waits for us
ATTEMPTS_MAX: Final = 2
ASKED_AT_ONCE_MAX: Final = 16
LEFT_ALONE_SECONDS: Final = 2.0
ANSWER_BYTES_MAX: Final = 64 * 1024

_log = logging.getLogger("sscard.peers")


class IssuerUnreachableError(Exception):
    """The issuer could not be asked, or what came back was no answer of its own."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """An issuer that can be asked: where, and the numbers of its peer keys that verify now."""

    entry: TrustedIssuer
    url: str
    keys: frozenset[int]


class PeerClient:
    """Asks other issuers; safe in many threads.

    trusted: the trust list that holds. clock: aware, UTC. transport: another way to the issuers;
    monotonic: seconds; both for tests.
    """

    def __init__(
        self,
        signing_keys: SigningKeys,
        trusted: Callable[[], TrustList | None],
        clock: Callable[[], datetime],
        *,
        transport: httpx2.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = signing_keys.issuer
        self.signing_keys = signing_keys
        self.trusted = trusted
        self._clock = clock
        self._monotonic = monotonic
        self._places = threading.BoundedSemaphore(ASKED_AT_ONCE_MAX)
        self._left_alone: dict[int, float] = {}
        self._http = httpx2.Client(
            transport=transport,
            timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            # What comes compressed could be of any size once it is not.
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def judge(self, issuer: int, scan: PeerScanRequest) -> JudgedElsewhere:
        """The verdict of the code's issuer; `issuer_unreachable` where there is none."""
        try:
            return self._ask(issuer, scan)
        except IssuerUnreachableError:
            return JudgedElsewhere(issuer, Reason.ISSUER_UNREACHABLE, None, None, None, None, None)

    def _ask(self, issuer: int, scan: PeerScanRequest) -> JudgedElsewhere:
        asked = self._find(issuer)
        if self._monotonic() < self._left_alone.get(issuer, 0.0):
            raise IssuerUnreachableError
        if not self._places.acquire(blocking=False):
            raise IssuerUnreachableError
        try:
            return self._try(asked, scan.model_dump_json().encode())
        except IssuerUnreachableError:
            self._left_alone[issuer] = self._monotonic() + LEFT_ALONE_SECONDS
            _log.warning('{"event": "issuer_unreachable", "issuer": %d}', issuer)
            raise
        finally:
            self._places.release()

    def _find(self, number: int) -> _Asked:
        try:
            trusted = self.trusted()
        except StoreError:
            raise IssuerUnreachableError from None
        entry = None if trusted is None else trusted.issuer(number)
        if entry is None or entry.service_url is None:
            raise IssuerUnreachableError
        now = self._clock()
        keys = frozenset(
            key.number
            for key in entry.keys
            if key.purpose is KeyPurpose.PEER and key.verifies_at(now)
        )
        return _Asked(entry, entry.service_url, keys)

    def _try(self, asked: _Asked, body: bytes) -> JudgedElsewhere:
        """The same request id each time, so that whatever came of the first is what is told."""
        until = self._monotonic() + ALL_SECONDS
        for attempt in range(ATTEMPTS_MAX):
            if attempt and self._monotonic() + CONNECT_SECONDS + ANSWER_SECONDS > until:
                break
            try:
                return self._once(asked, body)
            except httpx2.HTTPError:
                continue
            except (PeerSignatureError, ValidationError, ValueError, KeyError):
                _log.error('{"event": "peer_answer_refused", "issuer": %d}', asked.entry.number)
                break
            except (NoSigningKeyError, StoreError, KeyFileError, CryptoError) as error:
                _log.error('{"event": "peer_not_asked", "error": "%s"}', error.code)
                break
        raise IssuerUnreachableError

    def _once(self, asked: _Asked, body: bytes) -> JudgedElsewhere:
        request = self._http.build_request("POST", asked.url + TARGET, content=body)
        question = Question(
            method="POST",
            # What goes over the wire, which has the service address's own path in front.
            target=request.url.raw_path.decode(),
            asking=self.issuer,
            asked=asked.entry.number,
            signed_at=int(self._clock().timestamp()),
            nonce=secrets.token_bytes(NONCE_BYTES),
            body=body,
        )
        key = self.signing_keys.current(KeyPurpose.PEER)
        request.headers["Authorization"] = authorization(question, key)
        request.headers["Content-Type"] = "application/json"
        response = self._http.send(request, stream=True)
        try:
            answer = _read(response)
            if response.status_code != 200:
                raise httpx2.TransportError("no verdict")
            header = response.headers.get(ANSWER_HEADER, "")
        finally:
            response.close()
        verify_answer(question, answer, header, asked.entry, asked.keys)
        return _judged(asked.entry.number, PeerVerdict.model_validate_json(answer))


def _read(response: httpx2.Response) -> bytes:
    body = b""
    for part in response.iter_raw():
        body += part
        if len(body) > ANSWER_BYTES_MAX:
            raise ValueError("the answer is too long")
    return body


def _judged(issuer: int, verdict: PeerVerdict) -> JudgedElsewhere:
    """Raises ValueError, KeyError for an answer that contradicts itself."""
    accepted = verdict.reason is Reason.ACCEPTED
    if accepted != (verdict.outcome == "accepted") or accepted != (verdict.holder is not None):
        raise ValueError("the answer contradicts itself")
    return JudgedElsewhere(
        issuer=issuer,
        reason=verdict.reason,
        medium=None if verdict.medium is None else Medium(verdict.medium),
        presence=None if verdict.presence is None else Presence[verdict.presence.upper()],
        for_whom=None if verdict.for_whom is None else ForWhom[verdict.for_whom.upper()],
        card_state=None if verdict.card_state is None else verdict.card_state.value,
        holder=None if verdict.holder is None else verdict.holder.model_dump(mode="json"),
        receipt=verdict.receipt,
        pseudonym=verdict.pseudonym,
    )
