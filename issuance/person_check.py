"""The bureau's provider of checks of the person (本人核验), asked over HTTP; docs/person-check.md.

    POST <SSCARD_PERSON_CHECK>
    Content-Type: application/json
    Sscard-Person-Check: <Unix seconds>.<nonce, 32 hex>.<HMAC-SM3, 64 hex>

    {"step": "start", "name": "…", "social_security_number": "…"}
    {"step": "result", "reference": "…", "typed": ""}

The answer's Sscard-Person-Check is the HMAC over the same nonce and the answer's body, so that no
other answer, and none of before, is taken for this one's. Whatever is not such an answer decides
nothing.
"""

import hmac
import json
import secrets
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from card_core.holder_errors import PersonCheckUnavailableError
from card_core.kernel.acts.person_checks import REFERENCE_MAX
from card_core.sign_in import Profile
from card_core.sign_in.person_check import (
    TYPED_MAX,
    Outcome,
    PersonCheck,
    SimulatedPersonCheck,
    Started,
)
from crypto import sm3
from issuance.errors import SettingsError
from issuance.settings import PersonCheckSettings, read_secret

HEADER: Final = "Sscard-Person-Check"
ASKED: Final = b"sscard/person-check/v1 asked\n"
ANSWERED: Final = b"sscard/person-check/v1 answered\n"
SECRET_BYTES_MIN: Final = 16
CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 5.0
ANSWER_BYTES_MAX: Final = 16 * 1024
MESSAGE_MAX: Final = 200
ADDRESS_MAX: Final = 400


def choose(
    chosen: PersonCheckSettings | None,
    *,
    profile: Profile,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
) -> PersonCheck | None:
    """The provider that the settings name; None where online activation is not offered.

    Raises SettingsError for a simulated one in the profile `sm`, for an unusable secret.
    """
    if chosen is None:
        return None
    if chosen.address is None:
        if profile is Profile.SM:
            raise SettingsError(
                "person_check_simulated",
                "本安装按密评要求运行（profile sm），不能使用模拟的本人核验。请将 "
                "SSCARD_PERSON_CHECK 设为核验服务地址，或不设置。",
                "This installation has the profile sm: the check of the person can't be simulated. "
                "Let SSCARD_PERSON_CHECK be the provider's address, or leave it out.",
            )
        return SimulatedPersonCheck(random_bytes=random_bytes)
    return HttpPersonCheck(chosen.address, read_shared_secret(chosen.secret_file), clock)


def read_shared_secret(path: Path | None) -> bytes:
    """Raises SettingsError."""
    secret = b"" if path is None else read_secret(path)
    if len(secret) < SECRET_BYTES_MIN:
        raise SettingsError(
            "person_check_secret_unusable",
            f"SSCARD_PERSON_CHECK_SECRET_FILE 的第一行应为与核验服务共享的密钥，"
            f"至少 {SECRET_BYTES_MIN} 字节。",
            f"The first line of SSCARD_PERSON_CHECK_SECRET_FILE must be the secret shared with the "
            f"provider, at least {SECRET_BYTES_MIN} bytes.",
        )
    return secret


class HttpPersonCheck:
    """A provider behind one address: https, or http to this machine; safe in many threads.

    transport: another way to it; monotonic: seconds; both for tests.
    """

    name = "http"
    is_simulated = False

    def __init__(
        self,
        url: str,
        secret: bytes,
        clock: Callable[[], datetime],
        *,
        transport: httpx2.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._secret = secret
        self._clock = clock
        self._monotonic = monotonic
        self._http = httpx2.Client(
            transport=transport,
            timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
        )

    def start(self, name: str, social_security_number: str) -> Started:
        answer = self._ask(
            {"step": "start", "name": name, "social_security_number": social_security_number}
        )
        digits = answer.get("digits")
        if digits is not None and not (type(digits) is int and 1 <= digits <= TYPED_MAX):
            raise PersonCheckUnavailableError
        return Started(
            _text(answer, "reference", REFERENCE_MAX),
            _text(answer, "message_zh", MESSAGE_MAX),
            _text(answer, "message_en", MESSAGE_MAX),
            digits,
            _address(answer),
        )

    def result(self, reference: str, typed: str) -> Outcome:
        answer = self._ask({"step": "result", "reference": reference, "typed": typed})
        # It has to be about this very check, and one of three words.
        if answer.get("reference") != reference:
            raise PersonCheckUnavailableError
        try:
            return Outcome(str(answer.get("outcome")))
        except ValueError:
            raise PersonCheckUnavailableError from None

    def _ask(self, question: dict[str, str]) -> dict[str, Any]:
        """Raises PersonCheckUnavailableError; nothing of what was answered is repeated."""
        body = json.dumps(question, ensure_ascii=False).encode("utf-8", "replace")
        until = self._monotonic() + ANSWER_SECONDS
        signed_at, nonce = int(self._clock().timestamp()), secrets.token_hex(16)
        asked = f"{signed_at}.{nonce}"
        mac = self._mac(ASKED, asked, body)
        headers = {"Content-Type": "application/json", HEADER: f"{asked}.{mac}"}
        try:
            with self._http.stream("POST", self._url, content=body, headers=headers) as response:
                content = self._read(response, until)
                mac = response.headers.get(HEADER, "")
            if response.status_code != httpx2.codes.OK:
                raise PersonCheckUnavailableError
            if not hmac.compare_digest(mac.encode(), self._mac(ANSWERED, nonce, content).encode()):
                raise PersonCheckUnavailableError
            answer = json.loads(content)
        except (httpx2.HTTPError, ValueError):
            raise PersonCheckUnavailableError from None
        if not isinstance(answer, dict):
            raise PersonCheckUnavailableError
        return answer

    def _read(self, response: httpx2.Response, until: float) -> bytes:
        """Each part has its time limit; this one is for all of them, which may drip."""
        body = bytearray()
        for part in response.iter_raw():
            body += part
            if len(body) > ANSWER_BYTES_MAX or self._monotonic() > until:
                raise PersonCheckUnavailableError
        return bytes(body)

    def _mac(self, context: bytes, named: str, body: bytes) -> str:
        return sm3.hmac(self._secret, context + named.encode() + b"\n" + body).hex()


def _text(answer: dict[str, Any], name: str, characters_max: int) -> str:
    """Raises PersonCheckUnavailableError."""
    value = answer.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= characters_max:
        raise PersonCheckUnavailableError
    if not value.isprintable() or value != value.strip():
        raise PersonCheckUnavailableError
    return value


def _address(answer: dict[str, Any]) -> str | None:
    """Where the person goes on. Raises PersonCheckUnavailableError for anything but https."""
    if answer.get("address") is None:
        return None
    address = _text(answer, "address", ADDRESS_MAX)
    try:
        parts = urlsplit(address)
    except ValueError:
        raise PersonCheckUnavailableError from None
    if parts.scheme != "https" or not parts.hostname or not address.isascii():
        raise PersonCheckUnavailableError
    return address


def is_simulated(chosen: PersonCheckSettings | None) -> bool:
    return chosen is not None and chosen.address is None
