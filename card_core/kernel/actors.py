"""Who acts, and what proves that a signed request is new."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ActorKind(StrEnum):
    OPERATOR = "operator"
    HOLDER = "holder"
    TERMINAL = "terminal"
    SYSTEM = "system"
    ISSUER = "issuer"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever is behind a request, already authenticated.

    id: the row id of the operator, holder, terminal or service channel; for the system a word for
    the part of the program, such as "set_up"; for another issuer its number.
    channel_id: the service channel at which whoever it is acts; None for anywhere else.
    """

    kind: ActorKind
    id: str
    channel_id: str | None = None


@dataclass(frozen=True, slots=True)
class RequestProof:
    """What a signed request proved. nonce: 16 bytes, spent by the kernel, good once.

    expires_at: aware; the last instant at which the signature's time would still be taken, after
    which the nonce need not be remembered.
    """

    nonce: bytes
    expires_at: datetime
