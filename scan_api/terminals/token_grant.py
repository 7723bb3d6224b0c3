"""Buying an access token: OAuth 2.0 client credentials with an assertion (RFC 6749, 4.4; RFC 7523).

1 a form with each parameter once · 2 an assertion of the one form · 3 the terminal is enrolled ·
4 its signature · 5 the time, and a life of at most 300 s · 6 meant for this installation ·
7 terminal and institution are in service · 8 its jti, once.
Failures of 2 to 4 and of 8 are one answer; from 5 on the caller has proved its key.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from card_core.errors import ReplayedRequestError
from card_core.kernel import Actor, ActorKind, Kernel, RequestProof
from crypto import sm2, sm3
from scan_api.problems import ProblemError
from scan_api.terminals.access_tokens import LIFE_SECONDS
from scan_api.terminals.assertions import (
    LIFE_SECONDS_MAX,
    ClientAssertion,
    InvalidAssertionError,
)
from scan_api.terminals.authentication import (
    TerminalAuthentication,
    check_in_service,
    check_time,
)
from scan_api.terminals.registry import Registered, TerminalPublicKey

GRANT_TYPE: Final = "client_credentials"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PARAMETERS_MAX = 16
_PROOF_BYTES = 16
# Nobody holds the private half: an unknown terminal costs a signature check like any other.
_NOBODY = sm2.PrivateKey.generate().public_key()


@dataclass(frozen=True, slots=True)
class GrantFault:
    """One error of RFC 6749, section 5.2. description: ASCII without quotes and backslashes."""

    error: str
    status: int
    description: str
    description_zh: str

    def document(self, extra: dict[str, Any] | None = None) -> dict[str, Any]:
        return {
            "error": self.error,
            "error_description": self.description,
            "error_description_zh": self.description_zh,
            **(extra or {}),
        }


INVALID_REQUEST = GrantFault(
    "invalid_request",
    400,
    "Send grant_type, client_assertion_type and client_assertion, each once, as a form.",
    "请以表单提交 grant_type、client_assertion_type 和 client_assertion，各一次。",
)
UNSUPPORTED_GRANT_TYPE = GrantFault(
    "unsupported_grant_type",
    400,
    "The only grant type here is client_credentials.",
    "此处只支持 client_credentials。",
)
INVALID_SCOPE = GrantFault(
    "invalid_scope",
    400,
    "There are no scopes here: leave the parameter out.",
    "此处没有 scope，请去掉该参数。",
)
INVALID_CLIENT = GrantFault(
    "invalid_client",
    401,
    "The assertion did not prove the terminal. Sign a new one with the enrolled key.",
    "断言未能证明终端身份。请用已登记的密钥重新签名。",
)
CLOCK_OFF = GrantFault(
    "invalid_client",
    401,
    "The signature is good, but the times are not: set the clock by server_time, and let the "
    "assertion live 300 seconds at most.",
    "签名有效，但时间不符：请按 server_time 校正时钟，断言有效期不得超过 300 秒。",
)
WRONG_AUDIENCE = GrantFault(
    "invalid_client",
    401,
    "The assertion is meant for another installation. Use the token_audience that enrolment gave.",
    "断言不是给本服务的。请使用登记时得到的 token_audience。",
)
OUT_OF_SERVICE = GrantFault(
    "unauthorized_client",
    400,
    "This terminal or its institution is suspended. Ask the bureau.",
    "该终端或其机构已停用，请联系发卡机构。",
)
FAULTS: Final = (
    INVALID_REQUEST,
    UNSUPPORTED_GRANT_TYPE,
    INVALID_SCOPE,
    INVALID_CLIENT,
    CLOCK_OFF,
    WRONG_AUDIENCE,
    OUT_OF_SERVICE,
)


class GrantRefusedError(Exception):
    """No token. extra: further members of the answer."""

    def __init__(self, fault: GrantFault, extra: dict[str, Any] | None = None) -> None:
        super().__init__(fault.error)
        self.fault = fault
        self.extra = extra or {}


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """A new token, good for `expires_in` seconds."""

    access_token: str
    expires_in: int


def grant(
    authentication: TerminalAuthentication, kernel: Kernel, form: bytes, peer: str, now: datetime
) -> Granted:
    """Sell a token for an assertion. form: the body as sent. now: aware, UTC.

    Raises: GrantRefusedError; ProblemError (too_many_failures); RegistryStaleError, StoreError.
    """
    # 1 the form
    text, client_id = _read_form(form)
    # 2 the assertion's form; a client_id is not needed and must not name another (RFC 7521, 4.2)
    try:
        assertion = ClientAssertion.parse(text)
    except InvalidAssertionError:
        raise _refused(authentication, peer, b"", now) from None
    if client_id not in {None, assertion.serial_number.hex()}:
        raise _refused(authentication, peer, assertion.serial_number, now)
    # 3 the terminal, 4 its signature
    registered, key = _verify(authentication, assertion, now)
    if registered is None or key is None:
        raise _refused(authentication, peer, assertion.serial_number, now)
    # 5 the time
    _check_times(assertion, now)
    # 6 meant for us
    if assertion.audience != authentication.tokens.audience:
        raise GrantRefusedError(WRONG_AUDIENCE)
    # 7 in service
    try:
        check_in_service(registered)
    except ProblemError as error:
        raise GrantRefusedError(OUT_OF_SERVICE, {"code": error.problem.code}) from None
    # 8 once
    actor = Actor(ActorKind.TERMINAL, registered.terminal.id)
    try:
        kernel.spend_proof(_proof(assertion), actor=actor)
    except ReplayedRequestError:
        raise _refused(authentication, peer, assertion.serial_number, now) from None
    token = authentication.tokens.issue(assertion.serial_number, key.name, now)
    return Granted(token, LIFE_SECONDS)


def _read_form(form: bytes) -> tuple[str, str | None]:
    """The assertion's text, and the client_id if there is one.

    Parameters that nobody knows are let pass (RFC 6749, 3.2).
    """
    try:
        pairs = parse_qsl(
            form.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=PARAMETERS_MAX,
        )
    except ValueError:
        raise GrantRefusedError(INVALID_REQUEST) from None
    given = dict(pairs)
    if len(given) != len(pairs) or "grant_type" not in given:
        raise GrantRefusedError(INVALID_REQUEST)
    if given["grant_type"] != GRANT_TYPE:
        raise GrantRefusedError(UNSUPPORTED_GRANT_TYPE)
    if "scope" in given:
        raise GrantRefusedError(INVALID_SCOPE)
    if given.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in given:
        raise GrantRefusedError(INVALID_REQUEST)
    return given["client_assertion"], given.get("client_id")


def _verify(
    authentication: TerminalAuthentication, assertion: ClientAssertion, now: datetime
) -> tuple[Registered | None, TerminalPublicKey | None]:
    registered = authentication.registry.find(assertion.serial_number)
    key = None if registered is None else registered.key_named(assertion.key_name, now)
    public_key = _NOBODY if key is None else sm2.PublicKey.from_bytes(key.public_key)
    try:
        assertion.verify(public_key)
    except InvalidAssertionError:
        return registered, None
    return registered, key


def _check_times(assertion: ClientAssertion, now: datetime) -> None:
    fault = GrantRefusedError(CLOCK_OFF, {"server_time": int(now.timestamp())})
    try:
        check_time(assertion.issued_at, now)
    except ProblemError:
        raise fault from None
    if not assertion.lives_at_most(LIFE_SECONDS_MAX) or now.timestamp() >= assertion.expires_at:
        raise fault


def _proof(assertion: ClientAssertion) -> RequestProof:
    nonce = sm3.digest(b"sscard/jti/v1\n" + assertion.jti.encode())[:_PROOF_BYTES]
    return RequestProof(nonce, datetime.fromtimestamp(assertion.expires_at, UTC))


def _refused(
    authentication: TerminalAuthentication, peer: str, claimed: bytes, now: datetime
) -> Exception:
    refusal = authentication.refuse(peer, claimed, now)
    if "Retry-After" in refusal.headers:
        return refusal
    return GrantRefusedError(INVALID_CLIENT)
