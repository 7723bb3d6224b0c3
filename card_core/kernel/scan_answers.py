"""One scan in a group: what it has come to, and what is recorded, told and answered of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from card_core import receipts
from card_core.codes import ForWhom, Presence
from card_core.errors import CardCoreError, NotAllowedError
from card_core.holder_views import HolderFacts, HolderViews
from card_core.kernel.dates import SHANGHAI
from card_core.kernel.grants import Grants, ReceiptFacts
from card_core.kernel.scan_requests import ScanRequest
from card_core.presented import Medium
from card_core.receipts import ReceiptKind
from card_core.store.answers import RequestKey
from card_core.store.cards import Card, ECard
from card_core.store.institutions import Institution, Terminal
from card_core.store.scans import Scan
from card_core.store.trust import PeerScan
from card_core.store.visits import Visit
from card_core.verdicts import Reason


@dataclass(slots=True, repr=False)
class GroupedScan:
    """One request on its way through the group; `result` is set when it is decided.

    facts: what its business type shows of the holder, in clear.
    """

    request: ScanRequest
    id: str = ""
    content_digest: bytes = b""
    serving: tuple[Terminal, Institution] | None = None
    card: Card | None = None
    ecard: ECard | None = None
    facts: HolderFacts | None = None
    receipt: bytes | None = None
    visit: Visit | None = None
    reason: Reason | None = None
    result: bytes | CardCoreError | None = None
    repeats: list["GroupedScan"] = field(default_factory=list)
    _key: RequestKey | None = None

    @property
    def key(self) -> RequestKey:
        """Made when it is first asked for, and kept: a group asks again and again."""
        if self._key is None:
            self._key = key_of(self.request)
        return self._key

    @property
    def holder_id(self) -> str | None:
        return None if self.card is None else self.card.holder_id

    @property
    def card_id(self) -> str | None:
        return None if self.card is None else self.card.id

    @property
    def visit_id(self) -> str | None:
        """Of the visit that it opened, or is a step of."""
        if self.visit is not None:
            return self.visit.id
        presented = self.request.presented
        return None if presented is None else presented.visit_id

    @property
    def verdict(self) -> Reason:
        if self.reason is None:
            raise NotAllowedError
        return self.reason


def key_of(request: ScanRequest) -> RequestKey:
    actor = request.actor
    return RequestKey(actor.kind.value, actor.id, request.request_id)


class DecidedScan(Protocol):
    """What is recorded and told of a scan, whichever way it was decided. holder_id, card_id: None
    where no card was found."""

    id: str
    request: ScanRequest
    serving: tuple[Terminal, Institution] | None
    receipt: bytes | None

    @property
    def holder_id(self) -> str | None: ...

    @property
    def card_id(self) -> str | None: ...

    @property
    def visit_id(self) -> str | None: ...

    @property
    def verdict(self) -> Reason: ...


def receipt_facts(scan: DecidedScan, now: datetime) -> ReceiptFacts:
    request, presented = scan.request, scan.request.presented
    if presented is None or scan.holder_id is None or scan.serving is None:
        raise NotAllowedError
    return ReceiptFacts(
        kind=ReceiptKind.SCAN,
        at=now,
        id=scan.id,
        business_type=request.business_type,
        amount_fen=request.amount_fen,
        medium=presented.medium,
        presence=presented.presence,
        for_whom=presented.for_whom,
        holder_id=scan.holder_id,
        terminal=scan.serving[0],
        institution=scan.serving[1],
        operator=request.operator,
        department=request.department,
    )


def told(scan: DecidedScan) -> dict[str, Any]:
    """What listeners outside the database learn of a scan; from it the holder hears of a step."""
    return {
        "visit_id": scan.visit_id,
        "scan_id": scan.id,
        "card_id": scan.card_id,
        "terminal_id": scan.request.terminal_id,
        "institution_id": scan.request.institution_id,
        "business_type": scan.request.business_type,
        "reason": scan.verdict.value,
    }


def answer_of(scan: GroupedScan, now: datetime) -> dict[str, Any]:
    reason, (medium, presence, for_whom) = scan.verdict, _shown(scan.request)
    elsewhere = scan.request.elsewhere
    if elsewhere is not None and elsewhere.reason is not reason:
        # Accepted there, and a double by what we know: nothing of the holder is shown for it.
        elsewhere = replace(elsewhere, holder=None, pseudonym=None, receipt=None)
    card_state = None if scan.card is None else scan.card.state.value
    return {
        "scan_id": scan.id,
        "outcome": reason.outcome,
        "reason": reason.value,
        "medium": None if medium is None else medium.value,
        "presence": None if presence is None else presence.name.lower(),
        "for_whom": None if for_whom is None else for_whom.name.lower(),
        "card_state": card_state if elsewhere is None else elsewhere.card_state,
        "holder": None if elsewhere is None else elsewhere.holder,
        "pseudonym": None if elsewhere is None else elsewhere.pseudonym,
        "receipt": None if elsewhere is None else elsewhere.receipt,
        "clerk_salt": None,
        "visit": None,
        "scanned_at": now.isoformat(),
    }


def granted(scan: GroupedScan, grants: Grants) -> dict[str, Any]:
    """What goes with an accepted scan's answer beside the view."""
    visit = scan.visit
    if scan.receipt is None:
        raise NotAllowedError
    return {
        **pseudonym_and_salt(scan, grants),
        "receipt": receipts.to_text(scan.receipt),
        "visit": None
        if visit is None
        else {
            "token": grants.visit_tokens.make(visit.id, visit.institution_id),
            "ends_at": visit.ends_at.isoformat(),
            "business_types": sorted(visit.business_types),
        },
    }


def pseudonym_and_salt(scan: GroupedScan, grants: Grants) -> dict[str, Any]:
    """What an institution knows the holder by, and what opens its clerk's commitment."""
    request = scan.request
    if scan.card is None:
        raise NotAllowedError
    named = request.operator or request.department
    return {
        "pseudonym": grants.pseudonyms.of(scan.card.holder_id, request.institution_id).hex(),
        "clerk_salt": grants.pseudonyms.clerk_salt(scan.id).hex() if named else None,
    }


def view_of(scan: GroupedScan, views: HolderViews, now: datetime) -> dict[str, Any]:
    if scan.card is None or scan.facts is None:
        raise NotAllowedError
    known = known_of(scan.facts, scan.card, scan.ecard)
    today = now.astimezone(SHANGHAI).date()
    return views.render(scan.request.business_type, known, today)


def known_of(facts: HolderFacts, card: Card, ecard: ECard | None) -> HolderFacts:
    """What is known of a holder, with the numbers of the card and the e-card that were shown."""
    return HolderFacts(
        facts.name,
        facts.social_security_number,
        card.card_number,
        (ecard and ecard.sign_number) or "",
        facts.phone,
        facts.sex,
        facts.birth_on,
    )


def row_of(scan: DecidedScan, now: datetime) -> Scan:
    request, presented = scan.request, scan.request.presented
    medium, presence, for_whom = _shown(request)
    return Scan(
        id=scan.id,
        scanned_at=now,
        terminal_id=request.terminal_id,
        institution_id=request.institution_id,
        holder_id=scan.holder_id,
        card_id=scan.card_id,
        business_type=request.business_type,
        reason=scan.verdict,
        minted_at=None if presented is None else presented.minted_at,
        amount_fen=request.amount_fen,
        operator=request.operator,
        department=request.department,
        medium=medium,
        presence=None if presence is None else presence.value,
        for_whom=None if for_whom is None else for_whom.value,
        receipt=scan.receipt,
    )


def peer_scan_of(scan: GroupedScan) -> PeerScan | None:
    """Where it was scanned, if at another issuer's place."""
    at = scan.request.asking
    return None if at is None else PeerScan(scan.id, at.issuer, at.code, at.name, at.terminal)


def _shown(request: ScanRequest) -> tuple[Medium | None, Presence | None, ForWhom | None]:
    shown = request.elsewhere or request.presented
    return (None, None, None) if shown is None else (shown.medium, shown.presence, shown.for_whom)
