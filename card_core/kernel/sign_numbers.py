"""Sign numbers (签发号) of e-cards: 26 digits.

No public rule fixes their form, so it is this project's own: the issuer number (5 digits), 20
random digits, and a check digit (Luhn, ISO/IEC 7812-1, annex B), by which a window sees a slip of
the keyboard. Nothing in it tells who the holder is or when the e-card was issued.
"""

import struct
from collections.abc import Callable

RANDOM_DIGITS = 20


def make_sign_number(issuer: int, random_bytes: Callable[[int], bytes]) -> str:
    """issuer: 0 to 65535."""
    # 16 bytes are 2^128; what the remainder favours is less than 2^-61.
    random_part = int.from_bytes(random_bytes(16)) % 10**RANDOM_DIGITS
    body = f"{issuer:05d}{random_part:0{RANDOM_DIGITS}d}"
    return body + _check_digit(body)


def is_sign_number(text: str) -> bool:
    """Whether it has the form and its check digit fits; not whether it was ever issued."""
    return (
        len(text) == 5 + RANDOM_DIGITS + 1
        and text.isascii()
        and text.isdigit()
        and _check_digit(text[:-1]) == text[-1]
    )


def _check_digit(body: str) -> str:
    total = 0
    for at, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if at % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def make_ecard_ids(count: int, random_bytes: Callable[[int], bytes]) -> list[int]:
    """Random 63-bit integers that aren't zero, drawn at once; each fills the u64 of a code's box.

    Whether two of them are the same is the database's to say.
    """
    numbers = struct.unpack(f">{count}Q", random_bytes(8 * count)) if count else ()
    return [(number >> 1) or 1 for number in numbers]
