"""A bank and a maker that know docs/files.md alone read our files, and we read their answers."""

from __future__ import annotations

import ast
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from issuance.card_files import (
    AccountOutcome,
    BankReason,
    CardOutcome,
    MakerReason,
    open_bank_return,
    open_maker_return,
    write_bank_opening,
)
from tests.issuance.card_files import samples
from tests.stranger import bank, card_maker

FOLDER = Path(__file__).parent
VECTORS: dict[str, Any] = json.loads(
    (FOLDER.parent / "vectors" / "card_files.json").read_text("ascii")
)
ISSUER_KEY = bytes.fromhex(VECTORS["issuer"]["public_key"])
SIZES = (3, 5, 2)


def read(data: bytes, **more: bytes) -> list[card_maker.Card]:
    keys = {
        "issuer_key": ISSUER_KEY,
        "private_key": bytes.fromhex(VECTORS["maker"]["private_key"]),
        "public_key": bytes.fromhex(VECTORS["maker"]["public_key"]),
        "transport_key": bytes.fromhex(VECTORS["transport_key"]),
    }
    return card_maker.read_file(data, **{**keys, **more})


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("name", ["bank.py", "card_maker.py"])
def test_they_share_nothing_with_the_service(name: str) -> None:
    assert set(imports(FOLDER / name)) - sys.stdlib_module_names <= {"gmssl_pyx", "cryptography"}


@pytest.mark.parametrize("made", ["here", "in the vectors"])
def test_the_maker_reads_every_card_and_its_keys(made: str) -> None:
    data = samples.maker_file(*SIZES)
    if made == "in the vectors":
        data = bytes.fromhex(VECTORS["maker_file"]["hex"])
    cards = read(data)
    assert len(cards) == (sum(SIZES) if made == "here" else 5)
    masters = {int(kind): bytes.fromhex(key) for kind, key in VECTORS["master_keys"].items()}
    for at, found in enumerate(cards, 1):
        wanted = samples.card(at)
        assert found.region == samples.REGION
        assert found.elements == {
            "card_class": wanted.card_class,
            "spec_version": wanted.spec_version,
            "organisation": wanted.initialising_organisation,
            "issued_on": "20261130",
            "expires_on": "20361130",
            "card_number": wanted.card_number,
            "social_security_number": wanted.social_security_number,
            "name": wanted.name,
            "sex": wanted.sex,
            "ethnic_group": "01",
            "birthplace": "440604",
            "born_on": "19900101",
        }
        assert found.keys == {
            kind: card_maker.card_key(master, found.region, found.elements["card_number"])
            for kind, master in masters.items()
        }
    assert {"𠮷娜", "刘䶮"} <= {found.elements["name"] for found in cards}


def test_the_maker_refuses_what_the_page_says_is_refused() -> None:
    data = bytes.fromhex(VECTORS["maker_file"]["hex"])
    for wrong in (
        data[:-1],
        data + b"\0",
        data[:200] + bytes([data[200] ^ 1]) + data[201:],
        data[:20] + bytes([data[20] ^ 1]) + data[21:],
        b"",
    ):
        with pytest.raises(card_maker.RefusedError):
            read(wrong)
    with pytest.raises(card_maker.RefusedError):
        read(data, transport_key=bytes(16))
    with pytest.raises(card_maker.RefusedError):
        read(data, public_key=ISSUER_KEY)


def test_what_the_maker_answers_is_read() -> None:
    cards = read(samples.maker_file(3))
    data = card_maker.answer(cards, batch=samples.BATCH, issuer=samples.ISSUER, failed={2: "05"})
    opened = open_maker_return(io.BytesIO(data))
    assert (opened.header.batch, opened.header.partner) == (samples.BATCH, "M01")
    assert list(opened.rows()) == [
        CardOutcome(1, samples.card_number(1), "440604D15600000500000001", "0" * 25 + "1", None),
        CardOutcome(2, samples.card_number(2), None, None, MakerReason.AUTHENTICATION_FAILED),
        CardOutcome(3, samples.card_number(3), "440604D15600000500000003", "0" * 25 + "3", None),
    ]


def test_the_bank_reads_every_request_and_its_answer_is_read() -> None:
    requests = [samples.account_request(at) for at in range(1, 6)]
    file = io.BytesIO()
    write_bank_opening(file, samples.row_header(5), requests)
    head, rows = bank.read_opening(file.getvalue())
    assert [tuple(row.values()) for row in rows] == [one.cells() for one in requests]
    assert [row["name"] for row in rows] == [one.name for one in requests]

    opened = open_bank_return(io.BytesIO(bank.answer(head, rows, refused={"3": "08"})))
    assert opened.header.partner == "102"
    assert list(opened.rows()) == [
        AccountOutcome(
            at,
            samples.card_number(at),
            None if at == 3 else f"{at:04d}",
            BankReason.DECLINED if at == 3 else None,
        )
        for at in range(1, 6)
    ]


def test_the_bank_refuses_a_damaged_file() -> None:
    data = bytes.fromhex(VECTORS["row_files"]["bank_opening"])
    assert len(bank.read_opening(data)[1]) == 5
    for wrong in (data[:-1], data.replace(b"FS0000001", b"FS0000009"), data[: len(data) // 2]):
        with pytest.raises(bank.RefusedError):
            bank.read_opening(wrong)
