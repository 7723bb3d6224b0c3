"""Who may show whose e-card now: consents and guardianships, judged on the day.

A guardianship is over on the ward's 16th birthday by itself, and with it what rests on it; from
then on the e-card is shown by somebody else only with the holder's own consent.
"""

from datetime import date, datetime

from card_core.application_errors import FamilyError
from card_core.errors import NotFoundError
from card_core.identity import is_at_least
from card_core.identity.age import GUARDED_UNDER_YEARS
from card_core.states import BindingState
from card_core.store import Reader, Transaction, family_members, guardianships, holders
from card_core.store.family_members import FamilyMember
from card_core.store.holders import Holder


def holder_of(tx: Reader, holder_id: str) -> Holder:
    """Raises NotFoundError."""
    holder = holders.get(tx, holder_id)
    if holder is None:
        raise NotFoundError("holder")
    return holder


def is_guarded(holder: Holder, today: date) -> bool:
    """Whether a guardian acts for them. today: in Asia/Shanghai."""
    return not is_at_least(GUARDED_UNDER_YEARS, birth_on=holder.birth_on, today=today)


def is_in_force(tx: Reader, member: FamilyMember, today: date) -> bool:
    """Whether the e-card may be shown by the other holder today."""
    if member.state is not BindingState.ACTIVE or member.shower_id is None:
        return False
    if member.guardianship_id is None:
        return True
    rests_on = guardianships.get(tx, member.guardianship_id)
    return (
        rests_on is not None
        and rests_on.ward_id == member.holder_id
        and rests_on.guardian_id == member.shower_id
        and rests_on.is_in_force(today)
    )


def shown_holder_id(tx: Reader, member_id: str, shower_id: str, today: date) -> str:
    """Whose e-card it is that this holder may show. Raises NotFoundError, FamilyError.

    Somebody else's member is as good as none.
    """
    member = family_members.get(tx, member_id)
    if member is None or member.shower_id != shower_id:
        raise NotFoundError("family member")
    if not is_in_force(tx, member, today):
        raise FamilyError(
            "family_ended",
            "不能再出示该亲属的电子社保卡：授权已解除，或监护已到期，请重新办理授权",
            "This e-card may not be shown any more: the consent was ended, or the guardianship is "
            "over; ask for a new consent",
        )
    return member.holder_id


def end_guardianships_of(tx: Transaction, ward_id: str, now: datetime) -> None:
    """The ward's birth date is another: who is the guardian, and until when, is to be seen anew."""
    for one in guardianships.of_holder(tx, ward_id):
        if one.ward_id == ward_id and one.state is BindingState.ACTIVE:
            end_guardianship(tx, one.id, now)


def end_guardianship(tx: Transaction, guardianship_id: str, now: datetime) -> None:
    """With whatever rests on it."""
    guardianships.end(tx, guardianship_id, now)
    for member in family_members.resting_on(tx, guardianship_id):
        family_members.end(tx, member.id, now)


def end_all(tx: Transaction, holder_id: str, now: datetime) -> None:
    """Nobody shows this holder's e-card any more, nor they anybody's; their guardianships end."""
    for one in guardianships.of_holder(tx, holder_id):
        if one.state is BindingState.ACTIVE:
            end_guardianship(tx, one.id, now)
    for member in family_members.of_holder(tx, holder_id):
        if member.state is not BindingState.ENDED:
            family_members.end(tx, member.id, now)
