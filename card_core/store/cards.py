"""Cards (实体卡) and e-cards (电子社保卡): one of each is made together, and they stay together."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from card_core.errors import TamperedRowError
from card_core.states import CardState, ECardState
from card_core.store import bulk, devices, guarded
from card_core.store.bulk import Pending
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import cards, ecards

ECARD_ID_MAX = (1 << 63) - 1


class Card(NamedTuple):
    """card_number: two letters and seven digits. issued_on, expires_on: dates in Shanghai.

    loss_lapses_at: when a temporary loss ends by itself; None in any other state.
    """

    id: str
    holder_id: str
    card_number: str
    state: CardState
    batch_id: str
    issuer: int
    region: str
    issued_on: date
    expires_on: date
    version: int
    loss_lapses_at: datetime | None = None


class ECard(NamedTuple):
    """id: a random 63-bit integer, in a code's box. sign_number: None until it is activated."""

    id: int
    card_id: str
    holder_id: str
    sign_number: str | None
    state: ECardState
    version: int


class NewCard(NamedTuple):
    """What a card and its e-card are made of; both begin as not activated.

    state: of a card that was made elsewhere and is taken over; the e-card of one that is cancelled
    is cancelled too, others can be activated.
    """

    id: str
    holder_id: str
    card_number: str
    batch_id: str
    issuer: int
    region: str
    issued_on: date
    expires_on: date
    ecard_id: int
    state: CardState = CardState.NOT_ACTIVATED

    @property
    def ecard_state(self) -> ECardState:
        is_over = self.state is CardState.CANCELLED
        return ECardState.CANCELLED if is_over else ECardState.NOT_ACTIVATED


def get(tx: Reader, card_id: str, lock: Lock = Lock.NONE) -> Card | None:
    row = guarded.get(tx, cards, card_id, lock)
    return None if row is None else _card(row)


def find_by_card_number(tx: Reader, card_number: str) -> Card | None:
    """The card that has this number: of several the live one, else the latest."""
    is_cancelled = cards.c.state == CardState.CANCELLED.value
    statement = (
        select(cards)
        .where(cards.c.card_number == card_number)
        .order_by(is_cancelled, cards.c.id.desc())
    )
    row = guarded.first(tx, cards, statement)
    return None if row is None else _card(row)


def get_all(tx: Reader, card_ids: Collection[str]) -> dict[str, Card]:
    """By id, these cards. Raises TamperedRowError."""
    found, tampered = guarded.find_intact(tx, cards, "id", card_ids)()
    if tampered:
        raise TamperedRowError(cards.name, min(tampered))
    return {row.id: _card(row) for row in found}


def numbers_there(tx: Reader, card_numbers: Collection[str]) -> set[str]:
    """Those of the card numbers that a card has."""
    statement = select(cards.c.card_number).where(bulk.among(tx, cards.c.card_number, card_numbers))
    return set(tx.connection.execute(statement).scalars())


def live_card_of(tx: Reader, holder_id: str) -> Card | None:
    """The holder's card that is not cancelled."""
    statement = select(cards).where(
        cards.c.holder_id == holder_id, cards.c.state != CardState.CANCELLED.value
    )
    row = guarded.first(tx, cards, statement)
    return None if row is None else _card(row)


def page(
    tx: Reader, *, batch_id: str | None = None, after: str = "", limit: int = PAGE_SIZE_MAX
) -> list[Card]:
    """At most `limit` cards, of a batch or of all, whose id comes behind `after`."""
    statement = select(cards).where(cards.c.id > after).order_by(cards.c.id)
    if batch_id is not None:
        statement = statement.where(cards.c.batch_id == batch_id)
    found = guarded.rows(tx, cards, statement.limit(check_limit(limit)))
    return [_card(row) for row in found]


def of_holders(tx: Reader, holder_ids: Collection[str], limit: int = PAGE_SIZE_MAX) -> list[Card]:
    """At most `limit` cards of these records, cancelled ones too, the oldest first."""
    statement = select(cards).where(bulk.among(tx, cards.c.holder_id, holder_ids))
    found = guarded.rows(tx, cards, statement.order_by(cards.c.id).limit(check_limit(limit)))
    return [_card(row) for row in found]


def lapsing(tx: Reader, now: datetime, *, after: str = "", limit: int = PAGE_SIZE_MAX) -> list[str]:
    """At most `limit` ids, behind `after`, of cards whose temporary loss has lapsed by now.

    The rows are not checked: whoever acts on one reads it anew.
    """
    statement = (
        select(cards.c.id)
        .where(cards.c.loss_lapses_at <= now, cards.c.id > after)
        .order_by(cards.c.id)
        .limit(check_limit(limit))
    )
    return list(tx.connection.execute(statement).scalars())


def ecard_of(tx: Reader, card_id: str) -> ECard:
    """Raises TamperedRowError if the card's e-card is gone: they are made together."""
    ecard = find_ecard_of(tx, card_id)
    if ecard is None:
        raise TamperedRowError(ecards.name, card_id)
    return ecard


def find_ecard_of(tx: Reader, card_id: str) -> ECard | None:
    """The e-card of a card that may not be there."""
    row = guarded.first(tx, ecards, select(ecards).where(ecards.c.card_id == card_id))
    return None if row is None else _ecard(row)


def get_ecard(tx: Reader, ecard_id: int) -> ECard | None:
    """ecard_id: 64 bits, as a code's box may hold them; ids have 63."""
    if ecard_id > ECARD_ID_MAX:
        return None
    row = guarded.get(tx, ecards, ecard_id)
    return None if row is None else _ecard(row)


def card_ids_of(tx: Reader, ecard_ids: Iterable[int]) -> Pending[dict[int, str]]:
    """The card of each e-card that there is. ecard_ids: 64 bits, as `get_ecard` takes them."""
    wanted = [ecard_id for ecard_id in ecard_ids if ecard_id <= ECARD_ID_MAX]
    pending = bulk.find(tx, ecards, ("id", "card_id"), "id", wanted)
    return lambda: dict(pending())


@dataclass(frozen=True, slots=True)
class Pairs:
    """Cards with their e-cards, by card id. tampered: cards of which a row fails its HMAC."""

    by_card_id: Mapping[str, tuple[Card, ECard]]
    tampered: frozenset[str]


def pairs_of(tx: Reader, card_ids: Collection[str]) -> Pending[Pairs]:
    """Cards and their e-cards, as many as there are, for scans that share a transaction."""
    pending_cards = guarded.find_intact(tx, cards, "id", card_ids)
    pending_ecards = guarded.find_intact(tx, ecards, "card_id", card_ids)

    def paired() -> Pairs:
        card_rows, bad_cards = pending_cards()
        ecard_by_card = {row.card_id: _ecard(row) for row in pending_ecards()[0]}
        pairs = {
            row.id: (_card(row), ecard_by_card[row.id])
            for row in card_rows
            if row.id in ecard_by_card
        }
        # A card without an intact e-card has been tampered with: they are made together.
        broken = {row.id for row in card_rows if row.id not in ecard_by_card}
        return Pairs(pairs, frozenset(bad_cards | broken))

    return paired


def add_all(tx: Transaction, new: Sequence[NewCard]) -> None:
    ids, holder_ids = [card.id for card in new], [card.holder_id for card in new]
    guarded.add_columns(
        tx,
        cards,
        {
            "id": ids,
            "holder_id": holder_ids,
            "card_number": [card.card_number for card in new],
            "state": [card.state.value for card in new],
            "batch_id": [card.batch_id for card in new],
            "issuer": [card.issuer for card in new],
            "region": [card.region for card in new],
            "issued_on": [card.issued_on for card in new],
            "expires_on": [card.expires_on for card in new],
        },
    )
    guarded.add_columns(
        tx,
        ecards,
        {
            "id": [card.ecard_id for card in new],
            "card_id": ids,
            "holder_id": holder_ids,
            "sign_number": [None] * len(new),
            "state": [card.ecard_state.value for card in new],
        },
    )


def set_state(
    tx: Transaction, card: Card, state: CardState, *, loss_lapses_at: datetime | None = None
) -> None:
    """Device credentials follow, whatever act it is. Under the card's lock.

    loss_lapses_at: given with a temporary loss; any other state has none.
    """
    guarded.change(tx, cards, card.id, state=state.value, loss_lapses_at=loss_lapses_at)
    ecard = ecard_of(tx, card.id)
    devices.follow_card(tx, ecard.id, state, ecard.state)


def touch(tx: Transaction, card: Card) -> None:
    """Make what is kept elsewhere of this card out of date: its holder's key data changed."""
    guarded.change(tx, cards, card.id)


def set_ecard_state(
    tx: Transaction, ecard: ECard, state: ECardState, *, sign_number: str | None = None
) -> None:
    """sign_number: given when the e-card is activated, kept otherwise.

    Device credentials follow, as in `set_state`.
    """
    number = ecard.sign_number if sign_number is None else sign_number
    guarded.change(tx, ecards, ecard.id, state=state.value, sign_number=number)
    card = get(tx, ecard.card_id)
    if card is None:
        raise TamperedRowError(cards.name, ecard.card_id)
    devices.follow_card(tx, ecard.id, card.state, state)


def _card(row: Any) -> Card:
    return Card(
        row.id,
        row.holder_id,
        row.card_number,
        CardState(row.state),
        row.batch_id,
        row.issuer,
        row.region,
        row.issued_on,
        row.expires_on,
        row.version,
        row.loss_lapses_at,
    )


def _ecard(row: Any) -> ECard:
    return ECard(
        row.id,
        row.card_id,
        row.holder_id,
        row.sign_number,
        ECardState(row.state),
        row.version,
    )
