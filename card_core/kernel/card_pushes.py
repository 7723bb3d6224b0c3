"""Which cards an act has changed, so that the fast store hears of it before anybody gets an answer.

What the fast store keeps of a card is a copy. A change of the card counts when no copy from before
is believed any more: whoever reports a loss and gets an answer is not scanned afterwards.
"""

from collections.abc import Collection
from typing import Any, Protocol

from card_core.errors import CardPushError, StoreError
from card_core.store import Reader, Store, Transaction, cards

# Of an e-card, which is made at version 1 and activated once, whatever its card's was by then: a
# card that was taken over may be in use from its own first version on. Before that there is no
# code, so nobody has a copy.
ACTIVATED_VERSION = 2


class CardPusher(Protocol):
    """See `card_core.fast_store.CardPusher`. Raises StoreError."""

    def push_card(self, ecard_id: int, version: int) -> None: ...


def changed_in(tx: Transaction) -> set[str]:
    """As `changed_by`, of this transaction."""
    return changed_by(tx, tx.changed)


def changed_by(tx: Reader, changes: Collection[tuple[str, str, int]]) -> set[str]:
    """The ids of the cards of which these changes (table, row id, version) made a row another one
    and there may be a copy: not those whose e-card they took to its first usable version."""
    version_by_ecard = {int(row_id): at for table, row_id, at in changes if table == "ecards"}
    changed = {row_id for table, row_id, _ in changes if table == "cards"}
    card_ids = cards.card_ids_of(tx, version_by_ecard)()
    new = {card for ecard, card in card_ids.items() if version_by_ecard[ecard] == ACTIVATED_VERSION}
    return (changed | set(card_ids.values())) - new


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
            pusher.push_card(ecard_id, version)
    except StoreError as error:
        raise CardPushError from error


def _versions(tx: Reader, card_ids: Collection[str]) -> dict[int, int]:
    pairs = cards.pairs_of(tx, card_ids)().by_card_id.values()
    return {
        ecard.id: card.version + ecard.version
        for card, ecard in pairs
        if ecard.version >= ACTIVATED_VERSION
    }
