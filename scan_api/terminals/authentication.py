"""Which terminal speaks: steps that come before any code is looked at.

1 one well-formed header, a signature or a token · 2 the terminal is enrolled · 3 its signature over
this very request, or a token that it bought with one · 4 the time within the window · 5 terminal
and institution are in service.
Failures of 1 to 3 are one answer, and an unknown terminal costs a signature check, too: that of a
terminal heard seldom.
From 4 on the caller has proved its key and may be told what is wrong.

All of it is answered from memory; the database is not asked.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from card_core.kernel import Actor, ActorKind, RequestProof
from card_core.states import ServiceState
from card_core.store.institutions import Institution, Terminal
from crypto import sm2
from scan_api import problems
from scan_api.problems import Problem, ProblemError
from scan_api.refusal_limit import RefusalLimit
from scan_api.signed_requests import (
    WINDOW_SECONDS,
    Assertion,
    SignedRequest,
    SignedRequestError,
)
from scan_api.terminals.access_tokens import AccessTokens, InvalidTokenError
from scan_api.terminals.registry import Registered, Registry, TerminalPublicKey

_WINDOW = timedelta(seconds=WINDOW_SECONDS)
_BEARER = b"Bearer "
# The tables of about 1 200 terminals, those that were heard last.
_KEPT_KEYS = sm2.KeptKeys(bytes_max=64 * 1024 * 1024)
# Nobody holds the private half: it verifies nothing and takes as long as a key met seldom.
_NOBODY = sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)


@dataclass(frozen=True, slots=True)
class Caller:
    """A terminal that has proved itself for one request, and where it stands.

    proof: of a signed request; its nonce is not spent yet. None where a token was shown.
    key: that signed the request, or bought the token.
    """

    terminal: Terminal
    institution: Institution
    key: TerminalPublicKey
    proof: RequestProof | None

    @property
    def actor(self) -> Actor:
        is_channel = self.terminal.channel is not None
        return Actor(ActorKind.CHANNEL if is_channel else ActorKind.TERMINAL, self.terminal.id)

    def require_signature(self) -> RequestProof:
        """For what moves money or goods, or changes keys: the request itself must be signed.

        Raises: ProblemError (signature_needed).
        """
        if self.proof is None:
            raise ProblemError(problems.SIGNATURE_NEEDED)
        return self.proof


class TerminalAuthentication:
    """Asks who sent a request; needs no database and never waits. Safe in many threads."""

    def __init__(self, registry: Registry, tokens: AccessTokens) -> None:
        self.registry = registry
        self.tokens = tokens
        self._failures = RefusalLimit()

    def authenticate(self, request: SignedRequest, now: datetime) -> Caller:
        """Return which terminal sent the request. now: aware, UTC.

        Raises: ProblemError (not_authenticated, too_many_failures, clock_off, terminal_suspended,
        institution_suspended; not_allowed for a service channel); RegistryStaleError.
        """
        caller = self.authenticate_any(request, now)
        if caller.terminal.channel is not None:
            raise ProblemError(problems.NOT_ALLOWED)
        return caller

    def authenticate_channel(self, request: SignedRequest, now: datetime) -> Caller:
        """Return which service channel sent the request, which must be signed itself.

        Raises: as `authenticate`, not_allowed for a terminal; ProblemError (signature_needed).
        """
        caller = self.authenticate_any(request, now)
        caller.require_signature()
        if caller.terminal.channel is None:
            raise ProblemError(problems.NOT_ALLOWED)
        return caller

    def authenticate_any(self, request: SignedRequest, now: datetime) -> Caller:
        """As `authenticate`, for what terminals and service channels have in common."""
        header = request.authorization[0] if len(request.authorization) == 1 else b""
        if header.startswith(_BEARER):
            return self._by_token(header[len(_BEARER) :], request, now)
        return self._by_signature(request, now)

    def verify(
        self, registered: Registered | None, signature: bytes, signed: bytes, now: datetime
    ) -> TerminalPublicKey | None:
        """The terminal's good key under which `signature` (64 bytes) holds; None for no such key.

        Nobody's signature takes as long as somebody's.
        """
        keys = [] if registered is None else [key for key in registered.keys if key.is_good(now)]
        for key in keys:
            if _holds(key.public_key, signature, signed):
                return key
        if not keys:
            _holds(_NOBODY, signature, signed)
        return None

    def refuse(
        self, peer: str, claimed: bytes, now: datetime, problem: Problem | None = None
    ) -> ProblemError:
        """The answer to whoever proved nothing; the eleventh of a minute is told to wait.

        Counted for the claimed serial number and the peer together, and asked only after the proof
        has failed: whoever guesses a terminal's number shuts out nobody.
        """
        wait_seconds = self._failures.take((claimed, peer), now)
        if wait_seconds:
            return ProblemError(
                problems.TOO_MANY_FAILURES, headers={"Retry-After": str(wait_seconds)}
            )
        return ProblemError(problem or problems.NOT_AUTHENTICATED)

    def _by_signature(self, request: SignedRequest, now: datetime) -> Caller:
        # 1 one well-formed header
        try:
            assertion = request.assertion()
        except SignedRequestError:
            raise self.refuse(request.peer, b"", now) from None
        # 2 the terminal is enrolled, 3 its signature
        registered = self.registry.find(assertion.terminal)
        key = self.verify(registered, assertion.signature, request.signed_bytes(assertion), now)
        if registered is None or key is None:
            raise self.refuse(request.peer, assertion.terminal, now)
        # 4 the time
        check_time(assertion.signed_at, now)
        # 5 in service
        check_in_service(registered)
        return Caller(registered.terminal, registered.institution, key, _proof(assertion))

    def _by_token(self, text: bytes, request: SignedRequest, now: datetime) -> Caller:
        # 1 one well-formed header, 3 a token of ours
        try:
            token = self.tokens.read(text)
        except InvalidTokenError:
            raise self.refuse(request.peer, b"", now) from None
        # 2 the terminal is enrolled, and the key that bought the token has not ended
        registered = self.registry.find(token.serial_number)
        key = None if registered is None else registered.key_named(token.key_name, now)
        # 4 the time: a token that was good once is no guess, and not counted
        if registered is None or key is None or now.timestamp() >= token.expires_at:
            raise ProblemError(problems.NOT_AUTHENTICATED)
        # 5 in service
        check_in_service(registered)
        return Caller(registered.terminal, registered.institution, key, None)


def check_time(signed_at: int, now: datetime) -> None:
    """signed_at: Unix seconds. Raises: ProblemError (clock_off)."""
    server_time = int(now.timestamp())
    if abs(server_time - signed_at) > WINDOW_SECONDS:
        raise ProblemError(problems.CLOCK_OFF, extra={"server_time": server_time})


def check_in_service(registered: Registered) -> None:
    """Raises: ProblemError (terminal_suspended, institution_suspended)."""
    if registered.is_in_service:
        return
    if registered.terminal.state is not ServiceState.ACTIVE:
        raise ProblemError(problems.TERMINAL_SUSPENDED)
    raise ProblemError(problems.INSTITUTION_SUSPENDED)


def _proof(assertion: Assertion) -> RequestProof:
    signed_at = datetime.fromtimestamp(assertion.signed_at, UTC)
    return RequestProof(assertion.nonce, signed_at + _WINDOW)


def _holds(public_key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        _KEPT_KEYS.verify(public_key, signature, signed)
    except sm2.InvalidSignatureError:
        return False
    return True
