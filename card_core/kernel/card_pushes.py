"""Which cards an act has changed, so that the fast store hears of it before anybody gets an answer.

What the fast store keeps of a card is a copy. A change of the card counts when no copy from before
is believed any more: whoever reports a loss and gets an answer is not scanned afterwards.
"""

from collections.abc import Collection
from typing import Any, Protocol

from card_core.errors import CardPushError, StoreError
from card_core.store import Reader, Store, Transaction, cards

# Card and e-card are made at version 1 each; a card that was taken over may be in use from then on,
# and an e-card is activated once. Before that there is no code, so nobody has a copy of what is not
# older than this.
FIRST_USABLE_VERSION = 3


class CardPusher(Protocol):
    """See `card_core.fast_store.CardPusher`. Raises StoreError."""

    def push_card(self, ecard_id: int, version: int) -> None: ...


def changed_in(tx: Transaction) -> set[str]:
    """The ids of the cards of which this transaction changed a row."""
    ecard_ids = [int(row_id) for table, row_id, _ in tx.changed if table == "ecards"]
    changed = {row_id for table, row_id, _ in tx.changed if table == "cards"}
    return changed | set(cards.card_ids_of(tx, ecard_ids)().values())


def named_in(content: Any) -> set[str]:
    """The card that an act's request or answer is about, if any."""
    card_id = content.get("card_id") if isinstance(content, dict) else None
    return {card_id} if isinstance(card_id, str) else set()


def push(store: Store, pusher: CardPusher, card_ids: Collection[str]) -> None:
    """Return when no copy from before these cards' last change is believed. After the commit.

    Raises CardPushError: the change is committed, and the same request is to be made again.
    """
    if not card_ids:
        return
    try:
        with store.read() as tx:
            versions = _versions(tx, card_ids)
        for ecard_id, version in versions.items():
            if version > FIRST_USABLE_VERSION:
                pusher.push_card(ecard_id, version)
    except StoreError as error:
        raise CardPushError from error


def _versions(tx: Reader, card_ids: Collection[str]) -> dict[int, int]:
    pairs = cards.pairs_of(tx, card_ids)().by_card_id.values()
    return {ecard.id: card.version + ecard.version for card, ecard in pairs}
