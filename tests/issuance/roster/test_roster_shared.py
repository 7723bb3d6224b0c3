"""Two whole rosters with planted defects: exactly those rows are refused, each for its defect."""

import json
from datetime import date
from pathlib import Path

import pytest

from issuance.roster import WholeRoster, check_roster

ROSTERS = Path(__file__).parents[2] / "rosters"
NAMES = ("foshan-2000.csv", "foshan-600.xlsx")

# What was planted, and where and how the report says so.
FINDINGS = {
    "bad_check": {("证件号码", "number_check_character")},
    "bad_guardian_id": {("监护人证件号码", "number_check_character")},
    "bad_phone": {("手机号码", "phone_not_mobile")},
    "birth_before_1880": {("出生日期", "birth_too_long_ago")},
    "birth_mismatch": {("出生日期", "birth_mismatch")},
    "duplicate_in_file": {("证件号码", "duplicate_in_roster")},
    "formula_cell": {("姓名", "formula_cell")},
    "future_birth": {("出生日期", "birth_in_future")},
    "impossible_date": {
        ("证件号码", "number_birth_impossible"),
        ("出生日期", "birth_impossible"),
    },
    "minor_without_guardian": {
        ("监护人姓名", "guardian_required"),
        ("监护人证件号码", "guardian_required"),
    },
    "missing_id": {("证件号码", "value_missing")},
    "missing_name": {("姓名", "value_missing")},
    "name_digits": {("姓名", "name_digit")},
    "old_15_digit": {("证件号码", "number_15_digits_out_of_use")},
    "sex_mismatch": {("性别", "sex_mismatch")},
    "short_id": {("证件号码", "number_length")},
    "unknown_bank": {("发卡银行", "bank_unknown")},
    "unknown_ethnic": {("民族", "ethnic_group_unknown")},
}


def expected(name: str) -> tuple[list[int], dict[int, str]]:
    outcome = json.loads((ROSTERS / name).with_suffix(".expected.json").read_text())
    return outcome["accept"], {int(row): why for row, why in outcome["reject"].items()}


def check(name: str, today: date = date(2026, 11, 22)) -> WholeRoster:
    return check_roster(ROSTERS / name, today=today)


@pytest.mark.parametrize("name", NAMES)
def test_exactly_the_expected_rows_are_accepted_and_refused(name: str) -> None:
    accepted, refused = expected(name)
    report = check(name).to_json()
    assert report["accepted"] == accepted
    assert [row["row"] for row in report["refused"]] == sorted(refused)


@pytest.mark.parametrize("name", NAMES)
def test_every_planted_defect_is_called_by_its_name_and_nothing_else_is(name: str) -> None:
    _, refused = expected(name)
    for row in check(name).to_json()["refused"]:
        told = {(problem["field"], problem["code"]) for problem in row["problems"]}
        assert told == FINDINGS[refused[row["row"]]], row["row"]


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 6, 30), date(2026, 12, 31)])
@pytest.mark.parametrize("name", NAMES)
def test_the_outcome_is_the_same_all_year(name: str, today: date) -> None:
    assert check(name, today).to_json() == check(name).to_json()


@pytest.mark.parametrize("name", NAMES)
def test_every_problem_says_what_to_do_in_both_languages_and_repeats_nothing(name: str) -> None:
    report = check(name).to_json()
    assert set(report) == {"accepted", "refused", "warnings"}
    for row in report["refused"] + report["warnings"]:
        assert set(row) == {"row", "problems"}
        for problem in row["problems"]:
            assert set(problem) == {"field", "code", "message_zh", "message_en"}
            assert all(problem.values())
            # Eleven digits on end would be a phone, eighteen a number.
            assert not any(len(part) >= 6 for part in _digit_runs(problem["message_zh"]))
            assert not any(len(part) >= 6 for part in _digit_runs(problem["message_en"]))


def test_the_accepted_people_are_complete() -> None:
    report = check("foshan-2000.csv")
    assert all(
        application.name and application.phone and application.region and application.branch
        for application in report.applications
    )
    assert all(application.birth_on.year > 1895 for application in report.applications)
    minors = [one for one in report.applications if one.birth_on > date(2010, 12, 31)]
    assert minors
    assert all(minor.guardian_name and minor.guardian_number for minor in minors)


def test_the_same_people_in_any_encoding_give_the_same_report(tmp_path: Path) -> None:
    original = (ROSTERS / "foshan-2000.csv").read_bytes()
    text = original.decode("gb18030")
    reports = []
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes(text.encode(encoding))
        reports.append(check_roster(path, today=date(2026, 11, 22)))
    assert reports[0].applications == reports[1].applications == reports[2].applications
    assert reports[0].to_json() == reports[1].to_json() == reports[2].to_json()
    assert len({report.digest_hex for report in reports}) == 3


def _digit_runs(text: str) -> list[str]:
    return "".join(c if c.isdigit() else " " for c in text).split()
