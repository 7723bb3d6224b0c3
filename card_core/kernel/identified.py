"""Scans that only identify, of codes signed for nothing else: answered first, recorded after.

Whether the code was used before is the fast store's to say (decision 0008); what is decided here
is the rest: the verdict, its answer, and the record, which the kernel writes within a second.

A scan's id is made of the request, the code and the verdict, so that the same request gets the same
id again, on any worker, and is recorded once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from card_core.codes import ForWhom, Presence
from card_core.errors import NotAllowedError
from card_core.holder_views import HolderViews
from card_core.kernel.actors import ActorKind
from card_core.kernel.card_records import CardRecord
from card_core.kernel.content import canonical_bytes
from card_core.kernel.grants import Grants
from card_core.kernel.scan_answers import key_of, receipt_facts, row_of, told
from card_core.kernel.scan_requests import ScanRequest
from card_core.presented import Medium
from card_core.states import CardState
from card_core.store import (
    FieldCipher,
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

# The members of `scan_answers.answer_of` in canonical order, with no visit and no receipt yet.
_ANSWER = (
    b'{"card_state":%b,"clerk_salt":%b,"for_whom":%b,"holder":%b,"medium":%b,"outcome":%b,'
    b'"presence":%b,"pseudonym":%b,"reason":%b,"receipt":null,"scan_id":"%b","scanned_at":"%b",'
    b'"visit":null}'
)


def _word(text: str) -> bytes:
    return b'"%b"' % text.encode()


_WORDS = {one: _word(one.value) for kind in (CardState, Medium, Reason) for one in kind}
# Two, because their members are numbers, and equal ones are one key.
_PRESENCE = {one: _word(one.name.lower()) for one in Presence}
_FOR_WHOM = {one: _word(one.name.lower()) for one in ForWhom}
_OUTCOMES = {reason: _word(reason.outcome) for reason in Reason}


@dataclass(slots=True, repr=False)
class IdentifiedScan:
    """A scan that is decided and not recorded yet; see `scan_answers.DecidedScan`.

    at: aware. content: of `request.content`. answer: JSON, with the members that a group's answer
    has (`scan_groups`); `receipt` is null in it and is made with the record.
    """

    id: str
    request: ScanRequest
    serving: tuple[Terminal, Institution] | None
    verdict: Reason
    at: datetime
    content: bytes
    answer: bytes
    holder_id: str | None
    card_id: str | None
    receipt: bytes | None = None
    visit_id: str | None = None


def request_digest(request: ScanRequest, content: bytes) -> bytes:
    """32 bytes that the same request always has, signed anew or not, and no other one; the fast
    store keeps the first TAG_SIZE_BYTES. content: of `request.content`."""
    named = (request.terminal_id.encode(), request.request_id.encode(), content)
    return sm3.digest(_TAG + b"\0".join(named))


def reason_of_record(request: ScanRequest, record: CardRecord) -> Reason | None:
    """Why a card may not be used now, None where it may; the same rule as in a group."""
    presented = request.presented
    if presented is None or presented.issuer != record.issuer:
        return Reason.UNKNOWN_CARD
    return record.against


def decided(
    request: ScanRequest,
    serving: tuple[Terminal, Institution],
    reason: Reason,
    record: CardRecord | None,
    now: datetime,
    *,
    content: bytes,
    digest: bytes,
    cipher: FieldCipher,
    grants: Grants | None,
) -> IdentifiedScan:
    """Put a verdict into its answer. record: None where the card was not read. content, digest: of
    `request.content` and `request_digest`."""
    scan_id = _scan_id(cipher, request, digest, reason)
    holder = pseudonym = salt = b"null"
    if reason is Reason.ACCEPTED and record is not None:
        holder = record.shown[views_of(grants).place(request.business_type)]
        if grants is not None:
            known_as = grants.pseudonyms.of(record.holder_id, request.institution_id)
            pseudonym = b'"%b"' % known_as.hex().encode()
            if request.operator or request.department:
                salt = b'"%b"' % grants.pseudonyms.clerk_salt(scan_id).hex().encode()
    medium, presence, for_whom = _shown(request)
    answer = _ANSWER % (
        b"null" if record is None else _WORDS[record.state],
        salt,
        for_whom,
        holder,
        medium,
        _OUTCOMES[reason],
        presence,
        pseudonym,
        _WORDS[reason],
        scan_id.encode(),
        now.isoformat().encode(),
    )
    found = (None, None) if record is None else (record.holder_id, record.card_id)
    return IdentifiedScan(scan_id, request, serving, reason, now, content, answer, *found)


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
        by_id.setdefault(one.id, one)
    there = scans.ids_there(tx, by_id)
    new = [one for scan_id, one in sorted(by_id.items()) if scan_id not in there]
    if not new:
        return 0
    _find_cards(tx, new)
    if grants is not None:
        accepted = [one for one in new if one.verdict is Reason.ACCEPTED]
        facts = [receipt_facts(one, one.at) for one in accepted]
        made = grants.receipts.make(tx, facts) if facts else []
        for one, receipt in zip(accepted, made, strict=True):
            one.receipt = receipt
    inserted, digest = scans.add_new(tx, [row_of(one, one.at) for one in new])
    recorded = [one for one in new if one.id in inserted]
    if recorded:
        _keep_answers(tx, recorded)
        _append_event(tx, recorded, digest, now)
    return len(recorded)


def _spend_proofs(tx: Transaction, group: Sequence[IdentifiedScan], now: datetime) -> None:
    nonces = [
        Nonce(actor.kind.value, actor.id, proof.nonce, proof.expires_at)
        for one in group
        if (proof := one.request.proof) is not None
        for actor in [one.request.actor]
    ]
    proofs.spend_all(tx, nonces, now)()


def _find_cards(tx: Transaction, new: Sequence[IdentifiedScan]) -> None:
    """The card of each scan whose verdict did not need it: its holder is to see the scan."""
    ecard_of = {
        one.id: presented.ecard_id
        for one in new
        if one.card_id is None
        and (presented := one.request.presented) is not None
        and presented.ecard_id is not None
    }
    if not ecard_of:
        return
    card_ids = cards.card_ids_of(tx, set(ecard_of.values()))()
    pairs = cards.pairs_of(tx, set(card_ids.values()))().by_card_id
    for one in new:
        pair = pairs.get(card_ids.get(ecard_of.get(one.id, -1), ""))
        if pair is not None:
            one.card_id, one.holder_id = pair[0].id, pair[0].holder_id


def _keep_answers(tx: Transaction, recorded: Sequence[IdentifiedScan]) -> None:
    kept = [
        (key_of(one.request), Kept(answers.digest_of(tx, one.content), one.answer), one.at)
        for one in recorded
        if one.verdict is Reason.ACCEPTED
    ]
    answers.keep_new(tx, kept)


def _append_event(
    tx: Transaction, recorded: Sequence[IdentifiedScan], digest: str, now: datetime
) -> None:
    ids = [one.id for one in recorded]
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
    payload = canonical_bytes([told(one) for one in recorded]).decode()
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


def _shown(request: ScanRequest) -> tuple[bytes, bytes, bytes]:
    shown = request.presented
    if shown is None:
        raise NotAllowedError
    return _WORDS[shown.medium], _PRESENCE[shown.presence], _FOR_WHOM[shown.for_whom]


def views_of(grants: Grants | None) -> HolderViews:
    """Those that cards' records are loaded, sealed and opened under."""
    return _DEFAULT_VIEWS if grants is None else grants.views
