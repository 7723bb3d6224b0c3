"""What the kernel is given to make personalisation records (个人化数据) with.

The keys of cards and the layout of records are issuance's own: an act says which cards, and gets
bytes and a root back. Where no cards are issued, there is no personaliser and no key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from card_core.store.cards import Card
from card_core.store.holders import ChipFacts


class CardToMake(NamedTuple):
    """One card with its holder. number: of its record in the maker file, from 1."""

    number: int
    card: Card
    holder: ChipFacts

    def __repr__(self) -> str:
        return f"CardToMake(number={self.number})"


@dataclass(frozen=True, slots=True, repr=False)
class PreparedRecords:
    """content: the records, ready to be read back by who made them. root: 32 bytes over them."""

    content: bytes
    root: bytes


class Personaliser(Protocol):
    """Makes records; the same cards give the same bytes each time. May be called by many threads.

    maker: the code of the maker whose transport key the keys of the cards are wrapped under.
    """

    def prepare(self, maker: str, cards: Sequence[CardToMake]) -> PreparedRecords:
        """The records of one chunk. Raises KeyFileError where a key is missing, and its own errors
        for a value that can't be written."""
        ...

    def to_be_signed(
        self, *, issuer: int, key_number: int, order_id: str, chunk: int, size: int, root: bytes
    ) -> bytes:
        """What the card issuing key signs for a chunk with this root."""
        ...
