"""How a command names a card, and finds it."""

from typing import Annotated

import typer

from card_core.errors import NotFoundError
from card_core.store import Reader, cards, holders
from card_core.store.cards import Card
from card_core.store.holders import Holder
from issuance.cli.desk import Desk

CardArgument = Annotated[
    str, typer.Argument(metavar="CARD", help="9 位卡号。\n\nThe card number, 9 characters.")
]


def find_card(tx: Reader, card_number: str) -> tuple[Card, Holder]:
    """The card and whose it is. Raises NotFoundError."""
    card = cards.find_by_card_number(tx, card_number.strip().upper())
    holder = holders.get(tx, card.holder_id) if card else None
    if card is None or holder is None:
        raise NotFoundError("card")
    return card, holder


def card_id_of(desk: Desk, card_number: str) -> str:
    """Raises NotFoundError."""
    with desk.site.store.read() as tx:
        return find_card(tx, card_number)[0].id
