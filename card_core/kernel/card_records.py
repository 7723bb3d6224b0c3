"""What is kept of a card in the fast store: as much as an identifying scan judges and shows.

A record is sealed under the field key and bound to its e-card, so that whoever has the fast store
can neither read nor make one, nor give it to another card. It says when it was loaded: an old one
put back is believed for RECORD_BELIEVED and no longer.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import orjson

from card_core import business_types
from card_core.errors import TamperedRowError
from card_core.holder_views import HolderFacts, HolderViews
from card_core.kernel.dates import SHANGHAI
from card_core.states import CardState, ECardState
from card_core.store import FieldCipher, Reader, cards, holders
from card_core.store.cards import Card, ECard

# The store keeps a record for 300 s from its loading, which may take 60 s.
RECORD_BELIEVED = timedelta(seconds=360)
# Of the clocks of two workers.
_SKEW = timedelta(seconds=10)

_LAYOUT = 2
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CARD_STATES = {state.value: state for state in CardState}
_ECARD_STATES = {state.value: state for state in ECardState}
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
    """The record as one list, its values in the order in which `open_` reads them."""
    card, ecard = record.card, record.ecard
    content = [
        _LAYOUT,
        (record.loaded_at - _EPOCH) // _MICROSECOND,
        [
            card.id,
            card.holder_id,
            card.card_number,
            card.state.value,
            card.batch_id,
            card.issuer,
            card.region,
            card.issued_on.isoformat(),
            card.expires_on.isoformat(),
            card.version,
        ],
        [ecard.id, ecard.sign_number, ecard.state.value, ecard.version],
        [*record.facts[:-1], _text(record.facts.birth_on)],
    ]
    return cipher.seal(_TABLE, "record", str(ecard.id), orjson.dumps(content))


def open_(cipher: FieldCipher, ecard_id: int, sealed: bytes, now: datetime) -> CardRecord:
    """Raises TamperedRowError for what was not sealed for this e-card, or long ago."""
    content = orjson.loads(cipher.open(_TABLE, "record", str(ecard_id), sealed))
    if content[0] != _LAYOUT:
        raise TamperedRowError(_TABLE, str(ecard_id))
    _, loaded_at_us, card, ecard, facts = content
    loaded_at = _EPOCH + timedelta(microseconds=loaded_at_us)
    if not -_SKEW <= now - loaded_at <= RECORD_BELIEVED + _SKEW:
        raise TamperedRowError(_TABLE, str(ecard_id))
    (card_id, holder_id, number, state, batch_id, issuer, region, issued, expires, version) = card
    return CardRecord(
        Card(
            card_id,
            holder_id,
            number,
            _CARD_STATES[state],
            batch_id,
            issuer,
            region,
            date.fromisoformat(issued),
            date.fromisoformat(expires),
            version,
        ),
        ECard(ecard[0], card_id, holder_id, ecard[1], _ECARD_STATES[ecard[2]], ecard[3]),
        HolderFacts._make([*facts[:-1], _date(facts[-1])]),
        loaded_at,
    )


def _text(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _needs(views: HolderViews) -> Collection[str]:
    shown = (views.needs(one.code) for one in business_types.ALL if not one.consumes)
    return frozenset().union(*shown)
