"""Who asks: an operator's session by its token, opened with password and second factor; and the
name that each change has, so that a retry does nothing twice.

A sign-in has two steps, since the key signs a challenge that is made for the one attempt:
`challenges` draws it, `sign-ins` answers it within a minute, once.
"""

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Header
from starlette.requests import Request

from card_core.errors import (
    IdempotencyConflictError,
    NotAllowedError,
    SessionEndedError,
    SignInRefusedError,
)
from card_core.kernel import Act, Actor, ActorKind, DangerousAct, Kernel
from card_core.kernel.permissions import RULES, Reading
from card_core.kernel.reading import check_may_read
from card_core.sign_in import (
    Profile,
    SignedIn,
    authenticate,
    by_digits,
    by_key,
    challenge_of,
    live_session,
    new_token,
    sign_in_operator,
    sign_out,
)
from card_core.states import ServiceState
from card_core.store import operators
from card_core.store.credentials import SubjectKind
from card_core.store.operators import Operator
from card_core.store.sessions import Session
from crypto import sm3
from issuance.console.cookie import check_same_origin, token_of
from issuance.console.models import Proposed
from issuance.console.problems import ConsoleError
from issuance.console.tickets import Tickets

# How each address of the API begins.
PREFIX = "/v1/operator"
PENDING_MAX = 256
CHALLENGE_LASTS = timedelta(minutes=1)
_KEY = re.compile(r'(?:"([0-9A-Za-z._~:-]{1,64})"|([0-9A-Za-z._~:-]{1,64}))')


@dataclass(frozen=True, slots=True, repr=False)
class Pending:
    """A challenge that waits for its answer."""

    name: str
    token: str
    ends_at: datetime


class Entrance:
    """Opens sessions, and tells whose a request is. For threads."""

    def __init__(self, kernel: Kernel, *, pepper: bytes, profile: Profile) -> None:
        self.kernel = kernel
        self._pepper = pepper
        self.profile = profile
        self.tickets = Tickets(kernel)
        self._pending: OrderedDict[str, Pending] = OrderedDict()
        self._lock = threading.Lock()

    def challenge(self, name: str) -> tuple[str, bytes]:
        """The id of a new attempt, and what the operator's key signs in it."""
        token = new_token(self.kernel)
        attempt = self.kernel.random_bytes(16).hex()
        with self._lock:
            now = self.kernel.clock()
            while self._pending and (
                len(self._pending) >= PENDING_MAX
                or next(iter(self._pending.values())).ends_at <= now
            ):
                self._pending.popitem(last=False)
            self._pending[attempt] = Pending(name, token, now + CHALLENGE_LASTS)
        return attempt, challenge_of(self.kernel, name, token)

    def sign_in(
        self, attempt: str, password: str, signature: bytes | None, digits: str | None
    ) -> SignedIn:
        """Raises ConsoleError (sign_in_refused), for an attempt that is not there, too;
        SignInLockedError, FactorMissingError."""
        with self._lock:
            pending = self._pending.pop(attempt, None)
        if pending is None or self.kernel.clock() >= pending.ends_at:
            raise _refused()
        proved = signature or b""
        prover = by_digits(digits) if digits is not None else by_key(lambda _: proved)
        try:
            return sign_in_operator(
                self.kernel,
                pending.name,
                password,
                prover,
                pepper=self._pepper,
                profile=self.profile,
                token=pending.token,
            )
        except SignInRefusedError:
            raise _refused() from None

    def operator(self, request: Request) -> Actor:
        """Raises SessionEndedError; a holder's token is as good as none."""
        actor = authenticate(self.kernel, token_of(request))
        if actor.kind is not ActorKind.OPERATOR:
            raise SessionEndedError
        return actor

    def session(self, request: Request) -> Session:
        """The operator's session as it stands; asking does not keep it alive.

        Raises SessionEndedError.
        """
        session = live_session(self.kernel, token_of(request))
        if session.subject_kind is not SubjectKind.OPERATOR:
            raise SessionEndedError
        return session

    def leave(self, request: Request) -> None:
        sign_out(self.kernel, token_of(request))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of an operator. key, fingerprint: of a change; empty for a question."""

    kernel: Kernel
    actor: Actor
    key: str = ""
    fingerprint: bytes = b""

    def check_reads(self, what: Reading) -> None:
        """Raises NotAllowedError for whoever has no role that reads it."""
        with self.kernel.store.read() as tx:
            check_may_read(tx, self.actor, what)

    def check_may(self, act: type[Act]) -> None:
        """Refuse before long work what the kernel would refuse after it. Raises NotAllowedError."""
        if not self.operator().roles & RULES[act].roles:
            raise NotAllowedError

    def operator(self) -> Operator:
        """Raises NotAllowedError for one who is not active any more."""
        with self.kernel.store.read() as tx:
            operator = operators.get(tx, self.actor.id)
        if operator is None or operator.state is not ServiceState.ACTIVE:
            raise NotAllowedError
        return operator

    def perform(self, act: Act) -> dict[str, Any]:
        """Raises KernelError; ConsoleError where the key was another request's."""
        try:
            return self.kernel.perform(
                act, actor=self.actor, request_id=self.key, fingerprint=self.fingerprint
            )
        except IdempotencyConflictError:
            raise key_reused() from None

    def propose(self, act: DangerousAct) -> Proposed:
        """Raises as `perform`."""
        try:
            proposed = self.kernel.propose(act, actor=self.actor, request_id=self.key)
        except IdempotencyConflictError:
            raise key_reused() from None
        return Proposed(**proposed)


def asking(kernel: Kernel, entrance: Entrance) -> tuple[Any, Any, Any]:
    """The dependencies that give an `Asked`: for a question, for a change, and for one that does
    the same when it comes again, and so needs no name."""

    def question(request: Request) -> Asked:
        return Asked(kernel, entrance.operator(request))

    async def change(
        request: Request,
        idempotency_key: Annotated[str | None, Header()] = None,
    ) -> Asked:
        check_same_origin(request)
        actor = entrance.operator(request)
        found = _KEY.fullmatch(idempotency_key or "")
        if found is None:
            raise key_needed()
        asked = f"{request.method}\n{request.url.path}?{request.url.query}\n".encode()
        digest = sm3.digest(asked + await request.body())
        return Asked(kernel, actor, str(found[1] or found[2]), digest)

    def repeatable(request: Request) -> Asked:
        check_same_origin(request)
        return Asked(kernel, entrance.operator(request))

    return Depends(question), Depends(change), Depends(repeatable)


def _refused() -> ConsoleError:
    return ConsoleError(
        401,
        SignInRefusedError.code,
        "登录名、密码或第二因素不正确",
        "The name, the password or the second factor is wrong",
    )


def key_needed() -> ConsoleError:
    return ConsoleError(
        400,
        "idempotency_key_needed",
        "缺少 Idempotency-Key 请求头或其格式有误：新请求换新值，重试用原值",
        "Send one Idempotency-Key: a new one for each request, the same for a retry",
    )


def key_reused() -> ConsoleError:
    return ConsoleError(
        422,
        "idempotency_key_reused",
        "该 Idempotency-Key 已用于其他请求，新请求请换新值",
        "This Idempotency-Key was used for another request; use a new one",
    )
