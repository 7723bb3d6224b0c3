"""Acts on family members (亲情服务): one holder's e-card, shown by another holder.

    OfferECard          a holder consents: a code to be told to the relative, good once, for a day
    TakeECard           the relative takes it with that code
    ShowWard            a guardian shows the e-card of their ward
    EndFamilyMember     either side ends it, or the bureau

Nobody's number is asked for and nobody is looked up: without the consent code there is nothing to
try. An adult's e-card is never shown without their own consent act.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from card_core import states
from card_core.application_errors import FamilyError
from card_core.data_uses import DataUse
from card_core.errors import AlreadyExistsError, InvalidActError, NotFoundError
from card_core.kernel import enrolment_codes, family_bindings, limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.actors import ActorKind
from card_core.kernel.acts.filings import today_of
from card_core.kernel.judging import reason_of_card
from card_core.states import BindingState, Step
from card_core.store import (
    FieldCipher,
    Lock,
    card_policies,
    cards,
    consents,
    family_members,
    guardianships,
    issuers,
)
from card_core.store.consents import ConsentState
from card_core.store.family_members import FamilyMember, Relation

OFFER_LASTS = timedelta(days=1)
OFFERS_MAX = 3


def offer_digest(cipher: FieldCipher, typed: str) -> bytes:
    """What the database keeps of a consent code, 32 bytes. Raises InvalidActError."""
    code = enrolment_codes.parse(typed)
    return cipher.keyed_digest([b"family offer", code.text.encode()])


@dataclass(frozen=True, slots=True)
class OfferECard(Act):
    """授权亲属出示. Answer: family_member_id, consent_code, expires_at (ISO 8601, UTC).

    Raises FamilyError for somebody under 16, whose guardian decides, for an e-card that may not be
    used, and where too many offers wait.
    """

    act: ClassVar[str] = "offer_ecard"

    def apply(self, scene: Scene) -> Done:
        tx, holder_id = scene.tx, scene.actor.id
        family_members.lock_shower(tx, holder_id)
        _check_of_age(scene)
        _check_usable(scene, holder_id)
        if family_members.count_offers(tx, holder_id, scene.now) >= OFFERS_MAX:
            raise FamilyError(
                "too_many_offers",
                f"待领取的授权最多 {OFFERS_MAX} 个，请先解除其中之一",
                f"At most {OFFERS_MAX} offers may wait; end one of them first",
            )
        code = enrolment_codes.make(scene.random_bytes)
        offer = FamilyMember(
            id=scene.new_id(),
            holder_id=holder_id,
            shower_id=None,
            relation=Relation.OTHER,
            state=BindingState.OFFERED,
            guardianship_id=None,
            offered_at=scene.now,
            expires_at=scene.now + OFFER_LASTS,
        )
        family_members.add(tx, offer, offer_digest(tx.cipher, code.text))
        consents.put(tx, holder_id, DataUse.FAMILY_SHOWING, ConsentState.GIVEN, scene.now)
        expires_at = (scene.now + OFFER_LASTS).isoformat()
        shown = {"family_member_id": offer.id, "expires_at": expires_at}
        return Done({**shown, "consent_code": str(code)}, f"holder/{holder_id}", shown)


@dataclass(frozen=True, slots=True)
class TakeECard(Act):
    """领取授权. code_digest: of `offer_digest`. relation: what the other is to this holder.

    Answer: family_member_id, state. Raises NotFoundError for a code that no offer waits for, the
    same for one that is spent, over or ended; FamilyError where the policy's number is reached.
    """

    act: ClassVar[str] = "take_ecard"

    code_digest: bytes
    relation: Relation

    def __post_init__(self) -> None:
        limits.check_size("code_digest", self.code_digest, 32)

    def apply(self, scene: Scene) -> Done:
        tx, shower_id = scene.tx, scene.actor.id
        family_members.lock_shower(tx, shower_id)
        offer = family_members.find_offer(tx, self.code_digest)
        if (
            offer is None
            or offer.state is not BindingState.OFFERED
            or offer.expires_at is None
            or scene.now >= offer.expires_at
        ):
            raise NotFoundError("offer")
        if offer.holder_id == shower_id:
            raise InvalidActError("consent_code", "不能领取自己的授权", "is one's own")
        _check_of_age(scene)
        if family_members.active_between(tx, offer.holder_id, shower_id):
            raise AlreadyExistsError("family member")
        _check_limit(scene)
        state = states.after(states.BINDING, "family member", offer.state, Step.ACCEPT)
        family_members.take(tx, offer.id, shower_id, self.relation)
        answer = {"family_member_id": offer.id, "state": state.value}
        detail = {**answer, "shower_id": shower_id, "relation": self.relation.value}
        return Done(answer, f"holder/{offer.holder_id}", detail)


@dataclass(frozen=True, slots=True)
class ShowWard(Act):
    """监护人出示被监护人的电子社保卡. Answer: family_member_id, state."""

    act: ClassVar[str] = "show_ward"

    guardianship_id: str

    def __post_init__(self) -> None:
        limits.check_id("guardianship_id", self.guardianship_id)

    def apply(self, scene: Scene) -> Done:
        tx, shower_id = scene.tx, scene.actor.id
        family_members.lock_shower(tx, shower_id)
        found = guardianships.get(tx, self.guardianship_id, Lock.SHARED)
        if (
            found is None
            or found.guardian_id != shower_id
            or not found.is_in_force(today_of(scene))
        ):
            raise NotFoundError("guardianship")
        if family_members.active_between(tx, found.ward_id, shower_id):
            raise AlreadyExistsError("family member")
        _check_limit(scene)
        member = FamilyMember(
            id=scene.new_id(),
            holder_id=found.ward_id,
            shower_id=shower_id,
            relation=Relation.CHILD,
            state=BindingState.ACTIVE,
            guardianship_id=found.id,
            offered_at=scene.now,
        )
        family_members.add(tx, member)
        answer = {"family_member_id": member.id, "state": member.state.value}
        detail = {**answer, "shower_id": shower_id, "guardianship_id": found.id}
        return Done(answer, f"holder/{found.ward_id}", detail)


@dataclass(frozen=True, slots=True)
class EndFamilyMember(Act):
    """解除亲情服务, by either of the two, or at a window; an offer is taken back so, too.

    No code is made from then on; one that is shown already lives out its minute.
    Answer: family_member_id, state.
    """

    act: ClassVar[str] = "end_family_member"

    family_member_id: str

    def __post_init__(self) -> None:
        limits.check_id("family_member_id", self.family_member_id)

    def apply(self, scene: Scene) -> Done:
        member = family_members.get(scene.tx, self.family_member_id, Lock.OWN)
        if member is None:
            raise NotFoundError("family member")
        sides = {member.holder_id, member.shower_id}
        if scene.actor.kind is ActorKind.HOLDER and scene.actor.id not in sides:
            raise NotFoundError("family member")
        state = states.after(states.BINDING, "family member", member.state, Step.END)
        family_members.end(scene.tx, member.id, scene.now)
        answer = {"family_member_id": member.id, "state": state.value}
        return Done(answer, f"holder/{member.holder_id}", answer)


def _check_of_age(scene: Scene) -> None:
    holder = family_bindings.holder_of(scene.tx, scene.actor.id)
    if family_bindings.is_guarded(holder, today_of(scene)):
        raise FamilyError(
            "under_age",
            "未满 16 周岁，由监护人在窗口登记后办理",
            "Under 16 a guardian decides, who is bound at a window",
        )


def _check_usable(scene: Scene, holder_id: str) -> None:
    card = cards.live_card_of(scene.tx, holder_id)
    ecard = None if card is None else cards.ecard_of(scene.tx, card.id)
    if card is None or ecard is None or reason_of_card(card, ecard, scene.now) is not None:
        raise FamilyError(
            "ecard_unusable",
            "电子社保卡当前不可用，不能授权他人出示",
            "The e-card can't be used now, and can't be offered",
        )


def _check_limit(scene: Scene) -> None:
    """Raises FamilyError where this holder shows as many as the issuer's policy allows."""
    today = today_of(scene)
    shown = family_members.shown_by(scene.tx, scene.actor.id)
    count = sum(family_bindings.is_in_force(scene.tx, one, today) for one in shown)
    most = card_policies.of(scene.tx, issuers.required(scene.tx).number).family_max
    if count >= most:
        raise FamilyError(
            "too_many_members",
            f"最多出示 {most} 位亲属的电子社保卡，请先解除其中之一",
            f"At most {most} family members' e-cards may be shown; end one of them first",
        )
