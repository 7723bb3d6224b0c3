"""One row and all that can be wrong with it."""

from datetime import date

import pytest
from roster_making import (
    TITLES,
    VALID_ROW,
    CheckBytes,
    CheckRow,
    found,
    people,
    to_csv,
    valid_number,
    warned,
)

from card_core.application import ApplicationKind
from card_core.identity import Sex


def test_a_valid_row_becomes_an_application(check_row: CheckRow) -> None:
    report = check_row()
    (application,) = report.applications
    assert report.to_json() == {"accepted": [1], "refused": [], "warnings": []}
    assert application.row == 1
    assert application.number.text == VALID_ROW["证件号码"]
    assert application.name == "邓小军"
    assert application.sex is Sex.MALE
    assert application.birth_on == date(1965, 10, 30)
    assert application.ethnic_code == "01"
    assert application.phone == "13225611477"
    assert application.address == "广东省佛山市禅城区福民路213号"
    assert (application.region, application.bank, application.branch) == (
        "440604",
        "102",
        "440604015",
    )
    assert application.kind is ApplicationKind.NEW
    assert application.guardian_name is None
    assert application.guardian_number is None


def test_an_application_does_not_show_its_holder(check_row: CheckRow) -> None:
    (application,) = check_row().applications
    assert "邓" not in repr(application)
    assert "1965" not in f"{application!r} {application.number!r}"


@pytest.mark.parametrize("title", [title for title in TITLES[1:] if VALID_ROW[title]])
@pytest.mark.parametrize("empty", ["", "  ", "\u3000"])
def test_a_missing_value_is_refused(check_row: CheckRow, title: str, empty: str) -> None:
    assert found(check_row(**{title: empty})) == {(title, "value_missing")}


@pytest.mark.parametrize("title", TITLES[1:])
def test_a_formula_is_refused_wherever_it_stands(check_row: CheckRow, title: str) -> None:
    assert (title, "formula_cell") in found(check_row(**{title: "=1+1"}))


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_an_address_that_a_spreadsheet_would_run_is_refused(
    check_row: CheckRow, start: str
) -> None:
    assert found(check_row(通讯地址=f"{start}cmd|' /C calc'!A0")) == {("通讯地址", "formula_cell")}


def test_a_formula_beside_our_columns_is_nobodys_business(check_row: CheckRow) -> None:
    assert found(check_row(序号="=ROW()-1")) == set()


@pytest.mark.parametrize(
    ("title", "value", "code"),
    [
        ("姓名", "王1小2", "name_digit"),
        ("姓名", "<script>", "name_character"),
        ("姓名", "王" * 26, "name_too_long"),
        ("姓名", "·艾力", "name_shape"),
        ("证件类型", "护照", "certificate_unknown"),
        ("证件类型", "港澳台居民居住证", "certificate_mismatch"),
        ("证件类型", "外国人永久居留身份证", "certificate_mismatch"),
        ("证件号码", "440604651030001", "number_15_digits_out_of_use"),
        ("证件号码", "44060419651030001", "number_length"),
        ("证件号码", "4.40604E+17", "number_rounded"),
        ("证件号码", "4.40604196510300E+17", "number_rounded"),
        ("证件号码", "H12345678", "number_length"),
        ("性别", "女", "sex_mismatch"),
        ("性别", "不详", "sex_unknown"),
        ("民族", "火星", "ethnic_group_unknown"),
        ("出生日期", "1965-10-31", "birth_mismatch"),
        ("出生日期", "1990-02-30", "birth_impossible"),
        ("出生日期", "30/10/1965", "birth_unreadable"),
        ("出生日期", "六五年十月", "birth_unreadable"),
        ("手机号码", "259937799", "phone_not_mobile"),
        ("手机号码", "0757-82228888", "phone_not_mobile"),
        ("通讯地址", "福民路\x07213号", "address_character"),
        ("通讯地址", "福民路\u202e213号", "address_character"),
        ("通讯地址", "福" * 501, "cell_too_long"),
        ("户籍行政区划", "4406", "region_shape"),
        ("户籍行政区划", "佛山市", "region_shape"),
        ("申领类型", "挂失补卡", "kind_unsupported"),
        ("发卡银行", "999", "bank_unknown"),
        ("领卡网点", "44", "branch_shape"),
        ("领卡网点", "四四〇六", "branch_shape"),
        ("监护人姓名", "邓大军", "guardian_incomplete"),
        ("监护人证件号码", valid_number("19401030"), "guardian_incomplete"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    check_row: CheckRow, title: str, value: str, code: str
) -> None:
    report = check_row(**{title: value})
    assert report.applications == ()
    assert code in {problem.code for _, problem in report.refused[0].problems}
    assert value not in str(report.to_json())


def test_all_problems_of_a_row_are_told_at_once_in_the_order_of_its_columns(
    check_row: CheckRow,
) -> None:
    report = check_row(
        姓名="王1", 性别="女", 民族="火星", 手机号码="1", 发卡银行="999", 领卡网点=""
    )
    assert [(field, problem.code) for field, problem in report.refused[0].problems] == [
        ("姓名", "name_digit"),
        ("性别", "sex_mismatch"),
        ("民族", "ethnic_group_unknown"),
        ("手机号码", "phone_not_mobile"),
        ("发卡银行", "bank_unknown"),
        ("领卡网点", "value_missing"),
    ]


def test_what_only_follows_from_a_mistyped_number_is_not_told_besides(check_row: CheckRow) -> None:
    good = VALID_ROW["证件号码"]
    assert found(check_row(证件号码=good[:-2] + "8" + good[-1])) == {
        ("证件号码", "number_check_character")
    }


@pytest.mark.parametrize("region", ["810000", "820000", "830000"])
def test_a_residence_permit_of_hong_kong_macao_or_taiwan_is_accepted(
    check_row: CheckRow, region: str
) -> None:
    number = valid_number(region=region)
    assert found(check_row(证件类型="港澳台居民居住证", 证件号码=number)) == set()
    assert found(check_row(证件号码=number)) == {("证件类型", "certificate_mismatch")}


def test_foreigners_are_accepted_with_either_number_and_without_an_ethnic_group(
    check_row: CheckRow,
) -> None:
    foreigner = {
        "姓名": "AIGERIM NURLAN",
        "证件类型": "外国人永久居留身份证",
        "性别": "女",
        "民族": "",
        "出生日期": "1990-12-31",
    }
    for number in ("KAZ110090123105", "911398199012310021", "kaz110090123105"):
        (application,) = check_row(**foreigner, 证件号码=number).applications
        assert application.ethnic_code is None
    assert found(check_row(民族="")) == {("民族", "value_missing")}


@pytest.mark.parametrize("certificate", ["居民身份证", "身份证", "居民户口簿", "户口簿"])
def test_a_resident_may_show_either_document(check_row: CheckRow, certificate: str) -> None:
    assert found(check_row(证件类型=certificate)) == set()


def test_an_unknown_county_is_a_warning_and_no_refusal(check_row: CheckRow) -> None:
    report = check_row(证件号码=valid_number(region="133199"), 户籍行政区划="133199")
    assert len(report.applications) == 1
    assert warned(report) == {
        ("证件号码", "number_county_unknown"),
        ("户籍行政区划", "region_unknown"),
    }


def test_an_unknown_province_is_refused(check_row: CheckRow) -> None:
    assert found(check_row(证件号码=valid_number(region="160101"))) == {
        ("证件号码", "number_province_unknown")
    }


CHILD = {"证件号码": valid_number("20150718"), "出生日期": "2015-07-18"}
PARENT = {"监护人姓名": "邓大军", "监护人证件号码": valid_number("19850718")}


def test_a_child_needs_a_guardian(check_row: CheckRow) -> None:
    assert found(check_row(**CHILD)) == {
        ("监护人姓名", "guardian_required"),
        ("监护人证件号码", "guardian_required"),
    }
    (application,) = check_row(**CHILD, **PARENT).applications
    assert application.guardian_name == "邓大军"
    assert application.guardian_number is not None
    assert application.guardian_number.text == PARENT["监护人证件号码"]


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("", PARENT["监护人证件号码"], ("监护人姓名", "guardian_required")),
        ("邓大军", "", ("监护人证件号码", "guardian_required")),
        ("邓2", PARENT["监护人证件号码"], ("监护人姓名", "name_digit")),
        ("邓大军", valid_number("20081123"), ("监护人证件号码", "guardian_not_adult")),
        ("邓大军", valid_number("20930506"), ("监护人证件号码", "guardian_not_adult")),
        ("邓大军", valid_number("18710506"), ("监护人证件号码", "birth_too_long_ago")),
        ("邓大军", "440604850718001", ("监护人证件号码", "number_15_digits_out_of_use")),
        ("邓大军", "=A1", ("监护人证件号码", "formula_cell")),
        ("=A1", PARENT["监护人证件号码"], ("监护人姓名", "formula_cell")),
    ],
)
def test_a_guardian_is_an_adult_with_a_name_and_a_valid_number(
    check_row: CheckRow, name: str, number: str, expected: tuple[str, str]
) -> None:
    assert found(check_row(**CHILD, 监护人姓名=name, 监护人证件号码=number)) == {expected}


def test_a_guardian_is_needed_until_the_sixteenth_birthday(check_row: CheckRow) -> None:
    young = {"证件号码": valid_number("20101122"), "出生日期": "2010-11-22"}
    assert found(check_row(**young, today=date(2026, 11, 22))) == set()
    assert len(found(check_row(**young, today=date(2026, 11, 21)))) == 2


def test_a_guardian_is_grown_up_from_the_eighteenth_birthday(check_row: CheckRow) -> None:
    guardian = {"监护人姓名": "邓大军", "监护人证件号码": valid_number("20081122")}
    assert found(check_row(**CHILD, **guardian, today=date(2026, 11, 22))) == set()
    assert found(check_row(**CHILD, **guardian, today=date(2026, 11, 21))) == {
        ("监护人证件号码", "guardian_not_adult")
    }


def test_an_adult_may_have_a_guardian(check_row: CheckRow) -> None:
    assert found(check_row(**PARENT)) == set()


def test_of_one_person_the_first_good_row_stays(check_bytes: CheckBytes) -> None:
    first, second = people(2)
    broken = {**first, "手机号码": "1"}
    rows = [broken, first, second, {**first, "姓名": "李四", "民族": "火星"}, second]
    report = check_bytes(to_csv([TITLES, *(list(row.values()) for row in rows)]))
    assert report.to_json()["accepted"] == [2, 3]
    refused = {row.row: {problem.code for _, problem in row.problems} for row in report.refused}
    assert refused == {
        1: {"phone_not_mobile"},
        4: {"ethnic_group_unknown", "duplicate_in_roster"},
        5: {"duplicate_in_roster"},
    }
    assert "第3行" in report.refused[-1].problems[0].problem.message_zh


def test_the_same_number_written_differently_is_the_same_person(check_bytes: CheckBytes) -> None:
    (person,) = people(1)
    spaced = {**person, "证件号码": f" {person['证件号码'][:6]} {person['证件号码'][6:]}"}
    report = check_bytes(to_csv([TITLES, person.values(), spaced.values()]))
    assert report.to_json()["accepted"] == [1]


def test_a_row_shifted_by_a_comma_is_refused(check_bytes: CheckBytes) -> None:
    content = to_csv([TITLES, [*VALID_ROW.values()], [*people(2)[1].values(), "1", "A座"]])
    report = check_bytes(content)
    assert report.to_json()["accepted"] == [1]
    assert {problem.code for _, problem in report.refused[0].problems} == {"row_shifted"}


def test_blank_rows_are_passed_over_and_keep_their_number(check_bytes: CheckBytes) -> None:
    one, two = people(2)
    blank = [" "] * len(TITLES)
    content = to_csv([TITLES, one.values(), blank, [], two.values(), blank])
    assert check_bytes(content).to_json()["accepted"] == [1, 4]
