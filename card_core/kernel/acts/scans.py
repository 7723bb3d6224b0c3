"""The act of recording a scan: steps 7 and 8 of the check order, and the evidence.

Steps 1 to 6 need no store and are done before (`card_core.codes.check`); their result comes in as
`checked` or as `refusal`. Here, in one transaction: the box is opened with the key of its day, the
e-card and the card are read and locked against change (7), the nonce is spent (8), and the scan is
recorded whatever its outcome. A scan that is refused before step 8 spends nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from card_core import business_types, codes
from card_core.business_types import BusinessType, HolderView
from card_core.codes import CheckedCode
from card_core.errors import InvalidActError, NotAllowedError
from card_core.identity import mask_name, mask_number
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.box_keys import box_day
from card_core.kernel.content import to_json
from card_core.kernel.dates import SHANGHAI
from card_core.states import CardState, ECardState
from card_core.store import Lock, box_keys, cards, holders, scans
from card_core.store.cards import Card, ECard
from card_core.store.scans import Scan
from card_core.verdicts import Reason

CODE_DIGEST_SIZE_BYTES = 32
CODE_USABLE = {
    kind: timedelta(seconds=codes.CODE_LIFE_SECONDS + skew_seconds + 1)
    for kind, skew_seconds in (
        (codes.CodeKind.ONLINE, codes.ONLINE_SKEW_SECONDS),
        (codes.CodeKind.OFFLINE, codes.OFFLINE_SKEW_SECONDS),
    )
}

_BUSINESS_TYPES = frozenset(one.code for one in business_types.ALL)
_REASON_BY_CARD_STATE = {
    CardState.NOT_ACTIVATED: Reason.CARD_NOT_ACTIVE,
    CardState.SEALED: Reason.CARD_NOT_ACTIVE,
    CardState.FORMAL_LOSS: Reason.CARD_LOST,
    CardState.LOCKED: Reason.CARD_LOCKED,
    CardState.TEMPORARY_LOSS: Reason.CARD_LOST,
    CardState.CANCELLED: Reason.CARD_CANCELLED,
}
_REASON_BY_ECARD_STATE = {
    ECardState.NOT_ACTIVATED: Reason.CARD_NOT_ACTIVE,
    ECardState.SUSPENDED: Reason.CARD_LOCKED,
    ECardState.CANCELLED: Reason.CARD_CANCELLED,
}


def reason_of_card(card: Card, ecard: ECard, now: datetime) -> Reason | None:
    """Step 7: why an e-card may not be used now, None where it may.

    The card decides first: an e-card is usable only while its card is in normal use, up to the
    last day of the card's validity in Shanghai.
    """
    if card.state is not CardState.NORMAL:
        return _REASON_BY_CARD_STATE[card.state]
    if ecard.state is not ECardState.ACTIVE:
        return _REASON_BY_ECARD_STATE[ecard.state]
    if now.astimezone(SHANGHAI).date() > card.expires_on:
        return Reason.CARD_EXPIRED
    return None


@dataclass(frozen=True, slots=True, repr=False)
class RecordScan(Act):
    """One scan by the acting terminal; exactly one of `checked` and `refusal` is given.

    code_digest: SM3 of the code's text as it was sent. A retry is known by what the terminal sent,
    never by what the check said: meanwhile the code may have expired.
    operator, department: the institution's own words for who scans where, empty if none.
    Answer: scan_id, outcome, reason, card_state (None for an unknown card), scanned_at, and
    `holder`: view with name and social_security_number, both None for a yes_no view; None
    where the scan is refused.
    """

    act: ClassVar[str] = "record_scan"
    chain: ClassVar[str] = "scan"

    terminal_id: str
    institution_id: str
    business_type: str
    code_digest: bytes
    checked: CheckedCode | None = None
    refusal: Reason | None = None
    amount_fen: int | None = None
    operator: str = ""
    department: str = ""

    def __post_init__(self) -> None:
        limits.check_one_of("business_type", self.business_type, _BUSINESS_TYPES)
        limits.check_size("code_digest", self.code_digest, CODE_DIGEST_SIZE_BYTES)
        if (self.checked is None) == (self.refusal is None) or self.refusal is Reason.ACCEPTED:
            raise InvalidActError("checked", "与 refusal 二选一", "give either this or refusal")
        if self.amount_fen is not None:
            limits.check_range("amount_fen", self.amount_fen, 0, codes.AMOUNT_FEN_MAX)
        for field, value in (("operator", self.operator), ("department", self.department)):
            if value:
                limits.check_text(field, value, characters_max=limits.REMARK_MAX)

    def request(self) -> Any:
        return to_json(
            {
                "terminal_id": self.terminal_id,
                "business_type": self.business_type,
                "code_digest": self.code_digest,
                "amount_fen": self.amount_fen,
                "operator": self.operator,
                "department": self.department,
            }
        )

    def apply(self, scene: Scene) -> Done:
        business_type = self._authorise(scene)
        scan_id = scene.new_id()
        card, reason = None, self.refusal
        if self.checked is not None:
            card, reason = _judge(scene, self.checked, scan_id)
        if reason is None:
            raise NotAllowedError
        scans.add(scene.tx, self._record(scan_id, card, reason, scene.now))
        answer = {
            "scan_id": scan_id,
            "outcome": "accepted" if reason is Reason.ACCEPTED else "refused",
            "reason": reason.value,
            "card_state": None if card is None else card.state.value,
            "holder": _view(scene, card, business_type) if reason is Reason.ACCEPTED else None,
            "scanned_at": scene.now.isoformat(),
        }
        detail = {
            "scan_id": scan_id,
            "terminal_id": self.terminal_id,
            "institution_id": self.institution_id,
            "business_type": self.business_type,
            "reason": reason.value,
        }
        subject = f"terminal/{self.terminal_id}" if card is None else f"card/{card.id}"
        return Done(answer, subject, detail)

    def _authorise(self, scene: Scene) -> BusinessType:
        """The terminal scans for itself, at its institution, for what that kind of place may."""
        business_type = business_types.get(self.business_type)
        terminal, institution = scene.standing.terminal, scene.standing.institution
        if (
            terminal is None
            or institution is None
            or terminal.id != self.terminal_id
            or institution.id != self.institution_id
            or not business_type.is_offered_at(institution.kind)
        ):
            raise NotAllowedError
        return business_type

    def _record(self, scan_id: str, card: Card | None, reason: Reason, now: datetime) -> Scan:
        return Scan(
            id=scan_id,
            scanned_at=now,
            terminal_id=self.terminal_id,
            institution_id=self.institution_id,
            holder_id=None if card is None else card.holder_id,
            card_id=None if card is None else card.id,
            business_type=self.business_type,
            reason=reason,
            minted_at=None if self.checked is None else self.checked.minted_at,
            amount_fen=self.amount_fen,
            operator=self.operator,
            department=self.department,
        )


def _judge(scene: Scene, checked: CheckedCode, scan_id: str) -> tuple[Card | None, Reason]:
    if scene.now >= checked.minted_at + CODE_USABLE[checked.kind]:
        return None, Reason.EXPIRED  # it was in time when it was read, and waited for its turn
    found = _find_card(scene, checked)
    if found is None:
        return None, Reason.UNKNOWN_CARD
    # 7 holder and card state
    card, ecard, nonce = found
    reason = reason_of_card(card, ecard, scene.now)
    if reason is not None:
        return card, reason
    # 8 spend the nonce
    fresh = scans.spend(scene.tx, card.holder_id, checked.minted_at, nonce, scan_id)
    return card, Reason.ACCEPTED if fresh else Reason.ALREADY_USED


def _find_card(scene: Scene, checked: CheckedCode) -> tuple[Card, ECard, bytes] | None:
    """The card and e-card that the code's box names, and its nonce.

    None for a code without a box: no device is registered with a holder. None, too, where the
    box names no e-card of the issuer that signed: a stranger's box is no door to our cards.
    """
    if scene.box_key_wrap is None:
        raise NotAllowedError
    if checked.box is None:
        return None
    day = box_day(checked.minted_at)
    wrapped = box_keys.get(scene.tx, day)
    if wrapped is None:
        return None
    ecard_id, nonce = codes.open_box(scene.box_key_wrap.unwrap(day, wrapped), checked.box)
    named = cards.get_ecard(scene.tx, ecard_id)
    if named is None:
        return None
    # Under this lock a loss that is being reported is either seen here or waits for this scan. The
    # e-card, which changes under its card's lock only, is read again behind it.
    card = cards.get(scene.tx, named.card_id, Lock.OWN)
    if card is None or card.issuer != checked.issuer:
        return None
    return card, cards.ecard_of(scene.tx, card.id), nonce


def _view(scene: Scene, card: Card | None, business_type: BusinessType) -> dict[str, Any] | None:
    if card is None:
        return None
    view = business_type.view
    if view is HolderView.YES_NO:
        return {"view": view.value, "name": None, "social_security_number": None}
    person = holders.identity_of(scene.tx, card.holder_id)
    if view is HolderView.MASKED:
        name, number = mask_name(person.name), mask_number(person.social_security_number)
    else:
        name, number = person.name, person.social_security_number
    return {"view": view.value, "name": name, "social_security_number": number}
