"""Asking another issuer about its holder's code. What can't be settled is refused: never a yes.

Each question has a time limit, few go on at once, and an issuer that did not answer is left alone
for a moment, so that scans of our own holders never wait for somebody else's service.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

import httpx2
from pydantic import ValidationError

from card_core.codes import ForWhom, Presence
from card_core.errors import StoreError
from card_core.kernel.peers import JudgedElsewhere
from card_core.presented import Medium
from card_core.signing import NoSigningKeyError
from card_core.trust import TrustedIssuer, TrustList
from card_core.verdicts import Reason
from crypto import CryptoError
from crypto.keys import KeyFileError
from scan_api.issuers.channel import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    Limits,
    PeerChannel,
    is_certificate_refused,
)
from scan_api.issuers.models import PeerScanRequest, PeerVerdict
from scan_api.issuers.signatures import PeerSignatureError

TARGET: Final = "/v1/peer-scans"
ALL_SECONDS: Final = 2.5  # within the time that a terminal waits for us
ATTEMPTS_MAX: Final = 2
ASKED_AT_ONCE_MAX: Final = 8  # each holds a thread, and there are 16
LEFT_ALONE_SECONDS: Final = 2.0
ANSWER_BYTES_MAX: Final = 64 * 1024

_log = logging.getLogger("sscard.peers")


class IssuerUnreachableError(Exception):
    """The issuer could not be asked, or what came back was no answer of its own."""


class PeerClient:
    """Asks other issuers about codes; safe in many threads.

    trusted: the trust list that holds. monotonic: seconds, for tests.
    """

    def __init__(
        self,
        channel: PeerChannel,
        trusted: Callable[[], TrustList | None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = channel.issuer
        self.signing_keys = channel.signing_keys
        self.trusted = trusted
        self._channel = channel
        self._monotonic = monotonic
        self._places = threading.BoundedSemaphore(ASKED_AT_ONCE_MAX)
        self._left_alone: dict[int, float] = {}

    def judge(self, issuer: int, scan: PeerScanRequest) -> JudgedElsewhere:
        """The verdict of the code's issuer; `issuer_unreachable` where there is none."""
        try:
            return self._ask(issuer, scan)
        except IssuerUnreachableError:
            return JudgedElsewhere(issuer, Reason.ISSUER_UNREACHABLE, None, None, None, None, None)

    def _ask(self, issuer: int, scan: PeerScanRequest) -> JudgedElsewhere:
        asked, url = self._find(issuer)
        if self._monotonic() < self._left_alone.get(issuer, 0.0):
            raise IssuerUnreachableError
        if not self._places.acquire(blocking=False):
            raise IssuerUnreachableError
        try:
            return self._try(asked, url, scan.model_dump_json().encode())
        except IssuerUnreachableError:
            self._left_alone[issuer] = self._monotonic() + LEFT_ALONE_SECONDS
            _log.warning('{"event": "issuer_unreachable", "issuer": %d}', issuer)
            raise
        finally:
            self._places.release()

    def _find(self, number: int) -> tuple[TrustedIssuer, str]:
        """The issuer, and where its codes are judged."""
        try:
            trusted = self.trusted()
        except StoreError:
            raise IssuerUnreachableError from None
        entry = None if trusted is None else trusted.issuer(number)
        if entry is None or entry.service_url is None:
            raise IssuerUnreachableError
        return entry, entry.service_url

    def _try(self, asked: TrustedIssuer, url: str, body: bytes) -> JudgedElsewhere:
        """The same request id each time, so that whatever came of the first is what is told."""
        until = self._monotonic() + ALL_SECONDS
        for attempt in range(ATTEMPTS_MAX):
            left = until - self._monotonic()
            if attempt and left < CONNECT_SECONDS + ANSWER_SECONDS:
                break
            try:
                limits = Limits(ANSWER_BYTES_MAX, left)
                answer = self._channel.ask(asked, "POST", url + TARGET, limits, body)
                return _judged(asked.number, PeerVerdict.model_validate_json(answer))
            except httpx2.HTTPError as error:
                if is_certificate_refused(error):
                    _log.error('{"event": "peer_certificate_refused", "issuer": %d}', asked.number)
                    break
            except (PeerSignatureError, ValidationError, ValueError, KeyError):
                _log.error('{"event": "peer_answer_refused", "issuer": %d}', asked.number)
                break
            except (NoSigningKeyError, StoreError, KeyFileError, CryptoError) as error:
                _log.error('{"event": "peer_not_asked", "error": "%s"}', error.code)
                break
        raise IssuerUnreachableError


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
