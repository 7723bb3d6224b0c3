"""A holder lets a relative show the own e-card, takes a relative's, shows it, ends it."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

from card_core.codes import PurposeClass, picture
from card_core.identity import mask_name
from card_core.kernel import Act, Actor, family_bindings
from card_core.kernel.acts.families import (
    EndFamilyMember,
    OfferECard,
    ShowWard,
    TakeECard,
    offer_digest,
)
from card_core.kernel.dates import SHANGHAI
from card_core.states import BindingState, CardState
from card_core.store import Reader, cards, family_members, guardianships, holders
from card_core.store.family_members import FamilyMember, Relation
from card_core.store.guardianships import Guardianship
from scan_api.holders.family_models import (
    Family,
    FamilyMintRequest,
    GuardianView,
    MadeOffer,
    MemberChange,
    MemberView,
    NewMember,
    OfferView,
    WardShown,
    WardView,
)
from scan_api.holders.idempotency import HeldKey, perform_once
from scan_api.holders.models import ShownCode
from scan_api.services import Services

# Of a guardianship that was over by itself, on the ward's 16th birthday.
TOLD_AFTER: Final = timedelta(days=365)


def list_family(services: Services, holder: Actor) -> Family:
    """Names masked; of the others nothing more is shown."""
    now = services.clock()
    today = now.astimezone(SHANGHAI).date()
    with services.store.read() as tx:
        shown = family_members.shown_by(tx, holder.id)
        showing = family_members.showing(tx, holder.id)
        offers = [
            OfferView(family_member_id=one.id, expires_at=one.expires_at)
            for one in family_members.of_holder(tx, holder.id)
            if one.state is BindingState.OFFERED
            and one.expires_at is not None
            and now < one.expires_at
        ]
        # One that ended otherwise than on the birthday is not told of.
        bound = [
            one
            for one in guardianships.of_holder(tx, holder.id)
            if one.state is BindingState.ACTIVE and today < one.ends_on + TOLD_AFTER
        ]
        guardians = [
            GuardianView(
                name=_name(tx, one.guardian_id), ends_on=one.ends_on, is_over=one.ends_on <= today
            )
            for one in bound
            if one.ward_id == holder.id
        ]
        in_force = {
            one.id for one in (*shown, *showing) if family_bindings.is_in_force(tx, one, today)
        }
        shown_ids = {one.holder_id for one in shown if one.id in in_force}
        wards = [_ward(tx, one, today, shown_ids) for one in bound if one.guardian_id == holder.id]
        return Family(
            members=[_view(tx, one, one.holder_id) for one in shown if one.id in in_force],
            shown_by=[_view(tx, one, one.shower_id or "") for one in showing if one.id in in_force],
            offers=offers,
            wards=[one for one in wards if today < one.ends_on],
            grown=[one for one in wards if one.ends_on <= today],
            guardians=guardians,
        )


def offer(services: Services, holder: Actor, held: HeldKey) -> MadeOffer:
    """Raises: FamilyError, KernelError."""
    answer = perform_once(services.kernel, held, OfferECard, holder=holder)
    return MadeOffer(**answer)


def take(services: Services, holder: Actor, held: HeldKey, request: NewMember) -> MemberChange:
    """Raises: FamilyError, KernelError."""

    def prepare() -> Act:
        if isinstance(request, WardShown):
            return ShowWard(request.guardianship_id)
        digest = offer_digest(services.store.cipher, request.consent_code)
        return TakeECard(digest, Relation(request.relation))

    return MemberChange(**perform_once(services.kernel, held, prepare, holder=holder))


def end(services: Services, holder: Actor, held: HeldKey, family_member_id: str) -> None:
    """Raises: KernelError."""
    perform_once(services.kernel, held, lambda: EndFamilyMember(family_member_id), holder=holder)


def show(
    services: Services, holder: Actor, family_member_id: str, request: FamilyMintRequest
) -> ShownCode:
    """Raises: CardUnusableError, FamilyError, NotFoundError."""
    minted = services.minter.mint_for_family(
        holder.id,
        family_member_id,
        purpose_class=PurposeClass[request.purpose_class.upper()],
    )
    return ShownCode(
        text=minted.text,
        picture_svg=picture.to_svg(minted.text),
        minted_at=minted.minted_at,
        expires_at=minted.expires_at,
        server_time=services.clock(),
    )


def _view(tx: Reader, member: FamilyMember, other_id: str) -> MemberView:
    return MemberView(
        family_member_id=member.id, name=_name(tx, other_id), relation=member.relation
    )


def _ward(tx: Reader, bound: Guardianship, today: date, shown_ids: Collection[str]) -> WardView:
    state = None
    if today < bound.ends_on:
        card = cards.live_card_of(tx, bound.ward_id)
        state = CardState.CANCELLED if card is None else card.state
    return WardView(
        guardianship_id=bound.id,
        name=_name(tx, bound.ward_id),
        ends_on=bound.ends_on,
        card_state=state,
        is_member=bound.ward_id in shown_ids,
    )


def _name(tx: Reader, holder_id: str) -> str:
    return mask_name(holders.identity_of(tx, holder_id).name)
