"""What an issuer decides for its cards: how long a temporary loss lasts, whether a formal one may
be withdrawn, and whether a new card keeps the number of the one that it follows.

Regions differ in all of them. A temporary loss (临时挂失) lapses after 5, 10 or 15 days; most
regions never undo a formal loss (正式挂失). The keys of a chip are made of region and card number,
so a lost chip still answers as one of the same number would: a new number is the safe choice
wherever the old card was not handed back.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LOSS_DAYS: Final = (5, 10, 15)
# Regions name 8 or 10 family members (亲情服务).
FAMILY_MAX: Final = 8
FAMILY_MOST: Final = 10


class CardNumberKept(StrEnum):
    """Whether a card that follows another gets a new number (异号) or the same one (同号)."""

    NEW = "new"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class CardPolicy:
    """loss_days: one of LOSS_DAYS. on_replacement: for a lost card. on_exchange: for a worn one,
    which is handed back. family_max: how many family members' e-cards a holder may show, 0 for
    none. Raises ValueError for other days, or more than FAMILY_MOST."""

    loss_days: int = 15
    withdraws_formal_loss: bool = False
    on_replacement: CardNumberKept = CardNumberKept.NEW
    on_exchange: CardNumberKept = CardNumberKept.NEW
    family_max: int = FAMILY_MAX

    def __post_init__(self) -> None:
        if self.loss_days not in LOSS_DAYS:
            raise ValueError("loss_days")
        if not 0 <= self.family_max <= FAMILY_MOST:
            raise ValueError("family_max")
