"""When two records are likely one person's: each clause of the rule, and nothing beyond it."""

from datetime import date

import pytest
from bureau import make_number
from hypothesis import given
from hypothesis import strategies as st

from card_core.identity import Likeness, Traits, check_character, likeness, number_of_18

BORN = date(1980, 1, 1)
ONE = Traits(make_number(7).text, "测试", BORN, "13900000001")


def traits(**changes: object) -> Traits:
    values = {"number": ONE.number, "name": ONE.name, "birth_on": BORN, "phone": ONE.phone}
    return Traits(**{**values, **changes})  # type: ignore[arg-type]


def changed(number: str, *places: int) -> str:
    """The number with other digits there, and the check character that follows."""
    body = list(number[:17])
    for place in places:
        body[place] = str((int(body[place]) + 1) % 10)
    return "".join(body) + check_character("".join(body))


def test_a_number_in_15_digits_is_the_one_in_18() -> None:
    old = ONE.number[:6] + ONE.number[8:17]
    assert number_of_18(old) == ONE.number
    assert likeness(ONE, traits(number=old, name="另一人")) is Likeness.SAME_NUMBER


@pytest.mark.parametrize(
    "text", ["", "KAZ110090123105", "４４０６０４８００１０１１０１", ONE.number]
)
def test_what_is_no_old_number_stays_as_it_is(text: str) -> None:
    assert number_of_18(text) == text


def test_name_birth_date_and_phone_together_are_a_likeness() -> None:
    other = changed(ONE.number, 3, 15)
    assert likeness(ONE, traits(number=other)) is Likeness.SAME_PERSON
    for change in ({"name": "另"}, {"birth_on": date(1981, 1, 1)}, {"phone": "13900000002"}):
        assert likeness(ONE, traits(number=other, **change)) is None
    unknown = Traits(ONE.number, ONE.name, BORN, "")
    assert likeness(unknown, traits(number=other, phone="")) is None


@given(st.integers(0, 16))
def test_one_mistyped_digit_is_a_likeness_for_the_same_name_only(place: int) -> None:
    other = changed(ONE.number, place)
    assert likeness(ONE, traits(number=other, phone="")) is Likeness.ONE_DIGIT
    assert likeness(ONE, traits(number=other, phone="", name="另一人")) is None


@given(st.sets(st.integers(0, 16), min_size=2))
def test_two_mistyped_digits_are_none(places: set[int]) -> None:
    assert likeness(ONE, traits(number=changed(ONE.number, *places), phone="")) is None


@given(st.integers(0, 400), st.integers(0, 400), st.booleans())
def test_likeness_goes_both_ways(left: int, right: int, same_name: bool) -> None:
    one = Traits(make_number(left).text, "甲", BORN, "1")
    other = Traits(make_number(right).text, "甲" if same_name else "乙", BORN, "2")
    assert likeness(one, other) is likeness(other, one)
