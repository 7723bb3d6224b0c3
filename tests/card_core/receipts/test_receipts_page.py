"""docs/receipts.md says what the code does: its examples, its table of fields, its limits."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import stranger

from card_core import receipts
from card_core.codes import KeyState
from card_core.receipts import ReceiptKey, ReceiptKind
from card_core.receipts.content import _FIXED, CONTENT_BYTES_MAX, CONTENT_BYTES_MIN
from crypto import sm2

PAGE = (Path(__file__).parents[3] / "docs" / "receipts.md").read_text("utf-8")


def blocks() -> list[str]:
    """The indented blocks of the examples, each as one line."""
    section = PAGE.split("## 8. Examples")[1]
    found = re.findall(r"(?:^ {4}\S+\n)+", section, re.MULTILINE)
    return [re.sub(r"\s", "", block) for block in found]


PUBLIC_KEY, SINGLE, GROUPED = blocks()
KEY = ReceiptKey(1, 1, sm2.PublicKey.from_bytes(bytes.fromhex(PUBLIC_KEY)), KeyState.ACTIVE)


def test_the_example_by_itself_is_what_the_page_says() -> None:
    content = receipts.verify_receipt(receipts.from_text(SINGLE), [KEY])
    assert content.at == datetime(2026, 1, 1, 0, 0, 17, 250000, tzinfo=UTC)
    assert (content.kind, content.amount_fen) == (ReceiptKind.SCAN, 2350)
    salt = bytes.fromhex("c0ffee00112233445566778899aabbcc")
    assert content.clerk == receipts.commit_to_clerk("0042", "till 3", salt)


def test_the_example_of_a_group_is_what_the_page_says() -> None:
    receipt = receipts.read_receipt(receipts.from_text(GROUPED))
    assert (receipt.index, receipt.size, len(receipt.path)) == (2, 3, 32)
    content = receipts.verify_receipt(receipts.from_text(GROUPED), [KEY])
    assert (content.kind, content.amount_fen) == (ReceiptKind.REFUND, 600)
    first = receipts.verify_receipt(receipts.from_text(SINGLE), [KEY])
    assert content.original_scan_id == first.scan_id


@pytest.mark.parametrize("text", [SINGLE, GROUPED])
def test_a_stranger_verifies_the_examples(text: str) -> None:
    assert stranger.verifies(text, bytes.fromhex(PUBLIC_KEY))


def test_the_table_of_fields_lists_the_offsets_of_the_bytes() -> None:
    section = PAGE.split("## 2. Content")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| (\d+) \|", section, re.MULTILINE)
    sizes = [1, 2, 1, 8, 16, 16, 5, 4, 1, 1, 1, 16, 32, 8, 8, 32, 1]
    assert [int(size) for _, size in rows] == sizes
    assert [int(offset) for offset, _ in rows] == [sum(sizes[:at]) for at in range(len(sizes))]
    assert sum(sizes) == _FIXED.size


def test_the_limits_are_the_codes() -> None:
    assert f"| {CONTENT_BYTES_MIN} to {CONTENT_BYTES_MAX} |" in PAGE
    assert f"at most {receipts.RECEIPT_BYTES_MAX} bytes" in PAGE
    assert f"at most {receipts.RECEIPT_TEXT_MAX} characters" in PAGE
    assert f"2 to {receipts.GROUP_MAX} |" in PAGE
    assert receipts.KEY_FILE_BYTES_MAX == 256 * 1024
    assert "at most 256 KiB" in PAGE
