"""Masking for display: enough for its owner to recognise, too little for anybody else.

GB/T 35273-2020, 7.2 asks for it and fixes no pattern. A Chinese name keeps its last character,
so a compound surname is hidden whole; beyond four characters, or with a middle dot, the stars no
longer tell the length. Any other name keeps each word's first letter. A number keeps its first
three and last four characters, which leaves region and birth date hidden.
"""

import re
from typing import Final

_has_ideograph = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003347f]").search
_STARS: Final = "***"
_NAME_LENGTH_SHOWN_MAX: Final = 4
_KEPT_MIN: Final = 11  # a shorter text would show most of itself


def mask_name(name: str) -> str:
    """Return a name for display: 王小明 as **明, JOHN SMITH as J*** S***."""
    if not _has_ideograph(name):
        return " ".join(word[0] + _STARS for word in name.split())
    if len(name) == 1:
        return "*"
    if len(name) > _NAME_LENGTH_SHOWN_MAX or "·" in name:
        return _STARS + name[-1]
    return "*" * (len(name) - 1) + name[-1]


def mask_number(number: str) -> str:
    """Return a social security number for display: the first 3 and the last 4 characters."""
    return _keep_ends(number)


def mask_phone(phone: str) -> str:
    """Return a phone number for display: the first 3 and the last 4 digits."""
    return _keep_ends(phone)


def mask_card_number(card_number: str) -> str:
    """Return a card number for display: its two letters and the last 3 of its 9 characters."""
    if len(card_number) < 9:
        return "*" * len(card_number)
    return card_number[:2] + "*" * (len(card_number) - 5) + card_number[-3:]


def _keep_ends(text: str) -> str:
    if len(text) < _KEPT_MIN:
        return "*" * len(text)
    return text[:3] + "*" * (len(text) - 7) + text[-4:]
