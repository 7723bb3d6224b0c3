"""The limits of a visit: what an institution can do with a token and without the holder."""

from dataclasses import dataclass
from typing import Final

HOURS_MAX: Final = 24
STEPS_MAX: Final = 200
AMOUNT_FEN_MAX: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class VisitPolicy:
    """What every visit that is opened from now on is bound to.

    hours: 1 to HOURS_MAX. steps_max: of all business types. consuming_max: of those that move money
    or goods, at most steps_max. amount_max_fen: what they may move together.
    Raises ValueError for a value out of its limits.
    """

    hours: int = 12
    steps_max: int = 40
    consuming_max: int = 10
    amount_max_fen: int = 500_000

    def __post_init__(self) -> None:
        if not 1 <= self.hours <= HOURS_MAX:
            raise ValueError(f"a visit lasts 1 to {HOURS_MAX} hours")
        if not 1 <= self.steps_max <= STEPS_MAX:
            raise ValueError(f"a visit has 1 to {STEPS_MAX} steps")
        if not 0 <= self.consuming_max <= self.steps_max:
            raise ValueError("a visit has at most as many consuming steps as steps")
        if not 0 <= self.amount_max_fen <= AMOUNT_FEN_MAX:
            raise ValueError(f"a visit moves at most {AMOUNT_FEN_MAX} fen")
