"""Bank and return files: whole or refused, and a bad row never takes the good ones with it."""

import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import sm3
from issuance.card_files import (
    AccountOutcome,
    BadRow,
    BankReason,
    CardFileError,
    CardOutcome,
    Charset,
    ElementError,
    MakerReason,
    open_bank_opening,
    open_bank_return,
    open_maker_return,
    row_reading,
    write_bank_opening,
    write_bank_return,
    write_maker_return,
)
from issuance.card_files.row_reading import LINE_BYTES_MAX
from tests.issuance.card_files.samples import (
    BATCH,
    ISSUER,
    MADE_AT,
    NAMES,
    account_request,
    card_number,
    identity_number,
    made_by_hand,
    row_header,
)

CODE, RESET = "440604D15600000500000001", "00814A444686604406009C3F10"


def written(write: Callable[..., bytes], values: list[Any], **more: object) -> bytes:
    file = io.BytesIO()
    write(file, row_header(len(values), **more), values)
    return file.getvalue()


def refusal(data: bytes, opens: Callable[..., Any] = open_bank_return) -> CardFileError:
    with pytest.raises(CardFileError) as raised:
        opens(io.BytesIO(data))
    return raised.value


def rows_of(data: bytes, opens: Callable[..., Any] = open_bank_return) -> list[Any]:
    return list(opens(io.BytesIO(data)).rows())


def problems_of(row: Any) -> dict[str, str]:
    assert isinstance(row, BadRow)
    return {one.field: one.problem.code for one in row.problems}


OPENED = [
    AccountOutcome(1, card_number(1), "0123", None),
    AccountOutcome(2, card_number(2), None, BankReason.IDENTITY_UNCONFIRMED),
]
MADE = [
    CardOutcome(1, card_number(1), CODE, RESET, None),
    CardOutcome(3, card_number(3), None, None, MakerReason.CHIP_FAULT),
]


def test_an_opening_file_has_the_documented_bytes() -> None:
    data = written(write_bank_opening, [account_request(1)])
    number = identity_number(1)
    header = f"H|SSCBANKOPEN|1|GB18030|{BATCH}|{ISSUER}|102|1|20261130093000\n"
    row = (
        f"D|1|{card_number(1)}|1|{number}|{NAMES[1]}|1|19900101|01|13800000000|"
        "佛山市顺德区東樂路1号||\n"
    )
    body = (header + row).encode("gb18030")
    assert data == body + f"T|1|{sm3.digest(body).hex().upper()}\n".encode()


@pytest.mark.parametrize("charset", list(Charset))
def test_requests_come_back(charset: Charset) -> None:
    requests = [
        account_request(1, name="张伟"),
        account_request(2, name="東億", ethnic_group=None),
        account_request(5, name="李宁", guardian_name="张東", guardian_number=identity_number(3)),
    ]
    data = written(write_bank_opening, requests, charset=charset)
    found = open_bank_opening(io.BytesIO(data))
    assert list(found.rows()) == requests
    assert found.header == row_header(3, charset=charset)
    assert found.header.made_at == MADE_AT


@pytest.mark.parametrize("name", NAMES)
def test_rare_and_long_names_survive(name: str) -> None:
    requests = [account_request(1, name=name)]
    assert rows_of(written(write_bank_opening, requests), open_bank_opening) == requests


def test_where_only_gbk_is_taken_a_rare_name_is_refused_and_not_changed() -> None:
    for name in ("𠮷娜", "刘䶮"):
        with pytest.raises(ElementError) as raised:
            written(write_bank_opening, [account_request(1, name=name)], charset=Charset.GBK)
        assert (raised.value.code, raised.value.field) == ("not_in_gbk", "name")
        assert name not in raised.value.message_zh


@given(
    st.lists(
        st.tuples(st.integers(1, 1_000_000), st.sampled_from([None, *BankReason])),
        min_size=1,
        max_size=20,
        unique_by=lambda one: one[0],
    )
)
def test_bank_outcomes_come_back(outcomes: list[tuple[int, BankReason | None]]) -> None:
    values = [
        AccountOutcome(at, card_number(at), None if why else f"{at % 10_000:04d}", why)
        for at, why in sorted(outcomes, key=lambda one: one[0])
    ]
    assert rows_of(written(write_bank_return, values)) == values


def test_maker_outcomes_come_back() -> None:
    data = written(write_maker_return, MADE, partner="M01")
    assert rows_of(data, open_maker_return) == MADE
    assert f"D|1|{card_number(1)}|1|{CODE}|{RESET}|\n".encode() in data


def test_codes_come_back_in_one_form() -> None:
    row = f"D|1|{card_number(1)}|1|{CODE.lower()}ffffffff|{RESET.lower()}|"
    (found,) = rows_of(made_by_hand(row, kind="SSCCARDBACK"), open_maker_return)
    assert (found.card_identification_code, found.card_reset_information) == (CODE, RESET)


def test_lines_may_end_like_those_of_windows() -> None:
    (found,) = rows_of(made_by_hand("D|1|FS0000001|1|0123|", end="\r\n"))
    assert found == OPENED[0]


@pytest.mark.parametrize(
    ("row", "problems"),
    [
        ("D|2|FS0000001|1|0123", {"row": "row_fields"}),
        ("D|2|FS0000001|1|0123||", {"row": "row_fields"}),
        ("D|02|FS0000001|1|0123|", {"number": "field_number"}),
        ("D|1000001|FS0000001|1|0123|", {"number": "field_number"}),
        ("D|2|FS000001|1|0123|", {"card_number": "field_shape"}),
        ("D|2|FS0000001|2|0123|", {"outcome": "field_shape"}),
        ("D|2|FS0000001|1|012|", {"account_last_digits": "field_shape"}),
        ("D|2|FS0000001|1||", {"account_last_digits": "outcome_field_missing"}),
        ("D|2|FS0000001|1|0123|01", {"reason": "reason_surplus"}),
        ("D|2|FS0000001|0||", {"reason": "reason_missing"}),
        ("D|2|FS0000001|0||98", {"reason": "reason_unknown"}),
        ("D|2|FS0000001|0|0123|01", {"account_last_digits": "outcome_field_surplus"}),
        ("D|2|fs|3|x|y", dict.fromkeys(("card_number", "outcome", "account_last_digits", "reason"),
                                       "field_shape")),
    ],
)  # fmt: skip
def test_a_bad_row_is_told_apart_and_the_others_go_on(row: str, problems: dict[str, str]) -> None:
    first, bad, last = rows_of(made_by_hand("D|1|FS0000001|1|0123|", row, "D|3|FS0000003|0||99"))
    assert (first.number, last.number) == (1, 3)
    assert bad.line == 3
    assert problems_of(bad) == problems


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({3: "2"}, {"document": "document_differs"}),
        ({4: "440604199001010010"}, {"social_security_number": "number_check_character"}),
        ({5: "张3"}, {"name": "name_digit"}),
        ({7: "19900230"}, {"born_on": "field_date"}),
        ({7: "1990-1-1"}, {"born_on": "field_date"}),
        ({8: "57"}, {"ethnic_group": "field_ethnic"}),
        ({9: "23800000000"}, {"phone": "phone_not_mobile"}),
        ({10: ""}, {"address": "field_text"}),
        ({10: "a\tb"}, {"address": "field_text"}),
        ({10: "a "}, {"address": "field_text"}),
        ({10: "a" * 201}, {"address": "field_text"}),
        ({11: "张東"}, {"guardian_name": "guardian_half"}),
    ],
)
def test_a_bad_request_is_told_apart(changes: dict[int, str], problems: dict[str, str]) -> None:
    cells = ["D", *account_request(1, name="张伟").cells()]
    for at, value in changes.items():
        cells[at] = value
    (bad,) = rows_of(made_by_hand("|".join(cells), kind="SSCBANKOPEN"), open_bank_opening)
    assert problems_of(bad) == problems


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (b"hello\n", "kind_unknown"),
        (b"\xff\xfe\n", "kind_unknown"),
        (made_by_hand("D|1|FS0000001|1|0123|", kind="SSCCARDBACK"), "kind_other"),
        (made_by_hand("D|1|FS0000001|1|0123|", header="H|SSCBANKBACK|2|x"), "version_unknown"),
        (made_by_hand("D|1|FS0000001|1|0123|", header="H|SSCBANKBACK|1|x"), "header_bad"),
        (made_by_hand("D|1|FS0000001|1|0123|", count=2), "count_wrong"),
        (made_by_hand("D|1|FS0000001|1|0123|", trailer=2), "count_wrong"),
        (made_by_hand("D|1|FS0000001|1|0123|", trailer="x"), "trailer_bad"),
        (made_by_hand("D|1|FS0000001|1|0123|", "X|"), "line_unknown"),
        (made_by_hand("D|1|FS0000001|1|0123|", "D|1|FS0000001|1|0123|"), "numbers_disordered"),
        (made_by_hand("D|2|FS0000001|1|0123|", "D|1|FS0000001|1|0123|"), "numbers_disordered"),
        (made_by_hand("D|1|" + "x" * LINE_BYTES_MAX), "line_too_long"),
        (made_by_hand("D|1|FS0000001|1|0123|") + b"\n", "surplus"),
        (made_by_hand("D|1|FS0000001|1|0123|").replace(b"0123", b"0124"), "digest_wrong"),
        (made_by_hand("D|1|FS0000001|1|0123|").replace(b"\n", b"\r\n"), "digest_wrong"),
        (made_by_hand("D|1|FS0000001|1|0123|").replace(b"FS", b"\xff\xff"), "not_text"),
    ],
)
def test_a_bad_file_is_refused_whole(data: bytes, code: str) -> None:
    error = refusal(data)
    assert error.code == code
    assert "{" not in error.message_zh + error.message_en


def test_a_file_that_says_gbk_has_nothing_but_gbk_in_it() -> None:
    data = written(write_bank_opening, [account_request(1, name="𠮷娜")])
    lines = data.decode("gb18030").splitlines()[:-1]
    said = made_by_hand(*lines[1:], header=lines[0].replace("GB18030", "GBK"))
    assert refusal(said, open_bank_opening).code == "not_text"


@pytest.mark.parametrize(
    ("part", "header"),
    [
        ("charset", "H|SSCBANKBACK|1|UTF-8|b|7|102|1|20261130093000"),
        ("batch", "H|SSCBANKBACK|1|GBK|批|7|102|1|20261130093000"),
        ("batch", "H|SSCBANKBACK|1|GBK|" + "b" * 33 + "|7|102|1|20261130093000"),
        ("issuer", "H|SSCBANKBACK|1|GBK|b|65536|102|1|20261130093000"),
        ("partner", "H|SSCBANKBACK|1|GBK|b|7||1|20261130093000"),
        ("records", "H|SSCBANKBACK|1|GBK|b|7|102|0|20261130093000"),
        ("records", "H|SSCBANKBACK|1|GBK|b|7|102|1000001|20261130093000"),
        ("made_at", "H|SSCBANKBACK|1|GBK|b|7|102|1|20261131093000"),
    ],
)
def test_a_bad_header_names_its_field(part: str, header: str) -> None:
    error = refusal(made_by_hand("D|1|FS0000001|1|0123|", header=header))
    assert error.code == "header_bad"
    assert part in error.message_zh
    assert part in error.message_en


def test_every_changed_byte_and_every_cut_is_refused() -> None:
    data = written(write_bank_return, OPENED)
    for at in range(len(data)):
        refusal(data[:at])
        changed = bytearray(data)
        changed[at] ^= 0x01
        refusal(bytes(changed))


def test_a_file_that_changes_while_it_is_read_is_noticed() -> None:
    file = io.BytesIO(written(write_bank_return, OPENED))
    opened = open_bank_return(file)
    file.seek(0)
    other = AccountOutcome(2, card_number(2), None, BankReason.DECLINED)
    file.write(written(write_bank_return, [OPENED[0], other]))
    with pytest.raises(CardFileError) as raised:
        list(opened.rows())
    assert raised.value.code == "file_changed"


def test_a_writer_that_is_given_other_rows_than_its_header_says_fails() -> None:
    for values, records in ((OPENED, 3), (OPENED[::-1], 2), ([OPENED[0]] * 2, 2)):
        with pytest.raises(ValueError, match=r"rows"):
            write_bank_return(io.BytesIO(), row_header(records), values)


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("address", {"address": "a|b"}),
        ("address", {"address": "a\nb"}),
        ("address", {"address": "\ud800"}),
        ("name", {"name": "a|b"}),
        ("phone", {"phone": "1"}),
        ("card_number", {"card_number": "FS1"}),
        ("social_security_number", {"social_security_number": "440604199001010010"}),
    ],
)
def test_a_value_that_would_break_the_row_is_not_written(field: str, more: dict[str, str]) -> None:
    with pytest.raises(ElementError) as raised:
        written(write_bank_opening, [account_request(1, **more)])
    assert raised.value.field == field
    with pytest.raises(ElementError):
        account_request(1, **more).check()
    for header in (
        {"batch": "a|b"},
        {"partner": "x"},
        {"issuer": 65536},
        {"made_at": MADE_AT.replace(tzinfo=None)},
    ):
        with pytest.raises(ElementError):
            write_bank_return(io.BytesIO(), row_header(**{"records": 2, **header}), OPENED)


def test_nothing_shows_whose_row_it_is() -> None:
    assert card_number(1) not in repr(OPENED[0])
    assert "张" not in repr(account_request(1, name="张伟"))


def test_a_long_file_is_never_in_memory(tmp_path: Path) -> None:
    count, path = 4000, tmp_path / "back.txt"
    with path.open("wb") as file:
        results = (AccountOutcome(at, card_number(at), "0123", None) for at in range(1, count + 1))
        tracemalloc.start()
        write_bank_return(file, row_header(count), results)
    with path.open("rb") as file:
        found = sum(1 for _ in open_bank_return(file).rows())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == count
    assert peak < path.stat().st_size // 2


@pytest.mark.parametrize(
    ("limit", "value", "code"),
    [("RECORDS_MAX", 1, "too_many"), ("FILE_BYTES_MAX", 100, "file_too_large")],
)
def test_a_file_beyond_the_limits_is_refused(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int, code: str
) -> None:
    data = written(write_bank_return, OPENED)
    monkeypatch.setattr(row_reading, limit, value)
    assert refusal(data).code == code
