"""The header Idempotency-Key on what changes something for a holder
(draft-ietf-httpapi-idempotency-key-header-07).

A retry under the same key gets the same answer and does nothing again, for as long as the kernel
keeps answers (24 hours), also where the process died between the act and its answer: the key is
the kernel's request id, and what has to be the same is the whole request, method, target and body;
of what a phone signs, all but its signatures, since a phone may sign a retry anew in its next
session.

    no key, or none that can be one    400 idempotency_key_needed
    the key was another request's      422 idempotency_key_reused
    the same is still running          409 request_running; in this process. A request that runs in
                                       another process is waited for, and its answer given.
    it was done                        the same status and bytes

Opening and ending a session and showing a code take no key: a retry there opens another session or
shows another code, and what would have to be kept for it is a token or a live code.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from card_core.errors import IdempotencyConflictError
from card_core.kernel import Act, Actor, Answer, Kernel
from crypto import sm3
from scan_api import problems
from scan_api.openapi import HOLDER_SECURITY
from scan_api.problems import ProblemError

HEADER = "Idempotency-Key"
# A String of structured fields (RFC 8941), as the draft wants; and without its quotes, as many
# clients send it. The two are one key.
PATTERN = r'^(?:"([0-9A-Za-z._~:-]{1,64})"|([0-9A-Za-z._~:-]{1,64}))$'
_KEY = re.compile(PATTERN)

FAULTS = (
    problems.IDEMPOTENCY_KEY_NEEDED,
    problems.REQUEST_RUNNING,
    problems.IDEMPOTENCY_KEY_REUSED,
)
HELD_KEY: dict[str, Any] = {
    "parameters": [
        {
            "name": HEADER,
            "in": "header",
            "required": True,
            "description": "Unique for each request of this holder, such as a UUID; the same for a "
            "retry. Kept for 24 hours. 每个请求各用一个，重试时不变；保留 24 小时。",
            "schema": {"type": "string", "pattern": PATTERN},
            "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
        }
    ],
}
HOLDER_CHANGE: dict[str, Any] = {**HOLDER_SECURITY, **HELD_KEY}


@dataclass(frozen=True, slots=True)
class HeldKey:
    """key: unique for each request of its holder. fingerprint: SM3 of the whole request."""

    key: str
    fingerprint: bytes


class RunningRequests:
    """The requests that run in this process, by holder and key; for the event loop alone."""

    def __init__(self) -> None:
        self._names: set[tuple[str, str]] = set()

    def hold(self, holder_of_session: Any) -> Any:
        """The dependency that gives a request's HeldKey until its answer is made.

        holder_of_session: the dependency that gives the session's holder.
        """

        async def held(
            request: Request, holder: Annotated[Actor, holder_of_session]
        ) -> AsyncIterator[HeldKey]:
            key = read_key(request.headers.getlist(HEADER))
            name = (holder.id, key)
            if name in self._names:
                raise ProblemError(problems.REQUEST_RUNNING)
            self._names.add(name)
            try:
                yield HeldKey(key, fingerprint(request, await request.body()))
            finally:
                self._names.discard(name)

        return Depends(held, scope="function")


def read_key(values: list[str]) -> str:
    """The key in the header's values. Raises ProblemError (idempotency_key_needed)."""
    found = _KEY.fullmatch(values[0]) if len(values) == 1 else None
    if found is None:
        raise ProblemError(problems.IDEMPOTENCY_KEY_NEEDED)
    return str(found[1] or found[2])


def fingerprint(request: Request, body: bytes) -> bytes:
    target = request.url.path + ("?" + request.url.query if request.url.query else "")
    return sm3.digest(f"{request.method}\n{target}\n".encode() + body)


def perform_once(
    kernel: Kernel, held: HeldKey, prepare: Callable[[], Act], *, holder: Actor
) -> Answer:
    """Do what a request asks, or return what it was answered before.

    prepare: whatever comes before the act, such as asking for the password again; a retry of what
    was done is not asked for it. Raises ProblemError (idempotency_key_reused), and as `perform`.
    """
    with keys_told_apart():
        answer = kernel.answered(held.key, held.fingerprint, actor=holder)
        if answer is not None:
            return answer
        return kernel.perform(
            prepare(), actor=holder, request_id=held.key, fingerprint=held.fingerprint
        )


@contextmanager
def keys_told_apart() -> Iterator[None]:
    """Raises ProblemError (idempotency_key_reused) where the key was another request's."""
    try:
        yield
    except IdempotencyConflictError:
        raise ProblemError(problems.IDEMPOTENCY_KEY_REUSED) from None
