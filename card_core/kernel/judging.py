"""Step 7: whether a card and its e-card may be used now."""

from datetime import datetime

from card_core.kernel.dates import SHANGHAI
from card_core.presented import Presented
from card_core.states import CardState, ECardState
from card_core.store.cards import Card, ECard
from card_core.verdicts import Reason

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
    """Why an e-card may not be used now, None where it may.

    The card decides first: an e-card is usable only while its card is in normal use, up to the
    last day of the card's validity in Shanghai.
    """
    reason = reason_of_chip_card(card, now)
    if reason is not None or ecard.state is ECardState.ACTIVE:
        return reason
    return _REASON_BY_ECARD_STATE[ecard.state]


def reason_of_chip_card(card: Card, now: datetime) -> Reason | None:
    """Why a card may not be used now, whatever its e-card's state is; None where it may."""
    if card.state is not CardState.NORMAL:
        return _REASON_BY_CARD_STATE[card.state]
    if now.astimezone(SHANGHAI).date() > card.expires_on:
        return Reason.CARD_EXPIRED
    return None


def reason_of_presented(
    presented: Presented, card: Card, ecard: ECard, now: datetime
) -> Reason | None:
    """What was shown names its card by the e-card, whose state then counts, or by itself."""
    if presented.ecard_id is None:
        return reason_of_chip_card(card, now)
    return reason_of_card(card, ecard, now)
