"""What is kept of a card in the fast store: what an identifying scan judges and shows, made ready.

Whether the card may be used, and what each business type shows of its holder, are worked out when
its rows are read, once for the many scans that follow: a scan picks its part and puts it into its
answer. Both change with the day in Shanghai, so a record is good to the end of its day.

A record is sealed under the field key and bound to its e-card, so that whoever has the fast store
can neither read nor make one, nor give it to another card. It says when it was loaded: an old one
put back is believed for RECORD_BELIEVED and no longer. It also names the table of views that it was
made under: under another one it shows nothing.
"""

import struct
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from card_core.errors import TamperedRowError
from card_core.holder_views import HolderViews
from card_core.kernel.content import canonical_bytes
from card_core.kernel.dates import SHANGHAI
from card_core.kernel.judging import reason_of_card
from card_core.kernel.scan_answers import known_of
from card_core.states import CardState
from card_core.store import FieldCipher, Reader, cards, holders
from card_core.verdicts import Reason

# The store keeps a record for 300 s from its loading, which may take 60 s.
RECORD_BELIEVED = timedelta(seconds=360)
# Of the clocks of two workers.
_SKEW = timedelta(seconds=10)

_LAYOUT = 3
# Layout, name of the views, loaded at (us), end of its day (s), version, issuer, card id, holder
# id, numbers of its state and of the reason against it.
_HEAD = struct.Struct(">B8sqqQH16s16sBB")
_BETWEEN = b"\n"  # never in JSON text
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATES = tuple(CardState)
_REASONS = tuple(Reason)
_TABLE = "card_records"


class CardRecord(NamedTuple):
    """A card and its e-card, judged, with what is shown of the holder.

    version: grows with every change of one of the two. against: why the card may not be used on
    that day; None where it may. shown: JSON, by `HolderViews.place`. loaded_at: aware, from before
    the rows were read. day_ends_at: Unix seconds.
    """

    card_id: str
    holder_id: str
    state: CardState
    issuer: int
    version: int
    against: Reason | None
    shown: tuple[bytes, ...]
    loaded_at: datetime
    day_ends_at: int

    def __repr__(self) -> str:
        return f"CardRecord(card_id={self.card_id!r})"

    def good_for_seconds(self, now: datetime) -> float:
        return self.day_ends_at - now.timestamp()


def load(tx: Reader, ecard_id: int, views: HolderViews, now: datetime) -> CardRecord | None:
    """Read a card by its e-card; None for no such e-card. Raises TamperedRowError, StoreError."""
    ecard = cards.get_ecard(tx, ecard_id)
    if ecard is None:
        return None
    card = cards.get(tx, ecard.card_id)
    if card is None or card.holder_id != ecard.holder_id:
        raise TamperedRowError("cards", ecard.card_id)
    facts = holders.facts_of(tx, {card.holder_id: views.identifying_needs}).get(card.holder_id)
    if facts is None:
        raise TamperedRowError("holders", card.holder_id)
    known = known_of(facts, card, ecard)
    today = now.astimezone(SHANGHAI).date()
    day_ends_at = datetime.combine(today + timedelta(days=1), time(), SHANGHAI)
    return CardRecord(
        card.id,
        card.holder_id,
        card.state,
        card.issuer,
        card.version + ecard.version,
        reason_of_card(card, ecard, now),
        tuple(canonical_bytes(views.render(one, known, today)) for one in views.identifying),
        now,
        int(day_ends_at.timestamp()),
    )


def seal(cipher: FieldCipher, ecard_id: int, record: CardRecord, views: HolderViews) -> bytes:
    head = _HEAD.pack(
        _LAYOUT,
        views.name,
        (record.loaded_at - _EPOCH) // _MICROSECOND,
        record.day_ends_at,
        record.version,
        record.issuer,
        bytes.fromhex(record.card_id),
        bytes.fromhex(record.holder_id),
        _STATES.index(record.state),
        0 if record.against is None else _REASONS.index(record.against),
    )
    return cipher.seal(_TABLE, "record", str(ecard_id), head + _BETWEEN.join(record.shown))


def open_(
    cipher: FieldCipher, ecard_id: int, sealed: bytes, views: HolderViews, now: datetime
) -> CardRecord | None:
    """None for a record that was good and is not any more: another day's, or other views'.

    Raises TamperedRowError for what was not sealed for this e-card, or long ago.
    """
    content = cipher.open(_TABLE, "record", str(ecard_id), sealed)
    if content[:1] != bytes((_LAYOUT,)):
        raise TamperedRowError(_TABLE, str(ecard_id))
    _, name, loaded_at_us, day_ends_at, version, issuer, card_id, holder_id, state, against = (
        _HEAD.unpack_from(content)
    )
    loaded_at = _EPOCH + timedelta(microseconds=loaded_at_us)
    if not -_SKEW <= now - loaded_at <= RECORD_BELIEVED + _SKEW:
        raise TamperedRowError(_TABLE, str(ecard_id))
    if name != views.name or now.timestamp() >= day_ends_at:
        return None
    return CardRecord(
        card_id.hex(),
        holder_id.hex(),
        _STATES[state],
        issuer,
        version,
        _REASONS[against] if against else None,
        tuple(content[_HEAD.size :].split(_BETWEEN)),
        loaded_at,
        day_ends_at,
    )
