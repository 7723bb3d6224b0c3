"""Scans that only identify, of codes signed for nothing else: answered first, recorded after.

Whether the code was used before is the fast store's to say (decision 0008); what is decided here
is the rest: the verdict, its answer, and the record, which the kernel writes within a second.

A scan's id is made of the request, the code and the verdict, so that the same request gets the same
id again, on any worker, and is recorded once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from card_core.errors import NotAllowedError
from card_core.holder_views import HolderViews
from card_core.kernel import card_records
from card_core.kernel.actors import ActorKind
from card_core.kernel.card_records import CardRecord
from card_core.kernel.content import canonical_bytes
from card_core.kernel.grants import Grants
from card_core.kernel.judging import reason_of_card
from card_core.kernel.scan_answers import (
    GroupedScan,
    answer_of,
    pseudonym_and_salt,
    reason_of,
    receipt_facts,
    row_of,
    told,
    view_of,
)
from card_core.kernel.scan_requests import ScanRequest
from card_core.store import (
    FieldCipher,
    Reader,
    Transaction,
    answers,
    audit,
    cards,
    outbox,
    proofs,
    scans,
)
from card_core.store.answers import Kept
from card_core.store.institutions import Institution, Terminal
from card_core.store.proofs import Nonce
from card_core.verdicts import Reason
from crypto import sm3

CHAIN = "scan"
ACT = "record_identified"
GROUP_MAX = 1024
TAG_SIZE_BYTES = 8

_DEFAULT_VIEWS = HolderViews()
_TAG = b"sscard/identify-tag/v1\0"


@dataclass(frozen=True, slots=True, repr=False)
class IdentifiedScan:
    """A scan that is decided and not recorded yet. answer: JSON, as `record_group` describes it;
    `receipt` is null in it and is made with the record. at: aware."""

    scan: GroupedScan
    at: datetime
    answer: bytes

    @property
    def reason(self) -> Reason:
        return reason_of(self.scan)


def request_digest(request: ScanRequest) -> bytes:
    """32 bytes that the same request always has, signed anew or not, and no other one; the fast
    store keeps the first TAG_SIZE_BYTES."""
    named = [request.terminal_id.encode(), request.request_id.encode(), request.content()]
    return sm3.digest(_TAG + b"\0".join(named))


def load_record(
    tx: Reader, ecard_id: int, grants: Grants | None, now: datetime
) -> CardRecord | None:
    """See `card_records.load`."""
    return card_records.load(tx, ecard_id, _views(grants), now)


def reason_of_record(request: ScanRequest, record: CardRecord, now: datetime) -> Reason | None:
    """Why a card may not be used now, None where it may; the same rule as in a group."""
    presented = request.presented
    if presented is None or presented.issuer != record.card.issuer:
        return Reason.UNKNOWN_CARD
    return reason_of_card(record.card, record.ecard, now)


def decided(
    request: ScanRequest,
    serving: tuple[Terminal, Institution],
    reason: Reason,
    record: CardRecord | None,
    now: datetime,
    *,
    digest: bytes,
    cipher: FieldCipher,
    grants: Grants | None,
) -> IdentifiedScan:
    """Put a verdict into its answer. record: None where the card was not read. digest: of
    `request_digest`."""
    scan = GroupedScan(request, serving=serving, reason=reason)
    if record is not None:
        scan.card, scan.ecard, scan.facts = record.card, record.ecard, record.facts
    scan.id = _scan_id(cipher, request, digest, reason)
    answer = answer_of(scan, now)
    if reason is Reason.ACCEPTED:
        answer["holder"] = view_of(scan, _views(grants), now)
        if grants is not None:
            answer |= pseudonym_and_salt(scan, grants)
    return IdentifiedScan(scan, now, canonical_bytes(answer))


def record_group(
    tx: Transaction, group: Sequence[IdentifiedScan], now: datetime, grants: Grants | None
) -> int:
    """Write the records that are not there yet, under one audit event; returns how many.

    The answers are out: nothing is refused here any more. A signed request's nonce is spent with
    its record; the answers to accepted scans are kept for retries that come when the code is old.
    Raises NoSigningKeyError, CryptoError, StoreError: nothing is recorded then.
    """
    if len(group) > GROUP_MAX:
        raise ValueError(f"a group has at most {GROUP_MAX} scans")
    _spend_proofs(tx, group, now)
    by_id: dict[str, IdentifiedScan] = {}
    for one in group:
        by_id.setdefault(one.scan.id, one)
    there = scans.ids_there(tx, by_id)
    new = [one for scan_id, one in sorted(by_id.items()) if scan_id not in there]
    if not new:
        return 0
    _find_cards(tx, new)
    if grants is not None:
        accepted = [one for one in new if one.reason is Reason.ACCEPTED]
        facts = [receipt_facts(one.scan, one.at) for one in accepted]
        for one, receipt in zip(accepted, grants.receipts.make(tx, facts), strict=True):
            one.scan.receipt = receipt
    inserted, digest = scans.add_new(tx, [row_of(one.scan, one.at) for one in new])
    recorded = [one for one in new if one.scan.id in inserted]
    if recorded:
        _keep_answers(tx, recorded)
        _append_event(tx, recorded, digest, now)
    return len(recorded)


def _spend_proofs(tx: Transaction, group: Sequence[IdentifiedScan], now: datetime) -> None:
    nonces = [
        Nonce(actor.kind.value, actor.id, proof.nonce, proof.expires_at)
        for one in group
        for actor, proof in [(one.scan.request.actor, one.scan.request.proof)]
        if proof is not None
    ]
    proofs.spend_all(tx, nonces, now)()


def _find_cards(tx: Transaction, new: Sequence[IdentifiedScan]) -> None:
    """The card of each scan whose verdict did not need it: its holder is to see the scan."""
    ecard_of = {
        one.scan.id: presented.ecard_id
        for one in new
        if one.scan.card is None
        and (presented := one.scan.request.presented) is not None
        and presented.ecard_id is not None
    }
    card_ids = cards.card_ids_of(tx, set(ecard_of.values()))()
    pairs = cards.pairs_of(tx, set(card_ids.values()))().by_card_id
    for one in new:
        pair = pairs.get(card_ids.get(ecard_of.get(one.scan.id, -1), ""))
        if pair is not None:
            one.scan.card, one.scan.ecard = pair


def _keep_answers(tx: Transaction, recorded: Sequence[IdentifiedScan]) -> None:
    kept = {
        one.scan.key: (Kept(answers.digest_of(tx, one.scan.request.content()), one.answer), one.at)
        for one in recorded
        if one.reason is Reason.ACCEPTED
    }
    answers.keep_new(tx, kept)


def _append_event(
    tx: Transaction, recorded: Sequence[IdentifiedScan], digest: str, now: datetime
) -> None:
    ids = [one.scan.id for one in recorded]
    rows = {"rows": [list(change) for change in tx.changed], "made": dict(tx.made)}
    detail = {"scans": len(ids), "digest": digest, "ids": ids, **rows}
    event = audit.Event(
        at=now,
        actor_kind=ActorKind.SYSTEM.value,
        actor_id="scans",
        act=ACT,
        subject=f"scans/{ids[0]}",
        detail=canonical_bytes(detail).decode(),
    )
    payload = canonical_bytes([told(one.scan) for one in recorded]).decode()
    seq = audit.append(tx, CHAIN, event)
    outbox.append(tx, outbox.Event(CHAIN, seq, now, ACT, event.subject, payload))


def _scan_id(cipher: FieldCipher, request: ScanRequest, digest: bytes, reason: Reason) -> str:
    """32 hex, about in the order in which codes were made, not guessable."""
    presented = request.presented
    if presented is None:
        raise NotAllowedError
    milliseconds = int(presented.minted_at.timestamp() * 1000)
    made_of = [b"identified", digest, presented.nonce, reason.value.encode()]
    return (milliseconds.to_bytes(6) + cipher.keyed_digest(made_of)[:10]).hex()


def _views(grants: Grants | None) -> HolderViews:
    return _DEFAULT_VIEWS if grants is None else grants.views
