"""The table of business types: what is shipped, and that it can't contradict itself."""

import tomllib
from pathlib import Path

import pytest

from card_core import business_types
from card_core.business_types import ALL, ALL_PURPOSES, PLACES, HolderView, Purpose

MEDICAL = [
    *("01101", "01102", "01103", "01104", "01201", "01202", "01203", "01204"),
    *("01301", "01302", "01303", "01304", "01305"),
    *("02121", "02122", "03131", "03132"),
]


def test_the_seventeen_medical_types_are_there_and_the_own_ones_start_with_nine() -> None:
    codes = [row.code for row in ALL]
    assert codes[:17] == MEDICAL
    assert len(codes) > 17
    assert all(code.startswith("9") for code in codes[17:])


@pytest.mark.parametrize(
    ("prefix", "place"), [("01", "hospital"), ("02", "pharmacy"), ("03", "online")]
)
def test_the_first_two_digits_of_a_medical_type_name_its_one_place(prefix: str, place: str) -> None:
    rows = [row for row in ALL if row.code.startswith(prefix)]
    assert rows
    for row in rows:
        assert row.places == {place}
        assert [p for p in PLACES if row.is_offered_at(p)] == [place]


def test_every_purpose_and_every_place_is_used_by_some_type() -> None:
    assert {row.purpose for row in ALL} == set(Purpose)
    assert frozenset().union(*(row.places for row in ALL)) == set(PLACES)


def test_purposes_are_the_lowest_nine_bits_of_the_mask() -> None:
    assert [purpose.value for purpose in Purpose] == [1 << bit for bit in range(9)]
    assert ALL_PURPOSES.value == 0x01FF


def test_what_settles_or_dispenses_consumes_and_what_identifies_does_not() -> None:
    for row in ALL:
        if row.purpose in (Purpose.SETTLE, Purpose.DISPENSE):
            assert row.consumes, row.code
        if row.purpose in (Purpose.MEDICAL_IDENTIFY, Purpose.ELIGIBILITY):
            assert not row.consumes, row.code


def test_settlement_and_registration_show_the_holder_in_full_and_entitlement_only_yes_or_no() -> (
    None
):
    for code in ("01101", "01301", "02121", "03132"):
        assert business_types.get(code).view is HolderView.FULL
    assert business_types.get("01303").view is HolderView.MASKED
    assert business_types.get("93101").view is HolderView.YES_NO


@pytest.mark.parametrize("code", ["", "1101", "011010", "01199", "０1101", " 01101", "\ud800"])
def test_an_unknown_type_is_refused_in_both_languages_without_repeating_it(code: str) -> None:
    with pytest.raises(business_types.UnknownBusinessTypeError) as caught:
        business_types.get(code)
    assert caught.value.code == "unknown_business_type"
    assert caught.value.message_zh
    assert str(caught.value) == caught.value.message_en
    assert not code.strip() or code not in str(caught.value)


def test_every_row_of_the_file_is_read() -> None:
    path = Path(business_types.__file__).with_suffix(".toml")
    rows = tomllib.loads(path.read_text("utf-8"))["business_type"]
    assert [row["code"] for row in rows] == [row.code for row in ALL]
    assert len({row.name_zh for row in ALL}) == len({row.name_en for row in ALL}) == len(ALL)
