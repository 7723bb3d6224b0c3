"""Rosters made for one test: valid people, changed where the test says so."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from stdnum.iso7064 import mod_11_2

from issuance.roster import WholeRoster

Row = Mapping[str, str]
TODAY = date(2026, 11, 22)


def valid_number(
    birth_on: str = "19651030", *, region: str = "440604", sequence: str = "001"
) -> str:
    body = f"{region}{birth_on}{sequence}"
    return body + mod_11_2.calc_check_digit(body)


VALID_ROW: Row = {
    "序号": "1",
    "姓名": "邓小军",
    "证件类型": "居民身份证",
    "证件号码": valid_number(),
    "性别": "男",
    "民族": "汉",
    "出生日期": "1965-10-30",
    "手机号码": "13225611477",
    "通讯地址": "广东省佛山市禅城区福民路213号",
    "户籍行政区划": "440604",
    "申领类型": "新申领",
    "发卡银行": "102",
    "领卡网点": "440604015",
    "监护人姓名": "",
    "监护人证件号码": "",
}
TITLES = tuple(VALID_ROW)


CheckBytes = Callable[..., WholeRoster]
CheckRow = Callable[..., WholeRoster]


def to_csv(rows: Iterable[Iterable[str]], *, encoding: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


def people(count: int) -> list[dict[str, str]]:
    """Valid rows of different people, all men born on the same day."""
    return [
        {**VALID_ROW, "证件号码": valid_number(sequence=f"{2 * at + 1:03d}")} for at in range(count)
    ]


def found(report: WholeRoster) -> set[tuple[str, str]]:
    """The (field, code) pairs of the first refused row; empty if none is refused."""
    if not report.refused:
        return set()
    return {(field, problem.code) for field, problem in report.refused[0].problems}


def warned(report: WholeRoster) -> set[tuple[str, str]]:
    return {(field, problem.code) for row in report.warnings for field, problem in row.problems}
