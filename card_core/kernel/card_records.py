"""What is kept of a card in the fast store: as much as an identifying scan judges and shows.

A record is sealed under the field key and bound to its e-card, so that whoever has the fast store
can neither read nor make one, nor give it to another card. It says when it was loaded: an old one
put back is believed for RECORD_BELIEVED and no longer.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from card_core import business_types
from card_core.errors import TamperedRowError
from card_core.holder_views import HolderFacts, HolderViews
from card_core.kernel.content import canonical_bytes, to_json
from card_core.kernel.dates import SHANGHAI
from card_core.states import CardState, ECardState
from card_core.store import FieldCipher, Reader, cards, holders
from card_core.store.cards import Card, ECard

# The store keeps a record for 300 s from its loading, which may take 60 s.
RECORD_BELIEVED = timedelta(seconds=360)
# Of the clocks of two workers.
_SKEW = timedelta(seconds=10)

_LAYOUT = 1
_TABLE = "card_records"


@dataclass(frozen=True, slots=True, repr=False)
class CardRecord:
    """A card, its e-card, and of the holder what any identifying business type shows.

    loaded_at: aware, from before the rows were read.
    """

    card: Card
    ecard: ECard
    facts: HolderFacts
    loaded_at: datetime

    @property
    def version(self) -> int:
        """Grows with every change of one of the two."""
        return self.card.version + self.ecard.version

    def good_for_seconds(self, now: datetime) -> float:
        """For how long the card is not expired yet; it ends with a day in Shanghai."""
        ends_on = self.card.expires_on + timedelta(days=1)
        return (datetime.combine(ends_on, time(), SHANGHAI) - now).total_seconds()


def load(tx: Reader, ecard_id: int, views: HolderViews, now: datetime) -> CardRecord | None:
    """Read a card by its e-card; None for no such e-card. Raises TamperedRowError, StoreError."""
    ecard = cards.get_ecard(tx, ecard_id)
    if ecard is None:
        return None
    card = cards.get(tx, ecard.card_id)
    if card is None or card.holder_id != ecard.holder_id:
        raise TamperedRowError("cards", ecard.card_id)
    facts = holders.facts_of(tx, {card.holder_id: _needs(views)})[card.holder_id]
    return CardRecord(card, ecard, facts, now)


def seal(cipher: FieldCipher, record: CardRecord) -> bytes:
    content = {
        "layout": _LAYOUT,
        "loaded_at": record.loaded_at.timestamp(),
        "card": to_json(record.card),
        "ecard": to_json(record.ecard),
        "facts": to_json(record.facts),
    }
    return cipher.seal(_TABLE, "record", str(record.ecard.id), canonical_bytes(content))


def open_(cipher: FieldCipher, ecard_id: int, sealed: bytes, now: datetime) -> CardRecord:
    """Raises TamperedRowError for what was not sealed for this e-card, or long ago."""
    content = json.loads(cipher.open(_TABLE, "record", str(ecard_id), sealed))
    loaded_at = datetime.fromtimestamp(content["loaded_at"], UTC)
    is_recent = -_SKEW <= now - loaded_at <= RECORD_BELIEVED + _SKEW
    if content["layout"] != _LAYOUT or not is_recent:
        raise TamperedRowError(_TABLE, str(ecard_id))
    card, ecard = content["card"], content["ecard"]
    card["state"] = CardState(card["state"])
    card["issued_on"] = date.fromisoformat(card["issued_on"])
    card["expires_on"] = date.fromisoformat(card["expires_on"])
    ecard["state"] = ECardState(ecard["state"])
    *texts, birth_on = content["facts"]
    facts = HolderFacts._make([*texts, _date(birth_on)])
    return CardRecord(Card(**card), ECard(**ecard), facts, loaded_at)


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _needs(views: HolderViews) -> Collection[str]:
    shown = (views.needs(one.code) for one in business_types.ALL if not one.consumes)
    return frozenset().union(*shown)
