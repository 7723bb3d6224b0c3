"""Life events (人生事件): what each of them does to a person's card, in one table.

Birth, first job and a new company only open applications (申领), for all who are named or for
nobody. The others take the card from the state that it is in by the parts that stand there, in one
transaction; a state that has no entry is refused and nothing changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from card_core.states import CardState


class LifeEvent(StrEnum):
    BIRTH = "birth"
    FIRST_JOB = "first_job"
    FLEXIBLE_WORK = "flexible_work"
    COMPANY_OPENED = "company_opened"
    RETIREMENT = "retirement"
    LEFT_ARMY = "left_army"
    DEATH = "death"


class Part(StrEnum):
    """An act that an event is made of, by its word in the audit log."""

    ACTIVATE_CARD = "activate_card"
    WITHDRAW_TEMPORARY_LOSS = "withdraw_temporary_loss"
    UNLOCK_CARD = "unlock_card"
    UNSEAL_CARD = "unseal_card"
    CANCEL_CARD = "cancel_card"  # its e-card and the credentials of that follow
    REMOVE_DEVICE = "remove_device"  # each phone that is in use


@dataclass(frozen=True, slots=True)
class Applying:
    """An event that opens applications. people_max: how many may be named.

    age_min: in years, of everybody named. needs_guardian: each has one, who signs for them.
    """

    zh: str
    en: str
    people_max: int
    age_min: int = 0
    needs_guardian: bool = False


@dataclass(frozen=True, slots=True)
class Serving:
    """An event of somebody who has a card. parts: by the state that the card is in.

    is_dangerous: a second person approves it, as each of its parts would need.
    """

    zh: str
    en: str
    parts: Mapping[CardState, tuple[Part, ...]]
    is_dangerous: bool = False


# Under 16 nobody may be employed: Labour Law (劳动法), article 15.
WORKING_AGE = 16
ONE_PERSON = 1
SIBLINGS_MAX = 5
STAFF_MAX = 500

APPLYING: Mapping[LifeEvent, Applying] = MappingProxyType(
    {
        LifeEvent.BIRTH: Applying("出生", "Birth", SIBLINGS_MAX, needs_guardian=True),
        LifeEvent.FIRST_JOB: Applying("首次就业", "First job", ONE_PERSON, WORKING_AGE),
        LifeEvent.COMPANY_OPENED: Applying("开办企业", "Company opened", STAFF_MAX, WORKING_AGE),
    }
)

# The person is at the window with card and identity document: what waited for that is done.
_INTO_USE: Mapping[CardState, tuple[Part, ...]] = {
    CardState.NOT_ACTIVATED: (Part.ACTIVATE_CARD,),
    CardState.TEMPORARY_LOSS: (Part.WITHDRAW_TEMPORARY_LOSS,),
    CardState.LOCKED: (Part.UNLOCK_CARD,),
    CardState.NORMAL: (),
}

SERVING: Mapping[LifeEvent, Serving] = MappingProxyType(
    {
        LifeEvent.FLEXIBLE_WORK: Serving("灵活就业", "Flexible work", _INTO_USE),
        LifeEvent.RETIREMENT: Serving("退休", "Retirement", _INTO_USE),
        LifeEvent.LEFT_ARMY: Serving(
            "退役",
            "Leaving the army",
            {
                CardState.SEALED: (Part.UNSEAL_CARD,),
                CardState.NOT_ACTIVATED: (Part.ACTIVATE_CARD,),
                CardState.NORMAL: (),
            },
            is_dangerous=True,
        ),
        LifeEvent.DEATH: Serving(
            "身故",
            "Death",
            {
                state: (Part.CANCEL_CARD, Part.REMOVE_DEVICE)
                for state in CardState
                if state is not CardState.CANCELLED
            },
            is_dangerous=True,
        ),
    }
)
