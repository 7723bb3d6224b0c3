"""`sscard file check`: what a bank or a maker sees of a file, with no installation at all."""

import io
from pathlib import Path

import pytest
from office import Office

from issuance.card_files import AccountOutcome, BankReason, write_bank_return
from tests.issuance.card_files.samples import (
    ISSUER_KEY,
    MAKER_KEY,
    card,
    card_number,
    made_by_hand,
    maker_file,
    row_header,
)

PUBLIC = ISSUER_KEY.public_key.to_bytes(compressed=True).hex()


@pytest.fixture
def nowhere(tmp_path: Path) -> Office:
    return Office(tmp_path, {"SSCARD_HOME": str(tmp_path / "nothing")})


@pytest.fixture
def key(nowhere: Office) -> str:
    return str(nowhere.file("maker.key", MAKER_KEY.to_bytes().hex() + "\n"))


def bank_return() -> bytes:
    file = io.BytesIO()
    write_bank_return(
        file,
        row_header(3),
        [
            AccountOutcome(1, card_number(1), "0123", None),
            AccountOutcome(2, card_number(2), "0124", None),
            AccountOutcome(3, card_number(3), None, BankReason.DOCUMENT_EXPIRED),
        ],
    )
    return file.getvalue()


def test_a_maker_file_is_opened_to_its_last_record(nowhere: Office, key: str) -> None:
    file = nowhere.file("cards.ssc", maker_file(3, 2))
    shown = nowhere.done("file", "check", str(file), "--issuer-key", PUBLIC, "--key", key)
    for words in ("制卡文件", "2026-11-foshan", "签名有效", "all 5 records", "SM3"):
        assert words in shown
    assert card(1).name not in shown
    assert card(1).social_security_number not in shown


def test_without_the_makers_key_the_signature_is_checked_and_it_is_said(nowhere: Office) -> None:
    file = nowhere.file("cards.ssc", maker_file(1))
    shown = nowhere.done("file", "check", str(file), "--issuer-key", PUBLIC)
    assert "no record was opened" in shown


def test_a_bank_return_is_counted(nowhere: Office) -> None:
    shown = nowhere.done("file", "check", str(nowhere.file("back.txt", bank_return())))
    for words in ("银行回盘文件", "成功 Done      2", "失败 Failed 02  1", "whole"):
        assert " ".join(words.split()) in " ".join(shown.split())


def test_bad_rows_are_listed_and_the_exit_code_is_1(nowhere: Office) -> None:
    data = made_by_hand("D|1|FS0000001|1|0123|", "D|2|FS1|1|0123|", "D|3|FS3|1|0123|")
    result = nowhere.run("file", "check", str(nowhere.file("back.txt", data)))
    assert result.exit_code == 1, result.output
    assert "卡号 card_number" in result.stdout
    assert "3, 4" in result.stdout
    assert "FS1" not in result.stdout


@pytest.mark.parametrize(
    ("data", "options", "zh", "en"),
    [
        (b"nothing known\n", (), "开头的标记不认识", "no mark that is known"),
        (b"", (), "文件是空的", "is empty"),
        (bank_return()[:-3], (), "文件不完整", "cut off behind record 3"),
        (bank_return().replace(b"0123", b"0125"), (), "SM3 摘要不符", "digest is wrong"),
        (maker_file(1), (), "--issuer-key", "--issuer-key"),
        (maker_file(1), ("--issuer-key", "02ab"), "应为 66 或 130 位", "66 or 130"),
        (
            maker_file(1),
            ("--issuer-key", MAKER_KEY.public_key().to_bytes().hex()),
            "签名无效",
            "signature is not valid",
        ),
        (maker_file(1)[:-1], ("--issuer-key", PUBLIC), "文件不完整", "cut off in chunk 2"),
    ],
)
def test_a_file_that_cannot_be_used_has_exit_code_2(
    nowhere: Office, data: bytes, options: tuple[str, ...], zh: str, en: str
) -> None:
    result = nowhere.run("file", "check", str(nowhere.file("file", data)), *options)
    assert result.exit_code == 2, result.output
    assert zh in result.stderr
    assert en in result.stderr


def test_a_key_that_does_not_open_it_has_exit_code_2(nowhere: Office) -> None:
    file = str(nowhere.file("cards.ssc", maker_file(1)))
    for content, words in (
        ("0" * 63 + "5", "不是加密给这把密钥的"),
        ("x", "64 hexadecimal digits"),
    ):
        other = str(nowhere.file("other.key", content))
        result = nowhere.run("file", "check", file, "--issuer-key", PUBLIC, "--key", other)
        assert result.exit_code == 2, result.output
        assert words in result.stderr


def test_what_is_no_file_has_exit_code_2(nowhere: Office) -> None:
    for path, words in ((nowhere.folder, "普通文件"), (nowhere.folder / "none", "找不到文件")):
        result = nowhere.run("file", "check", str(path))
        assert result.exit_code == 2, result.output
        assert words in result.stderr
