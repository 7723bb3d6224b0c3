"""What the kernel is asked, and what it writes down of it: nonce, answer, audit event, outbox."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from card_core.kernel.act import Act, Answer, Done
from card_core.kernel.actors import Actor, RequestProof
from card_core.kernel.content import canonical_bytes
from card_core.store import Transaction, audit, outbox, proofs


@dataclass(frozen=True, slots=True)
class Request:
    """What the kernel is asked: the word for the audit log, and what a retry must repeat."""

    word: str
    content: Any
    actor: Actor
    request_id: str
    proof: RequestProof | None = None
    chain: str = Act.chain
    fingerprint: bytes | None = None

    def to_repeat(self) -> bytes:
        """In bytes; where there is a fingerprint of the whole request, that alone."""
        if self.fingerprint is not None:
            return repeated(self.fingerprint)
        return canonical_bytes([self.word, self.content])


class Performed(NamedTuple):
    """card_ids: the cards that changed, or may have changed when the request came before."""

    answer: Answer
    card_ids: set[str]


def spend(tx: Transaction, proof: RequestProof, actor: Actor, now: datetime) -> None:
    kind, nonce, expires_at = actor.kind.value, proof.nonce, proof.expires_at
    proofs.spend(tx, kind, actor.id, nonce=nonce, expires_at=expires_at, now=now)


def repeated(fingerprint: bytes) -> bytes:
    return canonical_bytes(["request", fingerprint.hex()])


def read_answer(answer: bytes) -> Answer:
    """The first caller gets what a retry will get, read from the same bytes."""
    result: Answer = json.loads(answer)
    return result


def record(tx: Transaction, request: Request, done: Done, now: datetime) -> None:
    word, actor = done.act or request.word, request.actor
    rows = {"rows": [list(change) for change in tx.changed], "made": dict(tx.made)}
    at = {} if actor.channel_id is None else {"channel_id": actor.channel_id}
    detail = {**done.detail, **at, **rows}
    event = audit.Event(
        at=now,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        act=word,
        subject=done.subject,
        detail=canonical_bytes(detail).decode(),
    )
    seq = audit.append(tx, request.chain, event)
    payload = canonical_bytes(done.detail).decode()
    outbox.append(tx, outbox.Event(request.chain, seq, now, word, done.subject, payload))
