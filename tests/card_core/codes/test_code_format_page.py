"""docs/code-format.md says what the code does: its examples, tables, limits and reasons."""

import json
import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import make_vectors
from raw_codes import (
    BOX,
    BOX_KEY,
    CREDENTIAL_CONTEXT,
    ECARD_ID,
    NONCE,
    NOW,
    OFFLINE_CONTEXT,
    ONLINE_CONTEXT,
    TERMINAL,
    code_keys,
    key_name,
    private_key,
    z_of,
)

from card_core import business_types, codes
from card_core.verdicts import Reason
from crypto import sm3

PAGE = (Path(__file__).parents[3] / "docs" / "code-format.md").read_text("utf-8")
ONLINE, OFFLINE = re.findall(r"^7406\d+$", PAGE, re.MULTILINE)
RING = codes.KeyRing(code_keys())


def rows_of_bytes(section: int) -> list[str]:
    """The first column of the table of fields in a section."""
    text = PAGE.split(f"## {section}.")[1].split("\n## ")[0]
    return re.findall(r"^\| ([0-9a-f]+) \|", text, re.MULTILINE)


def outcome(text: str, business_type: str, amount_fen: int | None = None, late: int = 0) -> Reason:
    try:
        codes.check(
            text,
            keys=RING,
            now=datetime.fromtimestamp(NOW + late, UTC),
            business_type=business_types.get(business_type),
            terminal=TERMINAL,
            amount_fen=amount_fen,
        )
    except codes.RefusedError as refused:
        return refused.reason
    return Reason.ACCEPTED


def test_the_online_example_is_answered_as_the_page_says() -> None:
    assert outcome(ONLINE, "02121", 12_345) is Reason.ACCEPTED
    assert outcome(ONLINE, "02121", 12_345, late=-5) is Reason.ACCEPTED
    assert outcome(ONLINE, "02121", 12_345, late=65) is Reason.ACCEPTED
    assert outcome(ONLINE, "02121", 12_346) is Reason.AMOUNT_MISMATCH
    assert outcome(ONLINE, "02121") is Reason.AMOUNT_MISMATCH


def test_the_offline_example_is_answered_as_the_page_says() -> None:
    assert outcome(OFFLINE, "01101") is Reason.ACCEPTED
    assert outcome(OFFLINE, "01301") is Reason.PURPOSE_MISMATCH


def test_the_bytes_of_the_online_example_stand_on_the_page() -> None:
    data = int(ONLINE[4:]).to_bytes(103, "big")
    point = private_key(key_name("code_signing", 1, 1)).public_key().to_bytes()
    z = z_of(point[1:])
    message = ONLINE_CONTEXT + data[:39]
    for value in (data[:39], data[39:71], data[71:], point, message):
        assert f"\n{value.hex()}\n" in PAGE.replace("    ", "")
    assert f"Z = {z.hex()}" in PAGE
    assert f"e = {sm3.digest(z + message).hex()}" in PAGE
    offsets = [0, 1, 3, 4, 8, 9, 11, 12, 20, 23, 39]
    assert rows_of_bytes(10) == [data[start:end].hex() for start, end in pairwise(offsets)]


def test_the_bytes_of_the_offline_example_stand_on_the_page() -> None:
    data = int(OFFLINE[4:]).to_bytes(203, "big")
    issuer = private_key(key_name("device_credential", 1, 1)).public_key().to_bytes()
    device = private_key("device.a").public_key().to_bytes()
    for value in (data[:49], data[49:113], data[113:139], data[139:], issuer, device):
        assert f"\n{value.hex()}\n" in PAGE.replace("    ", "")
    for point, message in (
        (issuer[1:], CREDENTIAL_CONTEXT + data[:49]),
        (device[1:], OFFLINE_CONTEXT + data[:139]),
    ):
        assert f"Z = {z_of(point).hex()}" in PAGE
        assert f"e = {sm3.digest(z_of(point) + message).hex()}" in PAGE

    credential, own = [0, 1, 3, 4, 8, 9, 11, 12, 16, 49], [113, 117, 118, 120, 128, 136, 139]
    fields = [*pairwise(credential), *pairwise(own)]
    assert rows_of_bytes(11) == [data[start:end].hex() for start, end in fields]


def test_the_box_of_the_page_is_the_one_that_is_sealed() -> None:
    assert codes.seal_box(BOX_KEY, ECARD_ID, NONCE) == BOX
    for value in (BOX_KEY, ECARD_ID.to_bytes(8, "big"), NONCE, BOX):
        assert f"`{value.hex()}`" in PAGE


def test_the_page_has_the_table_of_business_types() -> None:
    rows = re.findall(r"^\| (\d{5}) \| (.+) \| (\d) \| (yes|no) \|$", PAGE, re.MULTILINE)
    assert rows == [
        (
            row.code,
            f"{row.name_zh} {row.name_en}",
            str(row.purpose.value.bit_length() - 1),
            "yes" if row.consumes else "no",
        )
        for row in business_types.ALL
    ]
    for bit, purpose in enumerate(business_types.Purpose):
        assert f"| {bit} | {str(purpose.name).lower().replace('_', ' ')} |" in PAGE


def test_the_page_names_the_reasons_of_steps_1_to_6_in_their_order() -> None:
    table = PAGE.split("## 7.")[1].split("A code lives")[0]
    named = [Reason(word) for word in re.findall(r"\| `(\w+)` \|$", table, re.MULTILINE)]
    order = list(Reason)
    from_the_code = order[order.index(Reason.MALFORMED) : order.index(Reason.AMOUNT_MISMATCH) + 1]
    assert list(dict.fromkeys(named)) == from_the_code


def test_the_numbers_of_the_page_are_those_of_the_core() -> None:
    assert (codes.CODE_LIFE_SECONDS, codes.CREDENTIAL_LIFE_SECONDS) == (60, 86_400)
    assert (codes.ONLINE_SKEW_SECONDS, codes.OFFLINE_SKEW_SECONDS) == (5, 30)
    assert (codes.CODE_TEXT_MAX, codes.AMOUNT_FEN_MAX) == (512, 256**3 - 1)
    examples = json.loads(make_vectors.FILE.read_text("ascii"))["cases"]
    assert f"| `cases` | {len(examples)} examples |" in PAGE
    for words in ("A code lives 60 s", "5 s online and 30 s offline", "512 characters"):
        assert words in PAGE
