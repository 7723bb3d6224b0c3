"""The way to other issuers: HTTPS, a signed question, and an answer that the issuer signed.

Plain http goes to this machine itself alone (`card_core.trust.check_url`). Certificates are checked
against the authorities of the system, or against those of one file and no other.
"""

import secrets
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final

import httpx2

from card_core.codes import KeyPurpose
from card_core.signing import SigningKeys
from card_core.trust import TrustedIssuer, is_safe_way
from scan_api.issuers.signatures import (
    ANSWER_HEADER,
    NONCE_BYTES,
    Question,
    authorization,
    verify_answer,
)

CONNECT_SECONDS: Final = 0.5
ANSWER_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one answer. answer_bytes: its body's longest; seconds: from the question to its end."""

    answer_bytes: int
    seconds: float


def trusting(authorities: Path) -> ssl.SSLContext:
    """TLS that takes certificates of the authorities in this PEM file, and of no others.

    Raises OSError, ssl.SSLError for a file that can't be read or holds none.
    """
    context = ssl.create_default_context(cafile=authorities)
    if not context.get_ca_certs():
        raise ssl.SSLError("no certificate of an authority")
    return context


def is_certificate_refused(error: BaseException) -> bool:
    """Whether the other side's certificate is what stands in the way: that passes not by itself."""
    while not isinstance(error, ssl.SSLCertVerificationError):
        cause = error.__cause__ or error.__context__
        if cause is None:
            return False
        error = cause
    return True


class PeerChannel:
    """Asks other issuers and believes what they signed; safe in many threads.

    tls: of `trusting`; None: the authorities of the system. clock: aware, UTC.
    transport: another way to the issuers; monotonic: seconds; both for tests.
    """

    def __init__(
        self,
        signing_keys: SigningKeys,
        clock: Callable[[], datetime],
        *,
        tls: ssl.SSLContext | None = None,
        transport: httpx2.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = signing_keys.issuer
        self.signing_keys = signing_keys
        self._clock = clock
        self._monotonic = monotonic
        self._tls = tls
        self._transport = transport

    @cached_property
    def _http(self) -> httpx2.Client:
        """Made when somebody is asked: reading all authorities takes a tenth of a second."""
        return httpx2.Client(
            transport=self._transport,
            verify=True if self._tls is None else self._tls,
            timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            # What comes compressed could be of any size once it is not.
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
        )

    def close(self) -> None:
        if "_http" in self.__dict__:
            self._http.close()

    def ask(
        self, asked: TrustedIssuer, method: str, url: str, limits: Limits, body: bytes = b""
    ) -> bytes:
        """The body of the issuer's answer to this question, once its signature was found good.

        url: begins with an address of its entry. Raises httpx2.HTTPError where none
        came; PeerSignatureError, ValueError for what is no answer of its own; NoSigningKeyError,
        StoreError, KeyFileError, CryptoError where we can't ask.
        """
        until = self._monotonic() + limits.seconds
        if not is_safe_way(url):
            raise ValueError("nothing goes to another machine in clear")
        request = self._http.build_request(method, url, content=body or None)
        question = Question(
            method=method,
            # What goes over the wire, which has the service address's own path in front.
            target=request.url.raw_path.decode(),
            asking=self.issuer,
            asked=asked.number,
            signed_at=int(self._clock().timestamp()),
            nonce=secrets.token_bytes(NONCE_BYTES),
            body=body,
        )
        key = self.signing_keys.current(KeyPurpose.PEER)
        request.headers["Authorization"] = authorization(question, key)
        if body:
            request.headers["Content-Type"] = "application/json"
        response = self._http.send(request, stream=True)
        try:
            answer = self._read(response, limits.answer_bytes, until)
            if response.status_code != 200:
                raise httpx2.TransportError("no answer of the kind that was asked for")
            header = response.headers.get(ANSWER_HEADER, "")
        finally:
            response.close()
        verify_answer(question, answer, header, asked, self._keys_now(asked))
        return answer

    def _keys_now(self, asked: TrustedIssuer) -> frozenset[int]:
        """The numbers of its peer keys that verify now."""
        now = self._clock()
        return frozenset(
            key.number
            for key in asked.keys
            if key.purpose is KeyPurpose.PEER and key.verifies_at(now)
        )

    def _read(self, response: httpx2.Response, bytes_max: int, until: float) -> bytes:
        """Each part has its time limit; this one is for all of them, which may drip."""
        body = bytearray()
        for part in response.iter_raw():
            body += part
            if len(body) > bytes_max:
                raise ValueError("the answer is too long")
            if self._monotonic() > until:
                raise httpx2.ReadTimeout("the answer takes too long")
        return bytes(body)
