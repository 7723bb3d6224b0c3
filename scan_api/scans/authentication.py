"""Which terminal speaks: steps that come before any code is looked at.

1 one well-formed header · 2 the terminal is enrolled · 3 its signature over this very request ·
4 the time within the window · 5 terminal and institution are in service.
Failures of 1 to 3 are one answer, and an unknown terminal costs a signature check, too: that of a
terminal heard seldom.
From 4 on the caller has proved its key and may be told what is wrong.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from card_core.kernel import Actor, ActorKind, RequestProof
from card_core.states import ServiceState
from card_core.store import Store
from card_core.store.institutions import (
    Institution,
    Terminal,
    get_institution,
    terminal_by_serial,
)
from crypto import sm2
from scan_api import problems
from scan_api.problems import ProblemError
from scan_api.signed_requests import (
    WINDOW_SECONDS,
    Assertion,
    SignedRequest,
    SignedRequestError,
)

# The tables of about 1 200 terminals, those that were heard last.
_KEPT_KEYS = sm2.KeptKeys(bytes_max=64 * 1024 * 1024)
# Nobody holds the private half: it verifies nothing and takes as long as a key met seldom.
_NOBODY = sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)


@dataclass(frozen=True, slots=True)
class Caller:
    """A terminal that has proved its key for one request. The nonce in `proof` is not spent yet."""

    terminal: Terminal
    institution: Institution
    proof: RequestProof

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.TERMINAL, self.terminal.id)


def authenticate(store: Store, request: SignedRequest, now: datetime) -> Caller:
    """Return who sent the request. now: aware, UTC.

    Raises: ProblemError (not_authenticated, clock_off, terminal_suspended, institution_suspended).
    """
    try:
        assertion = request.assertion()
    except SignedRequestError:
        raise ProblemError(problems.NOT_AUTHENTICATED) from None
    terminal, institution = _find(store, assertion.terminal)
    try:
        request.verify(assertion, terminal.public_key if terminal else _NOBODY, _KEPT_KEYS)
    except sm2.InvalidSignatureError:
        raise ProblemError(problems.NOT_AUTHENTICATED) from None
    if terminal is None or institution is None:
        raise ProblemError(problems.NOT_AUTHENTICATED)
    _check_time(assertion, now)
    if terminal.state is not ServiceState.ACTIVE:
        raise ProblemError(problems.TERMINAL_SUSPENDED)
    if institution.state is not ServiceState.ACTIVE:
        raise ProblemError(problems.INSTITUTION_SUSPENDED)
    signed_at = datetime.fromtimestamp(assertion.signed_at, UTC)
    expires_at = signed_at + timedelta(seconds=WINDOW_SECONDS)
    return Caller(terminal, institution, RequestProof(assertion.nonce, expires_at))


def _find(store: Store, serial_number: bytes) -> tuple[Terminal | None, Institution | None]:
    with store.read() as tx:
        terminal = terminal_by_serial(tx, serial_number)
        institution = get_institution(tx, terminal.institution_id) if terminal else None
    return terminal, institution


def _check_time(assertion: Assertion, now: datetime) -> None:
    server_time = int(now.timestamp())
    if abs(server_time - assertion.signed_at) > WINDOW_SECONDS:
        raise ProblemError(problems.CLOCK_OFF, extra={"server_time": server_time})
