"""What readers return, in both forms; and that everything wrong is named, in both languages."""

import contextlib
from datetime import date

import pytest
from bureau import make_number
from chip_card import ChipCard
from hypothesis import given
from hypothesis import strategies as st

from card_core.chip_cards import CARD_TEXT_MAX, CardTextError, parse_card_text

NUMBER = make_number(7).text
CARD = ChipCard("440604", NUMBER, "GD0000017", "测试甲", bytes(16))
BAR, COLON = CARD.text(), CARD.vendor_text()


def problems_of(text: str) -> list[tuple[str, str]]:
    with pytest.raises(CardTextError) as caught:
        parse_card_text(text)
    return [(one.field, one.problem.code) for one in caught.value.problems]


def with_field(text: str, separator: str, at: int, value: str) -> str:
    fields = text.split(separator)
    fields[at] = value
    return separator.join(fields)


@pytest.mark.parametrize("text", [BAR, COLON], ids=["bars", "colons"])
def test_both_forms_say_the_same_of_a_card(text: str) -> None:
    read = parse_card_text(text)
    assert read.region == "440604"
    assert read.social_security_number == NUMBER
    assert read.card_number == "GD0000017"
    assert read.card_identification_code == "440604D1560000050000002A"
    assert read.name == "测试甲"
    assert read.spec_version == "3.00"
    assert (read.issued_on, read.expires_on) == (date(2026, 3, 2), date(2036, 3, 1))


def test_only_the_vendors_form_tells_the_continuation_of_a_name() -> None:
    assert parse_card_text(BAR).name_continuation is None
    assert parse_card_text(COLON).name_continuation == ""


def test_the_identification_code_is_compared_without_its_filling_and_in_capitals() -> None:
    long = with_field(BAR, "|", 3, CARD.card_identification_code.lower() + "ffffffff")
    assert parse_card_text(long).card_identification_code == CARD.card_identification_code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "|",
        BAR[:-1],  # the last bar is part of the form
        BAR + "|",
        BAR.replace("|", ":"),
        COLON + ":",
        COLON.replace(":", "|"),
        with_field(BAR, "|", 4, "甲:乙"),
        with_field(COLON, ":", 8, "甲|乙"),
        with_field(BAR, "|", 4, "甲" * CARD_TEXT_MAX),
        "7406" + "1" * 249,
    ],
)
def test_what_is_neither_form_is_refused_as_a_whole(text: str) -> None:
    assert problems_of(text) == [("", "card_text_form")]


BAD_BAR = [
    (0, "44060", "region", "card_text_shape"),
    (0, "440605", "region", "card_text_region_differs"),
    (1, NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1"), "social_security_number", None),
    (2, "gd0000017", "card_number", "card_text_shape"),
    (2, "GD000001７", "card_number", "card_text_shape"),
    (2, "GD00000170", "card_number", "card_text_shape"),
    (3, "440604D1560000050000002", "card_identification_code", "card_text_shape"),
    (3, CARD.card_identification_code + "00000000", "card_identification_code", "card_text_shape"),
    (4, "", "name", "card_text_name"),
    (4, " 甲", "name", "card_text_name"),
    (4, "甲\x00", "name", "card_text_name"),
    (4, "\ud800", "name", "card_text_name"),
    (4, "甲" * 26, "name", "card_text_name"),
    (5, "00", "card_reset_information", "card_text_shape"),
    (6, "4.00", "spec_version", "card_text_shape"),
    (7, "20260229", "issued_on", "card_text_date"),
    (7, "2026-3-2", "issued_on", "card_text_date"),
    (7, "2026032", "issued_on", "card_text_date"),
    (8, "20260301", "expires_on", "card_text_expiry_first"),
    (9, "P" * 33, "psam_number", "card_text_shape"),
    (10, "HD 100", "terminal_device_number", "card_text_shape"),
]
BAD_COLON = [
    (1, "", "card_class", "card_text_shape"),
    (3, "9156", "initialising_organisation", "card_text_shape"),
    (9, "甲" * 11, "name_continuation", "card_text_name"),
    (10, "3", "sex", "card_text_shape"),
    (11, "1", "ethnic_group", "card_text_shape"),
    (12, "44", "birthplace", "card_text_shape"),
    (13, "19800102", "born_on", "card_text_birth_differs"),
]


@pytest.mark.parametrize(("at", "value", "field", "code"), BAD_BAR)
def test_each_field_between_bars_has_its_own_rule(
    at: int, value: str, field: str, code: str | None
) -> None:
    found = problems_of(with_field(BAR, "|", at, value))
    assert [one for one, _ in found] == [field]
    assert code is None or found == [(field, code)]


@pytest.mark.parametrize(("at", "value", "field", "code"), BAD_COLON)
def test_each_field_between_colons_has_its_own_rule(
    at: int, value: str, field: str, code: str
) -> None:
    assert problems_of(with_field(COLON, ":", at, value)) == [(field, code)]


def test_all_problems_are_told_at_once_in_both_languages_and_repeat_no_value() -> None:
    text = with_field(with_field(with_field(BAR, "|", 2, "x" * 9), "|", 6, "9.99"), "|", 8, "never")
    with pytest.raises(CardTextError) as caught:
        parse_card_text(text)
    problems = caught.value.problems
    assert [one.field for one in problems] == ["card_number", "spec_version", "expires_on"]
    for one in problems:
        assert any("\u4e00" <= character <= "\u9fff" for character in one.problem.message_zh)
        assert one.problem.message_en.isascii()
        assert "9.99" not in one.problem.message_en
    assert NUMBER not in str(caught.value)


def test_nothing_of_a_card_is_in_its_repr() -> None:
    assert NUMBER not in repr(parse_card_text(BAR))


@given(st.text(max_size=600), st.sampled_from([BAR, COLON]), st.data())
def test_no_text_does_more_than_be_refused(junk: str, text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    for tried in (junk, text[:at] + junk + text[at:], text[:at]):
        with contextlib.suppress(CardTextError):
            parse_card_text(tried)
