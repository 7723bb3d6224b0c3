"""Many scans, one commit: steps 7 and 8 of the check order, and the evidence.

Steps 1 to 6 need no transaction and are done before; their result comes in with each request. Here
a group of scans shares one transaction, in this order, each step for all of them at once:

    1  the nonces of signed requests are spent; they stay spent if the scan is refused
    2  the terminals and their institutions are read, and locked against change
    3  the request ids are held; one that was answered before gets that answer
    4  the cards are read, locked against change, and judged (7); then the holders
    5  the codes' nonces are spent (8): of scans that race, here or elsewhere, one inserts
    6  receipts under one signature, visits, scans, answers, one audit event with a digest over the
       scans, one outbox event

A scan that can't be answered gets an error of its own and does not stop the others. Rows go in in
one order for everybody, step by step, so that two groups wait for each other and never both.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from card_core import business_types
from card_core.errors import (
    CardCoreError,
    IdempotencyConflictError,
    NotAllowedError,
    ReplayedRequestError,
    TamperedRowError,
)
from card_core.holder_views import HolderViews
from card_core.kernel.actors import ActorKind
from card_core.kernel.content import canonical_bytes
from card_core.kernel.grants import Grants, new_visit
from card_core.kernel.judging import reason_of_presented
from card_core.kernel.scan_answers import (
    GroupedScan,
    answer_of,
    granted,
    peer_scan_of,
    receipt_facts,
    row_of,
    told,
    view_of,
)
from card_core.kernel.scan_requests import ScanRequest
from card_core.kernel.strangers import stranger_spending
from card_core.kernel.visit_ledger import VisitLedger
from card_core.presented import Presented
from card_core.store import (
    Lock,
    Transaction,
    answers,
    audit,
    cards,
    holders,
    ids,
    institutions,
    outbox,
    proofs,
    scans,
    trust,
    visits,
)
from card_core.store.answers import Kept, RequestKey
from card_core.store.bulk import Pending
from card_core.store.institutions import Institution, Terminal
from card_core.store.proofs import Nonce
from card_core.store.scans import IDS_SHARED, Spending
from card_core.verdicts import Reason

CHAIN = "scan"
ACT = "record_scans"
GROUP_MAX = 1024

_DEFAULT_VIEWS = HolderViews()


def record_group(
    tx: Transaction,
    requests: Sequence[ScanRequest],
    now: datetime,
    random_bytes: Callable[[int], bytes],
    grants: Grants | None = None,
) -> list[bytes | CardCoreError]:
    """Record at most GROUP_MAX scans; for each its answer as JSON, or the error that it met.

    An answer has scan_id, outcome, reason, medium, presence, for_whom, card_state (None for an
    unknown card), scanned_at, and, None where the scan is refused: `holder`, what its business type
    shows of the holder (`card_core.holder_views`); pseudonym, hex; receipt, as text; clerk_salt,
    hex, where there is an operator or a department; visit, where one was opened, with token,
    ends_at and business_types. Without `grants` there is no pseudonym, receipt or visit.
    Raises NoSigningKeyError, CryptoError, StoreError: nothing is recorded then.
    """
    if len(requests) > GROUP_MAX:
        raise ValueError(f"a group has at most {GROUP_MAX} scans")
    asked = [GroupedScan(request) for request in requests]
    with tx.together():
        spent = _spend_proofs(tx, asked, now)
        serving = _ask_terminals(tx, asked)
        held = answers.hold_all(tx, {scan.key for scan in asked})
        card_ids = cards.card_ids_of(tx, _ecard_ids(asked))
    _refuse_replays(asked, spent())
    _check_terminals(asked, serving(), now)
    _check_issuers(tx, asked, now)
    open_scans = _settle_repeats(tx, asked, held())
    ledger = VisitLedger(tx, _visit_ids(open_scans))
    _judge(tx, open_scans, card_ids(), ledger, now)
    _read_facts(tx, open_scans, ledger, grants)
    undecided = [scan for scan in open_scans if scan.result is None]
    for scan, scan_id in zip(
        undecided, ids.make_ids(now, len(undecided), random_bytes), strict=True
    ):
        scan.id = scan_id
    _spend(tx, undecided, ledger)
    ledger.keep()
    if grants is not None:
        _grant(tx, undecided, grants, now, random_bytes)
    _record(tx, undecided, now, grants)
    for scan in open_scans:
        for repeat in scan.repeats:
            repeat.result = scan.result
    return [_result(scan) for scan in asked]


def _spend_proofs(
    tx: Transaction, asked: Sequence[GroupedScan], now: datetime
) -> Pending[set[tuple[Any, ...]]]:
    """Actor id and nonce of those that were fresh."""
    nonces = [
        Nonce(actor.kind.value, actor.id, proof.nonce, proof.expires_at)
        for scan in asked
        for actor, proof in [(scan.request.actor, scan.request.proof)]
        if proof is not None
    ]
    return proofs.spend_all(tx, nonces, now)


def _refuse_replays(asked: Sequence[GroupedScan], fresh: set[tuple[Any, ...]]) -> None:
    """Of two requests of one group with the same nonce the first has it."""
    for scan in asked:
        proof = scan.request.proof
        if proof is not None:
            nonce = (scan.request.actor.id, proof.nonce)
            if nonce not in fresh:
                scan.result = ReplayedRequestError()
            fresh.discard(nonce)


def _ask_terminals(
    tx: Transaction, asked: Sequence[GroupedScan]
) -> Pending[dict[str, tuple[Terminal, Institution]]]:
    ours = [scan.request for scan in asked if scan.request.asking is None]
    return institutions.serving(
        tx, {one.terminal_id for one in ours}, {one.institution_id for one in ours}
    )


def _check_terminals(
    asked: Sequence[GroupedScan],
    serving: Mapping[str, tuple[Terminal, Institution]],
    now: datetime,
) -> None:
    """The terminal scans for itself, by a key that is its own still, at its institution, for what
    that kind of place may."""
    for scan in _undecided(asked):
        request = scan.request
        if request.asking is not None:
            continue
        found = serving.get(request.terminal_id)
        if (
            found is None
            or found[1].id != request.institution_id
            or not found[1].may_scan_for(business_types.get(request.business_type))
            or (request.public_key and not found[0].speaks_by(request.public_key, now))
        ):
            scan.result = NotAllowedError()
        scan.serving = found


def _check_issuers(tx: Transaction, asked: Sequence[GroupedScan], now: datetime) -> None:
    """An issuer that asks is trusted now, and its institution scans for what its kind may."""
    asking = [scan for scan in _undecided(asked) if scan.request.asking is not None]
    trusted = _trusted(tx, now) if asking else set()
    for scan in asking:
        request, at = scan.request, scan.request.asking
        if (
            at is None
            or at.issuer not in trusted
            or (request.terminal_id, request.institution_id) != (at.terminal_id, at.institution_id)
            or not business_types.get(request.business_type).is_offered_at(at.kind)
        ):
            scan.result = NotAllowedError()
        else:
            scan.serving = at.serving()


def _trusted(tx: Transaction, now: datetime) -> set[int]:
    try:
        return {one.number for one in trust.entries(tx, now)}
    except TamperedRowError:
        return set()  # others' scans are in this group, too


def _settle_repeats(
    tx: Transaction, asked: Sequence[GroupedScan], held: Mapping[RequestKey, Kept]
) -> list[GroupedScan]:
    """The scans that are new: the first of each request id, if it was not answered before."""
    new: dict[RequestKey, GroupedScan] = {}
    for scan in _undecided(asked):
        scan.content_digest = answers.digest_of(tx, scan.request.content())
        before = held.get(scan.key) or new.setdefault(scan.key, scan)
        if before is scan:
            continue
        if before.content_digest != scan.content_digest:
            scan.result = IdempotencyConflictError()
        elif isinstance(before, Kept):
            scan.result = before.answer
        else:
            before.repeats.append(scan)
    return list(new.values())


def _judge(
    tx: Transaction,
    new: Sequence[GroupedScan],
    card_id_by_ecard: Mapping[int, str],
    ledger: VisitLedger,
    now: datetime,
) -> None:
    """Step 7: set each scan's card, and the reason where it is refused."""
    genuine: list[GroupedScan] = []
    for scan in new:
        presented = scan.request.presented
        if scan.request.elsewhere is not None:
            scan.reason = scan.request.elsewhere.reason
        elif presented is None:
            scan.reason = scan.request.refusal
        elif now >= presented.usable_until:
            scan.reason = Reason.EXPIRED  # it was in time when it was read, and waited for its turn
        else:
            genuine.append(scan)
    named = {id(scan): _card_id(scan, card_id_by_ecard) for scan in genuine}
    card_ids = {card_id for card_id in named.values() if card_id is not None}
    with tx.together():
        # Under this lock a loss that is being reported is seen here, or waits for these scans.
        tx.lock_all((f"cards/{card_id}" for card_id in card_ids), Lock.SHARED)
        pending = cards.pairs_of(tx, card_ids)
    pairs = pending()
    for scan in genuine:
        card_id, presented = named[id(scan)], scan.request.presented
        if card_id in pairs.tampered:
            scan.result = TamperedRowError("cards", card_id or "")
            continue
        if presented is not None and presented.visit_id in ledger.tampered:
            scan.result = TamperedRowError("visits", presented.visit_id or "")
            continue
        pair = pairs.by_card_id.get(card_id or "")
        if pair is None or presented is None or pair[0].issuer != presented.issuer:
            scan.reason = Reason.UNKNOWN_CARD
            continue
        scan.card, scan.ecard = pair
        scan.reason = (
            reason_of_presented(presented, *pair, now)
            or _reason_of_other_truth(presented)
            or ledger.take(scan.request, now)
        )


def _reason_of_other_truth(presented: Presented) -> Reason | None:
    """A code signed for identifying only is spent in the fast store (`identified`) and nowhere
    else: one that comes here was not decided there, and the marks of two stores never mix."""
    return Reason.SHOW_NEW_CODE if presented.is_spent_fast else None


def _read_facts(
    tx: Transaction, new: Sequence[GroupedScan], ledger: VisitLedger, grants: Grants | None
) -> None:
    """What the scans that nothing is against would show of their holders.

    Read before anything is spent: of a holder who can't be read no code is used up.
    """
    views = _views(grants)
    wanted: dict[str, set[str]] = {}
    for scan in _undecided(new):
        if scan.reason is None and scan.card is not None:
            needs = views.needs(scan.request.business_type)
            wanted.setdefault(scan.card.holder_id, set()).update(needs)
    facts = holders.facts_of(tx, wanted)
    for scan in _undecided(new):
        if scan.reason is None and scan.card is not None:
            scan.facts = facts.get(scan.card.holder_id)
            if scan.facts is None:
                scan.result = TamperedRowError("holders", scan.card.holder_id)
                ledger.give_back(scan.request)


def _views(grants: Grants | None) -> HolderViews:
    return _DEFAULT_VIEWS if grants is None else grants.views


def _spend(tx: Transaction, undecided: Sequence[GroupedScan], ledger: VisitLedger) -> None:
    """Step 8, for the scans that nothing is against.

    What another issuer accepted is spent there. It is noted here as well, so that it meets the
    records of terminals that had no network: one that was handed in before is a double.
    """
    spendings = [
        Spending(scan.card.holder_id, presented.minted_at, presented.nonce, scan.id)
        for scan in undecided
        if scan.reason is None
        and scan.card is not None
        and (presented := scan.request.presented) is not None
    ]
    strangers = [
        stranger_spending(elsewhere.checked, scan.id)
        for scan in undecided
        if (elsewhere := scan.request.elsewhere) is not None
        and elsewhere.checked is not None
        and scan.reason is Reason.ACCEPTED
    ]
    fresh = scans.spend_all(tx, [*spendings, *strangers])
    doubles = {one.scan_id for one in strangers if one.scan_id not in fresh}
    for scan in undecided:
        if scan.id in doubles:
            scan.reason = Reason.ALREADY_USED
        if scan.reason is None:
            scan.reason = Reason.ACCEPTED if scan.id in fresh else Reason.ALREADY_USED
            if scan.reason is Reason.ALREADY_USED:
                ledger.give_back(scan.request)


def _grant(
    tx: Transaction,
    undecided: Sequence[GroupedScan],
    grants: Grants,
    now: datetime,
    random_bytes: Callable[[int], bytes],
) -> None:
    """Receipts for the accepted scans, under one signature, and the visits that they open."""
    accepted = [
        scan
        for scan in undecided
        if scan.reason is Reason.ACCEPTED and scan.request.elsewhere is None
    ]
    if not accepted:
        return
    facts = [receipt_facts(scan, now) for scan in accepted]
    made = zip(accepted, facts, grants.receipts.make(tx, facts), strict=True)
    visit_ids = ids.make_ids(now, len(accepted), random_bytes)
    for (scan, one, receipt), visit_id in zip(made, visit_ids, strict=True):
        scan.receipt = receipt
        presented, card = scan.request.presented, scan.card
        # A visit goes on at desks of ours; another issuer's place shows a code at each.
        if presented and card and scan.request.asking is None:
            scan.visit = new_visit(
                grants.visit_policy,
                visit_id=visit_id,
                facts=one,
                card_id=card.id,
                presented=presented,
            )
    visits.add_all(tx, [scan.visit for scan in accepted if scan.visit])


def _record(
    tx: Transaction, undecided: Sequence[GroupedScan], now: datetime, grants: Grants | None
) -> None:
    if not undecided:
        return
    answered = {}
    for scan in undecided:
        answer = answer_of(scan, now)
        if scan.reason is Reason.ACCEPTED and scan.request.elsewhere is None:
            answer["holder"] = view_of(scan, _views(grants), now)
            if grants is not None:
                answer |= granted(scan, grants)
        scan.result = canonical_bytes(answer)
        answered[scan.key] = Kept(scan.content_digest, scan.result)
    with tx.together():
        digest = scans.add_group(tx, [row_of(scan, now) for scan in undecided])
        trust.add_peer_scans(tx, [one for one in map(peer_scan_of, undecided) if one is not None])
        answers.keep_all(tx, answered, now)
        _append_event(tx, undecided, digest, now)


def _append_event(
    tx: Transaction, undecided: Sequence[GroupedScan], digest: str, now: datetime
) -> None:
    shared = undecided[0].id[:IDS_SHARED]
    rows = {"rows": [list(change) for change in tx.changed], "made": dict(tx.made)}
    detail = {"scans": len(undecided), "digest": digest, **rows}
    event = audit.Event(
        at=now,
        actor_kind=ActorKind.SYSTEM.value,
        actor_id="scans",
        act=ACT,
        subject=f"scans/{shared}",
        detail=canonical_bytes(detail).decode(),
    )
    payload = canonical_bytes([told(scan) for scan in undecided]).decode()
    seq = audit.append(tx, CHAIN, event)
    outbox.append(tx, outbox.Event(CHAIN, seq, now, ACT, event.subject, payload))


def _visit_ids(new: Sequence[GroupedScan]) -> set[str]:
    found = (scan.request.presented for scan in new)
    return {one.visit_id for one in found if one is not None and one.visit_id is not None}


def _undecided(asked: Sequence[GroupedScan]) -> list[GroupedScan]:
    return [scan for scan in asked if scan.result is None]


def _ecard_ids(genuine: Sequence[GroupedScan]) -> set[int]:
    found = (scan.request.presented for scan in genuine)
    return {one.ecard_id for one in found if one is not None and one.ecard_id is not None}


def _card_id(scan: GroupedScan, card_id_by_ecard: Mapping[int, str]) -> str | None:
    presented = scan.request.presented
    if presented is None:
        return None
    if presented.ecard_id is None:
        return presented.card_id
    return card_id_by_ecard.get(presented.ecard_id)


def _result(scan: GroupedScan) -> bytes | CardCoreError:
    if scan.result is None:
        raise NotAllowedError
    return scan.result
