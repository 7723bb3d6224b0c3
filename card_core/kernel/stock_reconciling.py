"""Reconcile a card stock (存量卡) with the holder base: what can be taken over, and why not.

The holder base is never changed by what a stock says of a person it knows. Another name is refused,
since it may be another person; another phone is noted, and ours stays.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from card_core.stock_card import StockCard
from card_core.store import Reader, applications, cards, holder_base, issuers, stock_cards
from card_core.store.holder_base import KeyData

AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, repr=False)
class Reconciled:
    """One row. holder_id: of a person who is known. refusal: a code of REFUSALS; None where the
    card can be taken over. phone_differs: from what the holder base has."""

    card: StockCard
    holder_id: str | None
    refusal: str | None
    phone_differs: bool


# In the order in which they are asked: the first is the reason.
REFUSALS: Final = (
    "already_in_stock",
    "card_number_taken",
    "identification_code_taken",
    "card_number_twice",
    "identification_code_twice",
    "record_merged",
    "name_differs",
    "name_differs_in_file",
    "has_live_card",
    "has_open_application",
    "has_stock_card",
    "person_twice",
)


class _Taken:
    """What the good rows so far have: numbers, chips, people with a live card, names."""

    def __init__(self) -> None:
        self.card_numbers: set[str] = set()
        self.codes: set[str] = set()
        self.live: set[str] = set()
        self.names: dict[str, str] = {}

    def add(self, card: StockCard) -> None:
        self.card_numbers.add(card.card_number)
        self.codes.add(card.identification_code)
        self.names[card.number.text] = card.name
        if card.is_live:
            self.live.add(card.number.text)


def reconcile(
    tx: Reader, stock: Iterable[StockCard], *, stock_id: str = ""
) -> Iterator[Reconciled]:
    """Yield what is to be done with each card, in their order; nothing is changed.

    stock_id: of the stock that these cards stand in already, so that they don't refuse themselves;
    of the other stocks, those that came in before it refuse them.
    Raises TamperedRowError.
    """
    taken, rest = _Taken(), iter(stock)
    while some := tuple(islice(rest, AT_ONCE)):
        there = _There(tx, some, stock_id)
        for card in some:
            refusal = there.refusal_of(card, taken)
            if refusal is None:
                taken.add(card)
            known = there.holders.get(card.number.text)
            differs = bool(card.phone) and known is not None and known.phone != card.phone
            yield Reconciled(card, known.id if known else None, refusal, differs)


class _There:
    """What the database has of some rows' cards and people, read with a few questions."""

    def __init__(self, tx: Reader, some: Sequence[StockCard], stock_id: str) -> None:
        numbers = [card.number.text for card in some]
        codes = [card.identification_code for card in some]
        card_numbers = [card.card_number for card in some]
        self._tx = tx
        # Applications and other stocks first: what waits there is closed only in the transaction
        # that makes its card, so that nobody slips between the questions.
        self._applying = applications.numbers_with_open_one(tx, numbers)
        self._waiting = stock_cards.numbers_with_open_card(tx, numbers, before=stock_id)
        self.holders: dict[str, KeyData] = holder_base.find_many(tx, numbers)
        self._with_card = holder_base.live_cards_of(tx, [one.id for one in self.holders.values()])
        self._merged = holder_base.merged_numbers(tx, numbers)
        self._held = stock_cards.held_by_number(tx, stock_id, card_numbers)
        self._codes = stock_cards.codes_held(tx, stock_id, codes)
        self._card_numbers = cards.numbers_there(tx, card_numbers)
        if not stock_id and (issuer := issuers.own(tx)):
            # A released batch has its numbers before it has its cards. Those that a stock holds
            # were passed over when numbers were taken.
            self._card_numbers |= set(filter(issuer.has_allocated, card_numbers))

    def refusal_of(self, card: StockCard, taken: _Taken) -> str | None:
        """The first of REFUSALS that holds."""
        number, known = card.number.text, self.holders.get(card.number.text)
        held = self._held.get(card.card_number)
        is_same = held is not None and held.code_index == stock_cards.code_index_of(
            self._tx, card.identification_code
        )
        live = card.is_live
        grounds = (
            is_same,
            held is not None or card.card_number in self._card_numbers,
            card.identification_code in self._codes,
            card.card_number in taken.card_numbers,
            card.identification_code in taken.codes,
            known is None and number in self._merged,
            known is not None and known.name != card.name,
            taken.names.get(number, card.name) != card.name,
            live and known is not None and known.id in self._with_card,
            live and number in self._applying,
            # Of two stocks that wait, the one that came in first says what the person's name is.
            number in self._waiting,
            live and number in taken.live,
        )
        return next((code for code, holds in zip(REFUSALS, grounds, strict=True) if holds), None)
