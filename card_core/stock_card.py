"""A card from before this service (存量卡), as checked input: what an import may store."""

from dataclasses import dataclass
from datetime import date

from card_core.identity import IdentityNumber
from card_core.states import CardState


@dataclass(frozen=True, slots=True, repr=False)
class StockCard:
    """One checked row of a card stock.

    row: from 1, without the header. card_number: nine capitals or digits. identification_code: the
    24 hexadecimal digits that business systems compare, capital; the first six are the region of
    the bureau that issued the card. bank: its three-digit code. phone: empty where not told.
    Dates are in Shanghai.
    """

    row: int
    card_number: str
    identification_code: str
    number: IdentityNumber
    name: str
    state: CardState
    bank: str
    issued_on: date
    expires_on: date
    phone: str

    @property
    def region(self) -> str:
        return self.identification_code[:6]

    @property
    def is_live(self) -> bool:
        return self.state is not CardState.CANCELLED

    def __repr__(self) -> str:
        return f"StockCard(row={self.row})"
