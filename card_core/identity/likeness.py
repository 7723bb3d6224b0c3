"""When two records are likely one person's: the whole rule.

    same number    the numbers are one, of which one side has the 15 digits of before 2013
    same person    name, birth date and phone are the same, and the phone is known
    one digit off  the name is the same, and one of the number's first 17 digits differs: somebody
                   mistyped it. The check character follows the others and is not compared.

A likeness is a reason to look, never a decision: twins differ in one digit and not in the name, and
a phone may be a parent's.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from card_core.identity.number import check_character

OLD_LENGTH: Final = 15
_BODY_LENGTH: Final = 17
_CENTURY: Final = "19"  # everybody who ever had 15 digits was born in it


class Likeness(StrEnum):
    """The strongest first."""

    SAME_NUMBER = "same_number"
    SAME_PERSON = "same_person"
    ONE_DIGIT = "one_digit"


@dataclass(frozen=True, slots=True, repr=False)
class Traits:
    """What is compared of a record. phone: empty where it is not known."""

    number: str
    name: str
    birth_on: date
    phone: str


def number_of_18(number: str) -> str:
    """A resident's number in its 18 characters; any other text as it is.

    GB 11643-1999: the two digits of the century go behind the region, the check character last.
    """
    if len(number) != OLD_LENGTH or not (number.isascii() and number.isdigit()):
        return number
    body = number[:6] + _CENTURY + number[6:]
    return body + check_character(body)


def likeness(one: Traits, other: Traits) -> Likeness | None:
    """How two records are alike; None where nothing speaks for one person."""
    numbers = number_of_18(one.number), number_of_18(other.number)
    if numbers[0] == numbers[1]:
        return Likeness.SAME_NUMBER
    if one.name != other.name:
        return None
    if one.phone and (one.phone, one.birth_on) == (other.phone, other.birth_on):
        return Likeness.SAME_PERSON
    return Likeness.ONE_DIGIT if _is_one_digit_off(*numbers) else None


def _is_one_digit_off(one: str, other: str) -> bool:
    if not len(one) == len(other) == _BODY_LENGTH + 1:
        return False
    pairs = zip(one[:_BODY_LENGTH], other[:_BODY_LENGTH], strict=True)
    return sum(left != right for left, right in pairs) == 1
