"""What a bureau does all day, as stories that go on one act at a time.

A story is a generator: it yields a job, and is sent the answer. Who runs them mixes several, may
repeat a job as often as it likes, and keeps the order within each. `Act` is a job that changes
something and is told to the ledger; `Look` reads.
"""

import itertools
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bureau import HOLDER_PASSWORD, Bureau, make_application
from card_making import MAKER, CardIssuer

from card_core.card_policy import CardNumberKept
from card_core.kernel import Act as KernelAct
from card_core.kernel import Actor, DangerousAct
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    Evidence,
    ReportFormalLoss,
    ReportTemporaryLoss,
    WithdrawTemporaryLoss,
)
from card_core.kernel.acts.handing_over import DispatchCards, HandOverCard
from card_core.kernel.acts.imports import CloseImport, ImportRows, OpenImport
from card_core.kernel.acts.life_events import DecideLifeEvent, ServeLifeEvent
from card_core.kernel.acts.maker_returns import (
    CardReturned,
    CloseMakerReturn,
    OpenMakerReturn,
    TakeMakerReturn,
)
from card_core.kernel.acts.making import (
    ChunkSignature,
    KeepChunkSignatures,
    OrderMaking,
    PrepareMakingChunk,
    SendMakerFile,
)
from card_core.kernel.acts.replacements import ReplaceCard
from card_core.kernel.scan_requests import ScanRequest
from card_core.life_events import LifeEvent
from card_core.store import cards, making_orders, makings
from card_core.store.institutions import Terminal
from card_core.store.makings import Chip
from crypto import sm3
from issuance.making.preparing import prepared_chunk

PEOPLE = 2
CHUNK_SIZE = 1
# Behind those that a bureau of the tests makes for itself.
FIRST_PERSON = 3_000_000
BRANCH = "440604001"

Answer = dict[str, Any]
Asking = Callable[[CardIssuer], Any]
"""Can be pickled: it is asked in another process than the one that wants to know."""
Story = Generator["Act | Look", Any, list["Story"]]
"""It ends with the stories that go on from it."""


@dataclass(frozen=True)
class Act:
    """What the kernel is asked. name: what the audit log calls it; None for a scan."""

    name: str | None
    ask: Asking


@dataclass(frozen=True)
class Look:
    """What is read of the database, or made of it, between two acts."""

    ask: Asking


@dataclass
class Work:
    """Makes stories. Each has people of its own, and each person a life."""

    bureau: Bureau
    _lots: Iterator[int] = field(default_factory=itertools.count)
    _lives: Iterator[int] = field(default_factory=itertools.count)
    _requests: Iterator[int] = field(default_factory=itertools.count)

    def lot(self) -> Story:
        """A roster of a few people, on its way until their cards are made and at a branch."""
        number = next(self._lots)
        people = [make_application(FIRST_PERSON + number * PEOPLE + at) for at in range(PEOPLE)]
        opened = yield self._perform(OpenImport(f"lot {number}", sm3.digest(b"%d" % number)))
        batch_id: str = opened["batch_id"]
        for first in range(0, PEOPLE, CHUNK_SIZE):
            yield self._perform(ImportRows(batch_id, tuple(people[first : first + CHUNK_SIZE])))
        closed = yield self._perform(CloseImport(batch_id, 0))
        yield self._approve("release_batch", closed)
        for _ in range(0, PEOPLE, CHUNK_SIZE):
            yield self._perform(IssueChunk(batch_id))
        ordered = yield from self._decide(OrderMaking(batch_id, MAKER, PEOPLE, skips_bank=True))
        order_id: str = ordered["order_id"]
        for chunk in range(1, 1 + PEOPLE // CHUNK_SIZE):
            yield self._perform(PrepareMakingChunk(order_id))
            signature = yield Look(partial(_signed, order_id, chunk))
            yield self._perform(KeepChunkSignatures(order_id, (ChunkSignature(chunk, signature),)))
        yield self._perform(SendMakerFile(order_id, bytes(32)))
        outcomes = yield Look(partial(_outcomes, batch_id, number))
        digest = sm3.digest(order_id.encode())
        yield self._perform(OpenMakerReturn(order_id, digest))
        for outcome in outcomes:
            yield self._perform(TakeMakerReturn(order_id, digest, (outcome,)))
        yield self._perform(CloseMakerReturn(order_id, digest))
        yield self._perform(DispatchCards(batch_id, BRANCH))
        found = yield Look(partial(_cards_of, batch_id))
        return [self.life(card_id, holder_id) for card_id, holder_id in found]

    def life(self, card_id: str, holder_id: str) -> Story:
        """Of a person from the branch on; the next one's is another life."""
        yield self._perform(HandOverCard(card_id))
        yield self._perform(ActivateCard(card_id, Evidence.IDENTITY_DOCUMENT))
        yield self._perform(ActivateECard(card_id, self.bureau.hash(HOLDER_PASSWORD)))
        yield from self._scanned(holder_id)
        match next(self._lives) % 4:
            case 0:
                yield self._perform(ReportTemporaryLoss(card_id))
                yield self._perform(WithdrawTemporaryLoss(card_id))
                yield from self._scanned(holder_id)
            case 1:
                yield self._perform(ReportFormalLoss(card_id))
                done = yield from self._decide(ReplaceCard(card_id, CardNumberKept.NEW))
                new = str(done["new_card_id"])
                yield self._perform(ActivateCard(new, Evidence.IDENTITY_DOCUMENT))
            case 2:
                yield self._perform(ReportTemporaryLoss(card_id))
                yield self._perform(ServeLifeEvent(LifeEvent.RETIREMENT, card_id))
            case _:
                yield from self._decide(DecideLifeEvent(LifeEvent.DEATH, card_id))
        return []

    def _scanned(self, holder_id: str) -> Generator[Act | Look, Any]:
        """Shown at a hospital, and the same code once more at a pharmacy."""
        code = yield Look(partial(_minted, holder_id))
        hospital, pharmacy = self.bureau.hospital, self.bureau.pharmacy
        for terminal, business_type in ((hospital, "01101"), (pharmacy, "02121")):
            request_id = self._request_id()
            request = yield Look(partial(_scan, code, terminal, business_type, request_id))
            answer = yield Act(None, partial(_recorded, request))
            expected = "accepted" if terminal is hospital else "already_used"
            if answer["reason"] != expected:
                raise AssertionError(f"{answer['reason']}, and not {expected}")

    def _perform(self, act: KernelAct) -> Act:
        return Act(act.act, partial(_performed, act, self.bureau.maker, self._request_id()))

    def _decide(self, act: DangerousAct) -> Generator[Act | Look, Any, Answer]:
        asking = partial(_proposed, act, self.bureau.maker, self._request_id())
        proposed = yield Act("propose", asking)
        answer: Answer = yield self._approve(act.act, proposed)
        return answer

    def _approve(self, name: str, proposed: Answer) -> Act:
        asking = partial(_approved, proposed, self.bureau.checker, self._request_id())
        return Act(name, asking)

    def _request_id(self) -> str:
        return f"mixed-{next(self._requests)}"


def _performed(act: KernelAct, actor: Actor, request_id: str, issuer: CardIssuer) -> Answer:
    """With the digest of a whole request, as one that comes over HTTP has."""
    fingerprint = sm3.digest(request_id.encode())
    return issuer.bureau.kernel.perform(
        act, actor=actor, request_id=request_id, fingerprint=fingerprint
    )


def _proposed(act: DangerousAct, actor: Actor, request_id: str, issuer: CardIssuer) -> Answer:
    return issuer.bureau.kernel.propose(act, actor=actor, request_id=request_id)


def _approved(proposed: Answer, actor: Actor, request_id: str, issuer: CardIssuer) -> Answer:
    return issuer.bureau.kernel.approve(
        proposed["approval_id"],
        content_hash=proposed["content_hash"],
        actor=actor,
        request_id=request_id,
    )


def _minted(holder_id: str, issuer: CardIssuer) -> str:
    return issuer.bureau.minter.mint(holder_id).text


def _scan(
    code: str, terminal: Terminal, business_type: str, request_id: str, issuer: CardIssuer
) -> ScanRequest:
    return issuer.bureau.scan_request(code, terminal, business_type, request_id=request_id)


def _recorded(request: ScanRequest, issuer: CardIssuer) -> Answer:
    return issuer.bureau.record(request)


def _signed(order_id: str, number: int, issuer: CardIssuer) -> bytes:
    kernel = issuer.bureau.kernel
    with kernel.store.read() as tx:
        order = making_orders.get(tx, order_id)
        chunk = making_orders.chunk(tx, order_id, number)
    if order is None or chunk is None:
        raise LookupError(order_id)
    message = prepared_chunk(kernel, order, chunk).to_be_signed
    return issuer.personaliser.signer(order.key_number).sign(message)


def _outcomes(batch_id: str, lot: int, issuer: CardIssuer) -> tuple[CardReturned, ...]:
    """What a maker answers that made them all."""
    with issuer.bureau.store.read() as tx:
        found = makings.between(tx, batch_id, 1, PEOPLE)
        made = cards.get_all(tx, [one.card_id for one in found])
    return tuple(
        CardReturned(
            one.record_number or 0, made[one.card_id].card_number, _chip(lot, one.position), None
        )
        for one in found
    )


def _chip(lot: int, position: int) -> Chip:
    serial = lot * PEOPLE + position
    return Chip(f"440604D156000005{serial:08X}", f"{serial:026X}")


def _cards_of(batch_id: str, issuer: CardIssuer) -> list[tuple[str, str]]:
    with issuer.bureau.store.read() as tx:
        return [(card.id, card.holder_id) for card in cards.page(tx, batch_id=batch_id)]
