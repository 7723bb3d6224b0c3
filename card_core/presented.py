"""What was shown at a counter, once it is known to be genuine: all that steps 7 and 8 need of it.

A QR code, a short code, a chip card and a step of a visit differ in how they are checked. Behind
that they are the same: a card, a once-only value, and the time within which it may be spent.
"""

import enum
from datetime import datetime
from typing import NamedTuple

from card_core.codes import ForWhom, Presence, PurposeClass

NONCE_SIZE_BYTES = 8


class Medium(enum.StrEnum):
    """What the holder showed."""

    ONLINE_CODE = "online_code"
    OFFLINE_CODE = "offline_code"
    SHORT_CODE = "short_code"
    CHIP_CARD = "chip_card"
    VISIT_TOKEN = "visit_token"  # noqa: S105 - a word, not a secret


# A short code is a second name of an online code, and the same nonce.
_MINTED_HERE = frozenset({Medium.ONLINE_CODE, Medium.SHORT_CODE})


class Presented(NamedTuple):
    """Something genuine that may be spent once. It names its card in one of two ways. A named
    tuple, because one is made for each scan.

    issuer: whose card. ecard_id: of an e-card's code. card_id: of a chip card or a visit.
    minted_at: aware, whole seconds; with `nonce` (8 bytes) and the holder it is what is spent.
    usable_until: aware; at this instant it is too old, whatever was checked before.
    purpose_class: decides which store holds the truth of its spending (`is_spent_fast`).
    visit_id: of a step of a visit, which has limits of its own.
    """

    medium: Medium
    issuer: int
    minted_at: datetime
    usable_until: datetime
    nonce: bytes
    ecard_id: int | None = None
    card_id: str | None = None
    purpose_class: PurposeClass = PurposeClass.ANY_USE
    for_whom: ForWhom = ForWhom.SELF
    presence: Presence = Presence.PLAIN
    visit_id: str | None = None

    def __repr__(self) -> str:
        return f"Presented({self.medium})"

    @property
    def is_spent_fast(self) -> bool:
        """Whether the fast store says if it is used, and the database doesn't.

        An offline code goes to the database whatever it is for: it may be minted by a clock that is
        half a minute off, and an epoch takes no code from its future.
        """
        return self.purpose_class is PurposeClass.IDENTIFY_ONLY and self.medium in _MINTED_HERE
