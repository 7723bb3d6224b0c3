"""`sscard roster check`: exit codes, the report, and every file that can't be used."""

import json
import os
import stat
from pathlib import Path

import pytest
from office import ROSTERS, Office, refused

from card_core.errors import StoreError
from issuance import files
from issuance.cli import roster as roster_command

HEADER = (
    "姓名,证件类型,证件号码,性别,民族,出生日期,手机号码,通讯地址,户籍行政区划,申领类型,发卡银行,"
    "领卡网点,监护人姓名,监护人证件号码"
)
GOOD = (
    "王秀英,居民身份证,110101199003070054,男,汉,1990-03-07,13800138000,广东省佛山市,440604,"
    "新申领,102,440604015,,"
)


def test_a_roster_with_good_rows_only_exits_0(empty_office: Office) -> None:
    file = empty_office.file("good.csv", f"{HEADER}\n{GOOD}\n")
    report = empty_office.folder / "out.json"
    result = empty_office.run("roster", "check", str(file), "--report", str(report))
    assert result.exit_code == 0, result.output
    assert json.loads(report.read_text()) == {"accepted": [1], "refused": [], "warnings": []}


@pytest.mark.parametrize("name", ["foshan-600.xlsx", "foshan-2000.csv"])
def test_a_roster_with_refused_rows_exits_1_and_the_report_is_whole(
    empty_office: Office, name: str
) -> None:
    report = empty_office.folder / "out.json"
    result = empty_office.run("roster", "check", str(ROSTERS / name), "--report", str(report))
    assert result.exit_code == 1
    found = json.loads(report.read_text())
    expected = json.loads((ROSTERS / name).with_suffix(".expected.json").read_text())
    assert found["accepted"] == expected["accept"]
    assert [row["row"] for row in found["refused"]] == sorted(map(int, expected["reject"]))
    assert stat.S_IMODE(report.stat().st_mode) == files.PUBLIC
    assert f"{len(found['refused'])} refused" in result.stdout


def test_the_table_says_what_to_do_in_both_languages(empty_office: Office) -> None:
    file = empty_office.file("bad.csv", f"{HEADER}\n{GOOD}\n{GOOD}\n")
    result = empty_office.run("roster", "check", str(file))
    assert result.exit_code == 1
    line = next(line for line in result.stdout.splitlines() if line.startswith("证件号码"))
    assert "与第1行是同一人" in line
    assert "The same person as in row 1" in line
    assert "110101" not in result.output


UNUSABLE = {
    "missing": (None, "找不到文件", "not found"),
    "empty.csv": (b"", "文件是空的", "is empty"),
    "photo.jpg": (b"\xff\xd8\xff\xe0 jpeg", "不支持这种文件", "not supported"),
    "binary.csv": (bytes(range(256)) * 8, "不是文本", "not text"),
    "renamed.xlsx": (b"a,b\n1,2\n", "扩展名不符", "file's ending"),
    "broken.xlsx": (b"PK\x03\x04 and then nothing", "已损坏", "damaged"),
    "column.csv": (HEADER.replace("民族,", "").encode() + b"\n1\n", "缺少列：民族", "民族"),
    "header.csv": (HEADER.encode() + b"\n", "没有数据行", "no row"),
}


@pytest.mark.parametrize(("name", "case"), UNUSABLE.items(), ids=list(UNUSABLE))
def test_a_file_that_cannot_be_used_exits_2_and_writes_nothing(
    empty_office: Office, name: str, case: tuple[bytes | None, str, str]
) -> None:
    content, zh, en = case
    file = empty_office.folder / name
    if content is not None:
        file.write_bytes(content)
    report = empty_office.folder / "out.json"
    result = empty_office.run("roster", "check", str(file), "--report", str(report))
    assert result.exit_code == 2
    assert zh in result.stderr
    assert en in result.stderr
    assert "Traceback" not in result.output
    assert not report.exists()


def test_a_folder_is_no_roster(empty_office: Office) -> None:
    result = empty_office.run("roster", "check", str(empty_office.folder))
    assert result.exit_code == 2
    assert "这是文件夹" in result.stderr
    assert "This is a folder" in result.stderr


def names_of(file: Path) -> list[str]:
    """The same file by other names."""
    soft, hard = file.with_name("soft.json"), file.with_name("hard.json")
    soft.symlink_to(file)
    hard.hardlink_to(file)
    return [str(file), f"{file.parent}/./{file.name}", str(soft), str(hard)]


def test_a_report_never_takes_the_place_of_the_roster(office: Office) -> None:
    content = f"{HEADER}\n{GOOD}\n"
    file = office.file("good.csv", content)
    for command in ("check", "import"):
        for report in names_of(file) if command == "check" else [str(file)]:
            result = office.run("roster", command, str(file), "--report", report, operator="wang")
            assert result.exit_code == 2, result.output
            assert "is the file itself" in result.stderr
            assert "就是要检查的文件" in result.stderr
    assert file.read_text() == content
    assert office.done("batch", "list", operator="li").count("\n") == 1


def test_a_report_follows_a_link_and_leaves_it(empty_office: Office) -> None:
    file = empty_office.file("good.csv", f"{HEADER}\n{GOOD}\n")
    target = empty_office.file("target.json", "the old one")
    link = empty_office.folder / "link.json"
    link.symlink_to(target)
    empty_office.done("roster", "check", str(file), "--report", str(link))
    assert link.is_symlink()
    assert json.loads(target.read_text())["accepted"] == [1]


def test_a_report_never_takes_the_place_of_a_pipe_or_device(empty_office: Office) -> None:
    file = empty_office.file("good.csv", f"{HEADER}\n{GOOD}\n")
    pipe, link = empty_office.folder / "pipe", empty_office.folder / "link"
    os.mkfifo(pipe)
    link.symlink_to("/dev/null")
    for place in (pipe, link):
        before = place.lstat()
        result = empty_office.run("roster", "check", str(file), "--report", str(place))
        assert result.exit_code == 2
        assert "不是普通文件" in result.stderr
        assert "a device or a pipe" in result.stderr
        after = place.lstat()
        assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


def test_who_may_not_import_hears_so_before_the_roster_is_read(office: Office) -> None:
    result = office.run("roster", "import", "missing.csv", operator="li")
    refused(result, "需要的角色：经办", "Needed role: maker")


def test_a_report_that_cannot_be_written_exits_2(empty_office: Office) -> None:
    file = empty_office.file("good.csv", f"{HEADER}\n{GOOD}\n")
    for place in ("/sys/out.json", "/nowhere/at/all.json", str(empty_office.folder)):
        result = empty_office.run("roster", "check", str(file), "--report", place)
        assert result.exit_code == 2
        assert "无法写入" in result.stderr
        assert "can't be written" in result.stderr


def test_a_failed_write_leaves_the_old_report_and_nothing_else(
    empty_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = empty_office.file("good.csv", f"{HEADER}\n{GOOD}\n")
    folder = empty_office.folder / "reports"
    folder.mkdir()
    report = folder / "out.json"
    report.write_text("the old one")

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(files.os, "fsync", full)
    result = empty_office.run("roster", "check", str(file), "--report", str(report))
    assert result.exit_code == 2
    assert os.strerror(28) in result.stderr
    assert report.read_text() == "the old one"
    assert list(folder.iterdir()) == [report]


def test_ctrl_c_exits_130_with_a_sentence_and_nothing_written(
    empty_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(path: Path, **_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(roster_command, "open_roster", interrupted)
    report = empty_office.folder / "out.json"
    result = empty_office.run("roster", "check", "any.csv", "--report", str(report))
    assert result.exit_code == 130
    assert "已中断" in result.stderr
    assert "Interrupted" in result.stderr
    assert not report.exists()


@pytest.mark.parametrize("error", [RuntimeError("110101199003070054"), OSError(5, "1101011990")])
def test_an_unexpected_error_tells_its_kind_and_place_and_no_content(
    empty_office: Office, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(path: Path, **_: object) -> None:
        raise error

    monkeypatch.setattr(roster_command, "open_roster", broken)
    result = empty_office.run("roster", "check", "any.csv")
    assert result.exit_code == 1
    assert type(error).__name__ in result.stderr
    assert "test_cli_roster.py" in result.stderr
    assert "110101" not in result.output
    assert "Traceback" not in result.output


def test_a_store_error_is_a_sentence(empty_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path, **_: object) -> None:
        raise StoreError

    monkeypatch.setattr(roster_command, "open_roster", broken)
    result = empty_office.run("roster", "check", "any.csv")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 2)
