"""Writes tests/vectors/card_files.json, the example files of docs/files.md.

    python -m tests.issuance.card_files.make_file_vectors

Keys, people, times and nonces are always the same, and SM2 is that of the textbook with nonces of
our own, so that each run gives the same bytes. test_file_vectors.py runs it and compares;
tests/stranger reads and answers the files with nothing but what the document says.
"""

import io
import json
from pathlib import Path
from typing import Any
from unittest import mock

from crypto import sm2, sm3
from issuance.card_files import (
    AccountOutcome,
    BankReason,
    CardKeyKind,
    CardOutcome,
    ChunkPlace,
    MakerReason,
    maker_writing,
    prepare_chunk,
    write_bank_opening,
    write_bank_return,
    write_maker_file,
    write_maker_return,
)
from issuance.card_files.personalisation import encode_elements
from tests.crypto import sm2_textbook as textbook
from tests.issuance.card_files.samples import (
    BATCH,
    CARD_KEYS,
    ISSUER,
    ISSUER_KEY,
    KEY_NUMBER,
    MAKER_KEY,
    MASTERS,
    NAMES,
    REGION,
    TRANSPORT_KEY,
    account_request,
    card,
    card_number,
    maker_header,
    record,
    row_header,
)

FILE = Path(__file__).parents[2] / "vectors" / "card_files.json"
FILE_KEY = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")
SIZES = (3, 2)


class TextbookKey:
    """One SM2 key whose signatures and ciphertexts are the same each time."""

    def __init__(self, private: sm2.PrivateKey) -> None:
        self._private = int.from_bytes(private.to_bytes(), "big")
        self.public_key = private.public_key()

    def sign(self, message: bytes) -> bytes:
        e = int.from_bytes(textbook.digest_e(self.public_key.to_bytes(), message), "big")
        r, s = textbook.sign(self._private, e, _nonce(b"sign" + message))
        return textbook.number(r) + textbook.number(s)

    def encrypt(self, plaintext: bytes) -> bytes:
        k = _nonce(b"encrypt" + plaintext)
        point = textbook.decode(self.public_key.to_bytes())
        assert point is not None
        c1, shared = textbook.multiply(k, textbook.G), textbook.multiply(k, point)
        assert c1 is not None
        assert shared is not None
        c1, c3, c2 = textbook.conceal(c1, shared, plaintext)
        return _point(c1) + c3 + c2

    def to_bytes(self, *, compressed: bool = False) -> bytes:
        return self.public_key.to_bytes(compressed=compressed)


def _nonce(seed: bytes) -> int:
    return int.from_bytes(sm3.digest(seed), "big") % (textbook.N - 1) + 1


def _point(point: textbook.Point) -> bytes:
    return b"\x04" + textbook.number(point[0]) + textbook.number(point[1])


def elements() -> list[dict[str, Any]]:
    return [
        {"name": name, "hex": encode_elements(card(at, name=name)).hex()}
        for at, name in enumerate(NAMES, 1)
    ]


def keys() -> list[dict[str, Any]]:
    return [
        {
            "kind": key.kind.value,
            "number": key.number,
            "wrapped": key.wrapped.hex(),
            "check_value": key.check_value.hex(),
        }
        for key in CARD_KEYS.keys_of(REGION, card_number(1))
    ]


def maker_file() -> dict[str, Any]:
    signer = TextbookKey(ISSUER_KEY.private)
    chunks, first = [], 1
    for number, size in enumerate(SIZES, 1):
        contents = [record(at) for at in range(first, first + size)]
        prepared = prepare_chunk(ChunkPlace(ISSUER, KEY_NUMBER, BATCH, number), contents)
        chunks.append((prepared, signer.sign(prepared.to_be_signed)))
        first += size
    file = io.BytesIO()
    with mock.patch.object(maker_writing, "random_bytes", return_value=FILE_KEY):
        digest = write_maker_file(
            file,
            maker_header(SIZES),
            [prepared.signed(signature) for prepared, signature in chunks],
            maker_key=TextbookKey(MAKER_KEY),  # type: ignore[arg-type]
            signer=signer,
        )
    return {
        "file_key": FILE_KEY.hex(),
        "sm3": digest.hex(),
        "records": [content.hex() for prepared, _ in chunks for content in prepared.contents],
        "chunks": [
            {
                "root": prepared.root.hex(),
                "to_be_signed": prepared.to_be_signed.hex(),
                "signature": signature.hex(),
                "paths": [path.hex() for path in prepared.paths],
            }
            for prepared, signature in chunks
        ],
        "hex": file.getvalue().hex(),
    }


def row_files() -> dict[str, str]:
    files = {name: io.BytesIO() for name in ("bank_opening", "bank_return", "maker_return")}
    write_bank_opening(
        files["bank_opening"], row_header(5), [account_request(at) for at in range(1, 6)]
    )
    write_bank_return(
        files["bank_return"],
        row_header(2),
        [
            AccountOutcome(1, card_number(1), "0123", None),
            AccountOutcome(2, card_number(2), None, BankReason.PHONE_UNCONFIRMED),
        ],
    )
    write_maker_return(
        files["maker_return"],
        row_header(2, partner="M01"),
        [
            CardOutcome(
                1, card_number(1), "440604D15600000500000001", "00814A444686604406009C3F10", None
            ),
            CardOutcome(2, card_number(2), None, None, MakerReason.CHIP_FAULT),
        ],
    )
    return {name: file.getvalue().hex() for name, file in files.items()}


def document() -> dict[str, Any]:
    return {
        "format": "docs/files.md, version 1",
        "made_by": "tests/issuance/card_files/make_file_vectors.py",
        "note": "Test keys that everybody knows, people who do not exist.",
        "issuer": {
            "private_key": ISSUER_KEY.private.to_bytes().hex(),
            "public_key": ISSUER_KEY.public_key.to_bytes().hex(),
        },
        "maker": {
            "private_key": MAKER_KEY.to_bytes().hex(),
            "public_key": MAKER_KEY.public_key().to_bytes().hex(),
        },
        "transport_key": TRANSPORT_KEY.hex(),
        "master_keys": {str(kind.value): MASTERS[kind].value.hex() for kind in CardKeyKind},
        "region": REGION,
        "elements": elements(),
        "keys": {"card_number": card_number(1), "wrapped": keys()},
        "maker_file": maker_file(),
        "row_files": row_files(),
    }


def text() -> str:
    return json.dumps(document(), ensure_ascii=True, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), "ascii")
