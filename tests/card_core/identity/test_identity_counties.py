"""The county table against another one, compiled by other people from another source."""

from pathlib import Path

import stdnum.cn

from card_core.identity.counties import COUNTIES, PREFECTURES
from card_core.identity.number import PROVINCES


def another_table() -> set[str]:
    path = Path(stdnum.cn.__file__).with_name("loc.dat")
    codes, province = set(), ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        code = line.split()[0]
        if line.startswith(" "):
            codes.add(province + code)
        else:
            province = code
    return {code for code in codes if not code.endswith("0000")}


def test_nearly_every_code_of_another_table_is_known() -> None:
    others = another_table()
    assert len(others) > 6000
    assert len(others - COUNTIES) <= 10


def test_every_code_is_six_digits_in_a_province() -> None:
    assert all(len(code) == 6 and code.isdigit() for code in COUNTIES)
    assert {code[:2] for code in COUNTIES} <= PROVINCES
    assert all(code[:2] in PROVINCES for code in PREFECTURES)


def test_every_province_of_the_mainland_has_counties() -> None:
    assert {code[:2] for code in COUNTIES} >= PROVINCES - {"71", "81", "82"}
