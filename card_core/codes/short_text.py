"""The form of a short code's text. It has another length than any long code's."""

from typing import Final

SHORT_CODE_DIGITS: Final = 28


def is_short_code(text: str) -> bool:
    """Whether a text has the form of a short code: 28 ASCII digits."""
    return len(text) == SHORT_CODE_DIGITS and text.isascii() and text.isdigit()
