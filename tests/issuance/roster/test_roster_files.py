"""A file that can't be used is refused whole, with one clear reason; odd but good ones are read."""

import io
import os
import stat
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roster_making import (
    TITLES,
    TODAY,
    VALID_ROW,
    CheckBytes,
    found,
    people,
    to_csv,
)

from crypto import sm3
from issuance.roster import RosterFileError, check_roster, file_error
from issuance.roster.csv_rows import csv_rows, detect_encoding

GOOD = to_csv([TITLES, VALID_ROW.values()])
COMPOUND_FILE = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(504)


def refusal(check_bytes: CheckBytes, content: bytes, name: str = "roster.csv") -> str:
    with pytest.raises(RosterFileError) as caught:
        check_bytes(content, name=name)
    assert caught.value.message_zh
    assert caught.value.message_en
    return caught.value.code


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("roster.csv", b"", "file_empty"),
        ("roster.xlsx", b"", "file_empty"),
        ("roster.csv", b"\xef\xbb\xbf", "file_empty"),
        ("roster.csv", b"\r\n\r\n", "file_empty"),
        ("roster.csv", b"\x00\x01\x02binary", "file_not_text"),
        ("roster.csv", b"\xff\xff\xff\xff", "file_not_text"),
        ("roster.csv", GOOD.decode().encode("utf-16"), "file_not_text"),
        ("roster.csv", GOOD + b"\xff\xff", "file_not_text"),
        ("roster.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "file_not_text"),
        ("roster.csv", b"PK\x03\x04 and so on", "file_kind_mismatch"),
        ("roster.xlsx", GOOD, "file_kind_mismatch"),
        ("roster.pdf", b"%PDF-1.7", "file_kind_unsupported"),
        ("roster", GOOD, "file_kind_unsupported"),
        ("roster.xls", COMPOUND_FILE, "workbook_old"),
        ("roster.xlsx", COMPOUND_FILE, "workbook_old"),
        (
            "roster.xlsx",
            COMPOUND_FILE + "EncryptedPackage".encode("utf-16-le"),
            "workbook_encrypted",
        ),
        ("roster.xlsx", b"PK\x03\x04 and so on", "workbook_damaged"),
        ("roster.csv", to_csv([TITLES]), "rows_missing"),
        ("roster.csv", to_csv([TITLES, [""] * 15, [" "]]), "rows_missing"),
        ("roster.csv", to_csv([VALID_ROW.values()]), "columns_missing"),
        ("roster.csv", b"just some text\n", "columns_missing"),
        ("roster.csv", to_csv([[*TITLES, "姓名"], VALID_ROW.values()]), "columns_doubled"),
        ("roster.csv", to_csv([[*TITLES, *map(str, range(60))]]), "columns_too_many"),
        ("roster.csv", GOOD + b"," * 100_000, "line_too_long"),
        ("roster.csv", GOOD + b'2,"never closed', "quotes_unclosed"),
        ("roster.csv", GOOD + b'2,"closed"too early,3\n', "quotes_unclosed"),
        ("roster.csv", GOOD + b'2,"' + b"x\n" * 100_000 + b'"\n', "quotes_unclosed"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_whole(
    check_bytes: CheckBytes, name: str, content: bytes, code: str
) -> None:
    assert refusal(check_bytes, content, name) == code


@pytest.mark.parametrize("title", TITLES[1:])
def test_a_missing_column_is_named(check_bytes: CheckBytes, title: str) -> None:
    row = {key: value for key, value in VALID_ROW.items() if key != title}
    with pytest.raises(RosterFileError) as caught:
        check_bytes(to_csv([row, row.values()]))
    assert caught.value.code == "columns_missing"
    assert title in caught.value.message_zh
    assert title in caught.value.message_en


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RosterFileError) as caught:
        check_roster(tmp_path / "nothing.csv", today=TODAY)
    assert caught.value.code == "file_missing"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "roster.csv"
    folder.mkdir()
    with pytest.raises(RosterFileError) as caught:
        check_roster(folder, today=TODAY)
    assert caught.value.code == "file_is_folder"


def test_a_device_is_not_read() -> None:
    assert stat.S_ISCHR(os.stat("/dev/zero").st_mode)
    with pytest.raises(RosterFileError) as caught:
        check_roster(Path("/dev/zero"), today=TODAY)
    assert caught.value.code == "file_unreadable"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    os.mkfifo(path)
    with pytest.raises(RosterFileError) as caught:
        check_roster(path, today=TODAY)
    assert caught.value.code == "file_unreadable"


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    with path.open("wb") as file:
        file.truncate(file_error.FILE_BYTES_MAX + 1)  # sparse: takes no room
    with pytest.raises(RosterFileError) as caught:
        check_roster(path, today=TODAY)
    assert caught.value.code == "file_too_large"


def test_a_file_that_changes_under_the_reader_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(to_csv([TITLES, *(row.values() for row in people(400) * 3)]))

    def change(done: int, expected: int | None) -> None:
        path.write_bytes(GOOD)

    with pytest.raises(RosterFileError) as caught:
        check_roster(path, today=TODAY, progress=change)
    assert caught.value.code == "file_changed"


def test_an_error_names_its_code_and_no_row(check_bytes: CheckBytes) -> None:
    with pytest.raises(RosterFileError) as caught:
        check_bytes(GOOD + b'2,"secret')
    assert "secret" not in f"{caught.value!r} {caught.value}"
    assert caught.value.code in str(caught.value)


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_line_ends_and_encodings_of_any_system_are_read(
    check_bytes: CheckBytes, ending: str, encoding: str
) -> None:
    rows = [TITLES, *(row.values() for row in people(3))]
    text = "".join(",".join(row) + ending for row in rows)
    report = check_bytes(text.encode(encoding))
    assert report.to_json()["accepted"] == [1, 2, 3]
    assert report.applications[0].name == "邓小军"


@settings(derandomize=True, deadline=None)
@given(st.text(st.characters(min_codepoint=0x3400, max_codepoint=0x9FFF), min_size=4))
def test_text_is_told_by_its_bytes(text: str) -> None:
    for encoding, expected in (("utf-8", "utf-8-sig"), ("gb18030", "gb18030")):
        file = io.BytesIO(f"序号,{text}\n".encode(encoding))
        assert detect_encoding(file) == expected
        ((_, cells),) = csv_rows(file, expected)
        assert cells == ["序号", text]


def test_columns_may_stand_in_any_order_among_others(check_bytes: CheckBytes) -> None:
    row = {"备注": "x", **dict(reversed(VALID_ROW.items())), "单位": "y"}
    report = check_bytes(to_csv([row, row.values()]))
    assert found(report) == set()
    assert report.applications[0].name == "邓小军"


def test_titles_may_have_spaces_and_trailing_empty_columns(check_bytes: CheckBytes) -> None:
    titles = [f" {title[0]}\u3000{title[1:]}" for title in TITLES] + ["", ""]
    assert found(check_bytes(to_csv([titles, [*VALID_ROW.values(), "", ""]]))) == set()


def test_a_bureaus_own_columns_may_be_doubled(check_bytes: CheckBytes) -> None:
    content = to_csv([[*TITLES, "备注", "备注"], [*VALID_ROW.values(), "a", "b"]])
    assert found(check_bytes(content)) == set()


def test_rows_may_end_early(check_bytes: CheckBytes) -> None:
    assert found(check_bytes(to_csv([TITLES, list(VALID_ROW.values())[:13]]))) == set()


def test_a_cell_may_hold_commas_quotes_and_line_ends(check_bytes: CheckBytes) -> None:
    row = {**VALID_ROW, "通讯地址": '福民路147号,"阳光"\n花园A座'}
    (application,) = check_bytes(to_csv([TITLES, row.values()])).applications
    assert application.address == '福民路147号,"阳光" 花园A座'


def test_rows_over_the_limit_are_refused(
    check_bytes: CheckBytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("issuance.roster.read.ROWS_MAX", 2)
    rows = [row.values() for row in people(3)]
    assert len(check_bytes(to_csv([TITLES, *rows[:2]])).applications) == 2
    assert refusal(check_bytes, to_csv([TITLES, *rows])) == "rows_too_many"


def test_progress_is_told_now_and_then_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(to_csv([TITLES, *(row.values() for row in people(400) * 6)]))
    told: list[tuple[int, int | None]] = []
    check_roster(path, today=TODAY, progress=lambda done, of: told.append((done, of)))
    assert told == [(1000, 2400), (2000, 2400), (2400, 2400)]


def test_the_digest_is_that_of_the_files_bytes(check_bytes: CheckBytes) -> None:
    assert check_bytes(GOOD).digest_hex == sm3.digest(GOOD).hex()


def test_the_day_decides_and_no_clock_does(check_bytes: CheckBytes) -> None:
    assert found(check_bytes(GOOD, today=date(1965, 10, 29))) == {("出生日期", "birth_in_future")}
