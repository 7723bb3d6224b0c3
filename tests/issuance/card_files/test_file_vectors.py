"""The example files: the script still makes these bytes, and the product reads them."""

import io
import json
from typing import Any

from crypto import sm2
from issuance.card_files import (
    decode_elements,
    decode_record,
    open_bank_opening,
    open_bank_return,
    open_maker_file,
    open_maker_return,
)
from tests.issuance.card_files import make_file_vectors

VECTORS: dict[str, Any] = json.loads(make_file_vectors.FILE.read_text("ascii"))


def test_the_script_makes_the_same_bytes_again() -> None:
    assert make_file_vectors.text() == make_file_vectors.FILE.read_text("ascii")


def test_the_maker_file_is_read() -> None:
    made = VECTORS["maker_file"]
    public = sm2.PublicKey.from_bytes(bytes.fromhex(VECTORS["issuer"]["public_key"]))
    maker = sm2.PrivateKey.from_bytes(bytes.fromhex(VECTORS["maker"]["private_key"]))
    opened = open_maker_file(io.BytesIO(bytes.fromhex(made["hex"])), public)
    records = list(opened.records(maker.public_key(), maker.decrypt))
    assert [one.content.hex() for one in records] == made["records"]
    assert opened.digest.hex() == made["sm3"]
    for one in records:
        one.verify(public)
    (key, *_) = decode_record(records[0].content).keys
    assert key.wrapped.hex() == VECTORS["keys"]["wrapped"][0]["wrapped"]


def test_the_names_are_read() -> None:
    for case in VECTORS["elements"]:
        assert decode_elements(bytes.fromhex(case["hex"])).name == case["name"]


def test_the_text_files_are_read() -> None:
    files = {name: io.BytesIO(bytes.fromhex(data)) for name, data in VECTORS["row_files"].items()}
    assert len(list(open_bank_opening(files["bank_opening"]).rows())) == 5
    opened, refused = open_bank_return(files["bank_return"]).rows()
    assert (opened.account_last_digits, refused.failure) == ("0123", "04")
    made, failed = open_maker_return(files["maker_return"]).rows()
    assert (made.card_reset_information, failed.failure) == ("00814A444686604406009C3F10", "01")
