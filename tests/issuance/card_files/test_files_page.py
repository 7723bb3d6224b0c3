"""docs/files.md: its worked example is the example file, and its tables are the code's."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from card_core.chip_cards import card_key
from crypto import sm4
from issuance.card_files import BankReason, CardKeyKind, MakerReason, elements
from issuance.card_files.chunk import CHUNK_RECORDS_MAX
from issuance.card_files.maker_writing import CHUNK_BYTES_MAX
from issuance.card_files.record import RECORD_BYTES_MAX, RECORDS_MAX
from issuance.card_files.row_reading import LINE_BYTES_MAX
from tests.issuance.card_files.make_file_vectors import FILE

PAGE = (Path(__file__).parents[3] / "docs" / "files.md").read_text("utf-8")
VECTORS: dict[str, Any] = json.loads(FILE.read_text("ascii"))


def spaced(data: bytes) -> str:
    return data.hex(" ").upper()


def example() -> dict[str, str]:
    """The blocks of section 9, as they have to stand there."""
    made = VECTORS["maker_file"]
    content, data = bytes.fromhex(made["records"][0]), bytes.fromhex(made["hex"])
    values = elements.split(content[8:145])
    master = bytes.fromhex(VECTORS["master_keys"]["4"])
    region_key = sm4.diversify(master, bytes.fromhex("440604ffffffffff"))
    key = card_key(master, "440604", "FS0000001")
    wrapped = VECTORS["keys"]["wrapped"][3]
    size = int.from_bytes(data[9:11], "big")
    header = (8, 1, 2, 2, 1, 8, 4, 4, 8, 1, 14, 2)
    parts, at = [], 0
    for part in (*header, size - sum(header), 4):
        parts.append(spaced(data[at : at + part]))
        at += part
    named = [
        ("master key", master.hex()),
        ("region key", region_key.hex()),
        ("card number", f"{int('FS0000001', 36):016x}"),
        ("card key", key.hex()),
        ("wrapped key", wrapped["wrapped"]),
        ("check value", wrapped["check_value"]),
    ]
    return {
        "ELEMENTS": "\n".join(
            f"    {one.file:02X} {one.tag:02X}  {spaced(value)}" for one, value in values.items()
        ),
        "KEY": "\n".join(f"    {name:<12} {value}" for name, value in named),
        "HEADER": "\n".join(f"    {part}" for part in parts),
        "SIGNED": f"    {made['chunks'][0]['to_be_signed']}\n    {_file_signed(data)}",
        "RETURN": "\n".join(
            f"    {line}"
            for line in bytes.fromhex(VECTORS["row_files"]["bank_return"]).decode().splitlines()
        ),
    }


def _file_signed(data: bytes) -> str:
    from crypto import sm3

    return (b"sscard/maker-file/v1\0" + sm3.digest(data[:-64])).hex()


@pytest.mark.parametrize("name", ["ELEMENTS", "KEY", "HEADER", "SIGNED", "RETURN"])
def test_the_worked_example_is_the_example_file(name: str) -> None:
    assert example()[name] in PAGE


def test_every_element_has_its_row() -> None:
    rows = re.findall(r"^\| (0[56]) \| (\w\w) \| (\S+) .* \| (\d+) \| .*\|$", PAGE, re.MULTILINE)
    assert rows == [
        (f"{one.file:02X}", f"{one.tag:02X}", one.title_zh, str(one.size))
        for one in elements.IN_ORDER
    ]


def test_every_code_has_its_row() -> None:
    sections = {name: PAGE[PAGE.index(name) :] for name in ("## 5.", "## 7.", "## 8.", "## 9.")}
    bank = sections["## 7."].removesuffix(sections["## 8."])
    maker = sections["## 8."].removesuffix(sections["## 9."])
    for part, reasons in ((bank, BankReason), (maker, MakerReason)):
        assert set(re.findall(r"\| (\d\d) \|", part)) == {one.value for one in reasons}
    kinds = re.findall(r"\| (\d+) \| \S+ ", sections["## 5."].removesuffix(sections["## 7."]))
    assert {int(kind) for kind in kinds} == {kind.value for kind in CardKeyKind}


def test_every_limit_is_stated() -> None:
    for limit in (RECORDS_MAX, CHUNK_BYTES_MAX):
        assert f"{limit:,}".replace(",", " ") in PAGE
    assert f"1 to {CHUNK_RECORDS_MAX}" in PAGE
    assert f"at most {RECORD_BYTES_MAX})" in PAGE
    assert f"at most {LINE_BYTES_MAX} bytes" in PAGE
    assert f"| {elements.ELEMENTS_SIZE_BYTES} | elements |" in PAGE
