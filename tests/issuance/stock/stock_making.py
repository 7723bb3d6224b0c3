"""A bureau's card stock as a file: 600 rows, of which some are messy, and what becomes of each."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date

from bureau import make_number

from issuance.stock.columns import TITLES

TODAY = date(2026, 11, 22)
ROWS = 600
Row = dict[str, str]


def valid_row(serial: int) -> Row:
    return {
        "卡号": f"ZS{serial:07d}",
        "卡识别码": f"440604D156000005{serial:08X}",
        "社会保障号码": make_number(3_000_000 + serial).text,
        "姓名": f"存量{chr(0x4E00 + serial % 2000)}",
        "卡应用状态": "1",
        "发卡银行": "102",
        "发卡日期": "2020-05-06",
        "卡有效期": "2030-05-06",
        "手机号码": f"136{serial:08d}",
    }


# By row: what is changed of a valid one, and the problems that the row has then.
MESSY: Mapping[int, tuple[Row, set[tuple[str, str]]]] = {
    10: ({"卡号": "ZS00001"}, {("卡号", "card_number_shape")}),
    20: ({"卡号": ""}, {("卡号", "value_missing")}),
    30: ({"卡识别码": "440604D15600000500"}, {("卡识别码", "identification_code_shape")}),
    40: ({"卡识别码": "4.40604E+23"}, {("卡识别码", "identification_code_rounded")}),
    50: ({"社会保障号码": "440604800101101"}, {("社会保障号码", "number_15_digits_out_of_use")}),
    60: ({"社会保障号码": "4.40604E+17"}, {("社会保障号码", "number_rounded")}),
    70: (
        {"姓名": "", "卡应用状态": "7", "发卡银行": "999", "手机号码": "12"},
        {
            ("姓名", "value_missing"),
            ("卡应用状态", "state_unknown"),
            ("发卡银行", "bank_unknown"),
            ("手机号码", "phone_not_mobile"),
        },
    ),
    80: ({"卡应用状态": "6"}, {("卡应用状态", "state_void")}),
    90: ({"发卡日期": "2020-02-30"}, {("发卡日期", "date_unreadable")}),
    100: (
        {"发卡日期": "2027-01-01", "卡有效期": "2026-12-31"},
        {("发卡日期", "issued_in_future"), ("卡有效期", "expires_before_issue")},
    ),
    110: ({"姓名": "=1+1"}, {("姓名", "formula_cell")}),
    120: ({"卡号": "ZS0000001"}, {("卡号", "card_number_twice")}),
    130: ({"卡识别码": valid_row(1)["卡识别码"]}, {("卡识别码", "identification_code_twice")}),
    140: (
        {"社会保障号码": valid_row(1)["社会保障号码"], "姓名": valid_row(1)["姓名"]},
        {("社会保障号码", "person_twice")},
    ),
    150: (
        {"社会保障号码": valid_row(1)["社会保障号码"], "姓名": "另一人", "卡应用状态": "9"},
        {("姓名", "name_differs_in_file")},
    ),
}
# Rows that are untidy, and good.
UNTIDY: Mapping[int, Row] = {
    200: {"卡号": "ｚｓ0000200", "卡识别码": valid_row(200)["卡识别码"].lower()},
    210: {"卡识别码": valid_row(210)["卡识别码"] + "FFFFFFFF"},
    220: {"卡应用状态": "正常", "发卡日期": "20200506", "卡有效期": "2030/5/6"},
    230: {"卡应用状态": "未启用", "手机号码": ""},
    240: {"手机号码": "+86 136 0000 0240"},
    # an earlier card of somebody who has a live one in the same file
    250: {
        "社会保障号码": valid_row(249)["社会保障号码"],
        "姓名": valid_row(249)["姓名"],
        "卡应用状态": "9",
    },
}
WARNED: Mapping[int, tuple[Row, set[tuple[str, str]]]] = {
    260: ({"卡有效期": "2026-11-21"}, {("卡有效期", "card_expired")}),
}


def stock_rows() -> list[Row]:
    rows = [valid_row(serial) for serial in range(1, ROWS + 1)]
    for number, (changes, _) in {**MESSY, **WARNED}.items():
        rows[number - 1] |= changes
    for number, row in UNTIDY.items():
        rows[number - 1] |= row
    return rows


def to_csv(
    rows: Iterable[Row], *, titles: Iterable[str] = TITLES, encoding: str = "gb18030"
) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(titles)
    writer.writerows([row[title] for title in TITLES] for row in rows)
    return text.getvalue().encode(encoding)
