"""Social security numbers: what is one, what isn't, and why."""

import copy
import pickle
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric
from stdnum.iso7064 import mod_11_2

from card_core.identity import (
    IdentityNumber,
    IdentityNumberError,
    NumberKind,
    Sex,
    check_character,
)

seeded = settings(derandomize=True, deadline=None)

birthdays = st.dates(min_value=date(1880, 1, 1), max_value=date(2026, 12, 31))
sequences = st.integers(0, 999).map("{:03d}".format)
counties = st.sampled_from(["110103", "133199", "440604", "510104", "540102", "653101"])
permit_regions = st.sampled_from(["810000", "820000", "830000"])
foreign_regions = st.sampled_from(["911398", "944410", "931000"])


@st.composite
def numbers_of_18(draw: st.DrawFn) -> str:
    region = draw(st.one_of(counties, permit_regions, foreign_regions))
    body = f"{region}{draw(birthdays):%Y%m%d}{draw(sequences)}"
    # The check character comes from another implementation of ISO 7064.
    return body + mod_11_2.calc_check_digit(body)


@st.composite
def numbers_of_15(draw: st.DrawFn) -> str:
    letters = draw(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3))
    body = f"{letters}1100{draw(birthdays):%y%m%d}{draw(st.integers(0, 9))}"
    total = sum(int(c, 36) * (7, 3, 1)[at % 3] for at, c in enumerate(body))
    return f"{body}{total % 10}"


def codes(text: str) -> set[str]:
    with pytest.raises(IdentityNumberError) as caught:
        IdentityNumber(text)
    return {problem.code for problem in caught.value.problems}


def is_number(text: str) -> bool:
    try:
        IdentityNumber(text)
    except IdentityNumberError:
        return False
    return True


@seeded
@given(numbers_of_18())
def test_any_well_formed_number_says_who_it_is_for(text: str) -> None:
    number = IdentityNumber(text)
    assert number.text == text
    assert number.birth_on == date.fromisoformat(text[6:14])
    assert number.sex is (Sex.MALE if int(text[16]) % 2 else Sex.FEMALE)


@seeded
@given(numbers_of_18(), st.integers(0, 17), st.integers(1, 9))
def test_any_single_digit_changed_is_refused(text: str, at: int, by: int) -> None:
    if text[at] == "X":
        changed = text[:at] + str(by)
    else:
        changed = f"{text[:at]}{(int(text[at]) + by) % 10}{text[at + 1 :]}"
    with pytest.raises(IdentityNumberError):
        IdentityNumber(changed)


@seeded
@given(numbers_of_18(), st.integers(0, 15))
def test_two_neighbours_swapped_are_refused(text: str, at: int) -> None:
    swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if swapped != text:
        with pytest.raises(IdentityNumberError):
            IdentityNumber(swapped)


@seeded
@given(numbers_of_15(), st.integers(3, 14), st.integers(1, 9))
def test_any_digit_changed_in_an_old_foreign_number_is_refused(text: str, at: int, by: int) -> None:
    assert IdentityNumber(text).kind is NumberKind.FOREIGN_PERMANENT_OLD
    with pytest.raises(IdentityNumberError):
        IdentityNumber(f"{text[:at]}{(int(text[at]) + by) % 10}{text[at + 1 :]}")


@seeded
@given(st.text(max_size=20))
def test_no_text_does_anything_but_give_a_number_or_its_problems(text: str) -> None:
    if not is_number(text):
        assert codes(text)


@seeded
@given(st.integers(0, 10**17 - 1).map("{:017d}".format))
def test_the_check_character_agrees_with_another_implementation(body: str) -> None:
    assert check_character(body) == mod_11_2.calc_check_digit(body)


@pytest.mark.parametrize(
    ("text", "kind", "region", "birth_on", "sex"),
    [
        ("11010519491231002X", NumberKind.RESIDENT, "110105", date(1949, 12, 31), Sex.FEMALE),
        ("440524188001010014", NumberKind.RESIDENT, "440524", date(1880, 1, 1), Sex.MALE),
        ("KAZ110090123105", NumberKind.FOREIGN_PERMANENT_OLD, "110000", date(1990, 12, 31), "2"),
        ("911398199012310021", NumberKind.FOREIGN_PERMANENT, "110000", date(1990, 12, 31), "2"),
    ],
)
def test_published_examples(
    text: str, kind: NumberKind, region: str, birth_on: date, sex: Sex
) -> None:
    number = IdentityNumber(text)
    assert (number.kind, number.region, number.birth_on, number.sex) == (
        kind,
        region,
        birth_on,
        sex,
    )


@pytest.mark.parametrize("region", ["810000", "820000", "830000"])
def test_residence_permits_of_hong_kong_macao_and_taiwan_are_a_kind_of_their_own(
    region: str,
) -> None:
    body = f"{region}19900101001"
    assert IdentityNumber(body + check_character(body)).kind is NumberKind.RESIDENCE_PERMIT


@pytest.mark.parametrize("region", ["810001", "820101", "830100", "160101", "000000", "999999"])
def test_a_region_that_does_not_exist_is_refused(region: str) -> None:
    body = f"{region}19900101001"
    assert codes(body + check_character(body)) == {"number_province_unknown"}


def test_an_old_foreign_number_needs_a_province_too() -> None:
    assert codes("KAZ990090123105") == {"number_province_unknown"}


@pytest.mark.parametrize("day", ["19900230", "19901301", "00000101", "20250229"])
def test_a_day_that_the_calendar_lacks_is_refused(day: str) -> None:
    body = f"440604{day}001"
    assert codes(body + check_character(body)) == {"number_birth_impossible"}


def test_all_problems_of_a_number_are_told_at_once() -> None:
    body = "160101" + "19900230" + "001"
    wrong = "1" if check_character(body) != "1" else "2"
    assert codes(body + wrong) == {
        "number_check_character",
        "number_province_unknown",
        "number_birth_impossible",
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "number_length"),
        ("1101051949123100", "number_length"),
        ("11010519491231002X0", "number_length"),
        ("130503670401001", "number_15_digits_out_of_use"),
        ("11010519491231002x", "number_characters"),
        ("1101051949123100 X", "number_characters"),
        ("X1010519491231002X", "number_characters"),
        ("１１０１０５１９４９１２３１００２X", "number_characters"),
        ("kaz110090123105", "number_characters"),
        ("KA1110090123105", "number_characters"),
        ("KAZ11009012310X", "number_characters"),
        ("KAZ110090123106", "number_check_character"),
    ],
)
def test_what_is_no_number_is_refused_with_its_reason(text: str, code: str) -> None:
    assert codes(text) == {code}


def test_a_retired_county_is_known_and_an_invented_one_only_noted() -> None:
    def known(region: str) -> bool:
        body = f"{region}19900101001"
        return IdentityNumber(body + check_character(body)).is_region_known

    assert known("110103")  # merged into another district in 2010
    assert known("330113")  # made in 2021
    assert known("810000")
    assert known("911398")
    assert not known("133199")
    assert not known("440699")


def test_an_old_foreign_number_fits_either_century_and_no_other_day() -> None:
    number = IdentityNumber("KAZ110090123105")
    assert number.is_born_on(date(1990, 12, 31))
    assert number.is_born_on(date(1890, 12, 31))
    assert not number.is_born_on(date(1990, 12, 30))
    assert not IdentityNumber("11010519491231002X").is_born_on(date(1849, 12, 31))


def test_a_number_is_equal_to_itself_read_again_and_can_be_carried_about() -> None:
    number = IdentityNumber("11010519491231002X")
    assert number == IdentityNumber("11010519491231002X")
    assert len({number, IdentityNumber("11010519491231002X")}) == 1
    assert number != IdentityNumber("440524188001010014")
    assert pickle.loads(pickle.dumps(number)) == number  # noqa: S301 (its own bytes)
    assert copy.copy(number).birth_on == number.birth_on


def test_a_number_cannot_be_changed() -> None:
    number = IdentityNumber("11010519491231002X")
    with pytest.raises(AttributeError):
        number.text = "440524188001010014"  # type: ignore[misc]


def test_neither_a_number_nor_its_error_shows_it() -> None:
    shown = f"{IdentityNumber('11010519491231002X')!r} {IdentityNumber('11010519491231002X')}"
    assert "1949" not in shown
    with pytest.raises(IdentityNumberError) as caught:
        IdentityNumber("110105194912310021")
    assert "1949" not in f"{caught.value!r} {caught.value}"


@seeded
@given(
    st.sampled_from(["110105", "440103", "310101"]),  # in force all the time
    st.dates(min_value=date(1985, 1, 1), max_value=date(2020, 12, 31)),
    sequences,
)
def test_another_library_agrees_on_residents(region: str, birthday: date, sequence: str) -> None:
    body = f"{region}{birthday:%Y%m%d}{sequence}"
    for last in "0123456789X":
        assert is_number(body + last) == ric.is_valid(body + last)
