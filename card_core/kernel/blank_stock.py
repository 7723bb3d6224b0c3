"""Blank cards of a branch, moved as orders to its device go out and are answered."""

from card_core.application_errors import NoBlankCardsError
from card_core.states import MakingState
from card_core.store import Lock, Transaction, blank_cards, makings
from card_core.store.blank_cards import Blanks
from card_core.store.making_orders import Order, OrderChunk

MADE_AT_ONCE = frozenset({MakingState.AWAITING_DEVICE, MakingState.AT_DEVICE})


def move(tx: Transaction, before: Blanks, **by: int) -> Blanks:
    """Write down where blanks are now. Raises NoBlankCardsError where there are not so many."""
    try:
        after = before.moved(**by)
    except ValueError:
        raise NoBlankCardsError from None
    blank_cards.put(tx, after)
    return after


def put_back(tx: Transaction, order: Order, first: OrderChunk) -> None:
    """An order is withdrawn before a device had it: its blank, if it holds one, is on hand again.

    first: the order's first chunk; an order to a device has no other.
    """
    found = makings.at_positions(tx, order.batch_id, first.positions[:1])
    for making in found.values():
        if making.state in MADE_AT_ONCE:
            before = blank_cards.of(tx, making.branch, Lock.OWN)
            move(tx, before, in_device=-1, on_hand=1)


def use_up(tx: Transaction, branch: str, *, is_made: bool) -> None:
    """The device answered: the blank is a card now, or spoiled."""
    before = blank_cards.of(tx, branch, Lock.OWN)
    move(tx, before, in_device=-1, **{"used" if is_made else "spoiled": 1})
