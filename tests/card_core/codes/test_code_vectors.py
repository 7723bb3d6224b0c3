"""The example codes: the core gives every answer that the file gives, and each is what it says."""

import json
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from typing import Any

import make_vectors
import pytest
from raw_codes import (
    BOX_KEY,
    CODE_REASONS,
    ONLINE_CONTEXT,
    A,
    B,
    N,
    P,
    code_keys,
    hash_to_sign,
    private_key,
)

from card_core import business_types, codes
from card_core.codes import CheckedCode, CodeKey, KeyPurpose, KeyRing, KeyState
from crypto import sm2

FILE: dict[str, Any] = json.loads(make_vectors.FILE.read_text("ascii"))
CASES: list[dict[str, Any]] = FILE["cases"]


@cache
def ring() -> KeyRing:
    return KeyRing(
        CodeKey(
            key["issuer"],
            key["number"],
            sm2.PublicKey.from_bytes(bytes.fromhex(key["public_key"])),
            KeyState(key["state"]),
            KeyPurpose(key["purpose"]),
        )
        for key in FILE["keys"]
    )


def as_written(code: CheckedCode) -> dict[str, Any]:
    """A checked code in the words of the file: numbers as in the bytes, byte strings in hex."""
    written: dict[str, Any] = {}
    for name, value in code._asdict().items():
        match value:
            case None:
                continue
            case bytes():
                written[name] = value.hex()
            case datetime():
                assert value.tzinfo is UTC
                written[name] = int(value.timestamp())
            case business_types.Purpose():
                written[name] = value.value
            case _:
                written[name] = int(value)
    return written


def by_the_core(case: dict[str, Any]) -> dict[str, Any] | str:
    try:
        code = codes.check(
            case["text"],
            keys=ring(),
            now=datetime.fromtimestamp(case["now"], UTC),
            business_type=business_types.get(case["business_type"]),
            terminal=bytes.fromhex(case["terminal"]),
            amount_fen=case["amount_fen"],
        )
    except codes.RefusedError as refused:
        return str(refused.reason.value)
    return as_written(code)


def bytes_of(name: str) -> bytes:
    """The bytes of the example with this name, 103 or 203."""
    (text,) = (case["text"] for case in CASES if case["name"] == name)
    return int(text[4:]).to_bytes(103 if len(text) == 253 else 203, "big")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_each_example_has_the_answer_of_the_file(case: dict[str, Any]) -> None:
    expected = case["fields"] if case["outcome"] == "accepted" else case["reason"]
    assert by_the_core(case) == expected


def test_every_reason_of_the_code_alone_has_examples() -> None:
    reasons = Counter(case.get("reason") for case in CASES)
    assert set(reasons) == {None} | {reason.value for reason in CODE_REASONS}
    assert reasons[None] >= 40


def test_at_least_25_downgrades_are_among_the_examples() -> None:
    downgrades = [
        case
        for case in CASES
        if case.get("reason") in {"unknown_version", "unknown_key"}
        or "-kind-" in case["name"]
        or case["name"].startswith("bad_signature-online-")
    ]
    assert len(downgrades) >= 25
    assert all(case["outcome"] == "refused" for case in downgrades)


def test_the_script_still_makes_the_same_cases() -> None:
    """Texts differ by their random signatures; where nothing is signed they are the same."""
    made = json.loads(json.dumps(make_vectors.document()))
    assert {key: made[key] for key in made if key != "cases"} == {
        key: FILE[key] for key in FILE if key != "cases"
    }
    assert [{**case, "text": None} for case in made["cases"]] == [
        {**case, "text": None} for case in CASES
    ]
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_the_device_key_off_the_curve_is_off_it() -> None:
    key = bytes_of("bad_signature-offline-key-off-curve")[16:49]
    x = int.from_bytes(key[1:], "big")
    assert x < P
    assert pow(x**3 + A * x + B, (P - 1) // 2, P) == P - 1  # no square, by Euler's criterion


def test_the_signature_to_infinity_leads_there() -> None:
    """[s]G + [t]P is [s + td]G, no point where that is 0; r is e + 0."""
    data = bytes_of("bad_signature-online-infinity")
    r, s = int.from_bytes(data[39:71], "big"), int.from_bytes(data[71:], "big")
    t = (r + s) % N
    d = int.from_bytes(private_key("code_signing.1.1").to_bytes(), "big")
    assert min(r, s, t) > 0
    assert max(r, s) < N
    assert (s + t * d) % N == 0
    assert r == hash_to_sign("code_signing.1.1", ONLINE_CONTEXT + data[:39]) % N


@pytest.mark.parametrize(("half", "offset"), [("r", 0), ("s", 32)])
def test_the_examples_of_zero_bytes_have_them(half: str, offset: int) -> None:
    for kind in ("online", "offline"):
        assert bytes_of(f"{kind}-{half}-zero-byte")[-64:][offset] == 0


def test_a_good_example_is_what_the_core_makes_of_the_same_fields() -> None:
    """The signature aside, the core lays a code out as the script does by hand."""
    for case in CASES:
        if case["outcome"] == "accepted" and case["fields"]["kind"] == 1:
            fields = case["fields"]
            message = codes.OnlineCode(
                issuer=fields["issuer"],
                key_number=fields["key_number"],
                minted_at=datetime.fromtimestamp(fields["minted_at"], UTC),
                purpose_class=codes.PurposeClass(fields["purpose_class"]),
                purposes=business_types.Purpose(fields["purposes"]),
                box=bytes.fromhex(fields["box"]),
                for_whom=codes.ForWhom(fields["for_whom"]),
                presence=codes.Presence(fields["presence"]),
                terminal=bytes.fromhex(fields["terminal"]),
                amount_fen=fields["amount_fen"],
            ).to_be_signed()
            signature = int(case["text"][4:]).to_bytes(103, "big")[-64:]
            assert codes.assemble(message, signature) == case["text"]


def test_the_box_of_the_file_opens() -> None:
    example = FILE["box"]
    box_key, box = bytes.fromhex(example["box_key"]), bytes.fromhex(example["box"])
    assert box_key == BOX_KEY
    expected = (int(example["ecard_id"], 16), bytes.fromhex(example["nonce"]))
    assert codes.open_box(box_key, box) == expected
    assert codes.seal_box(box_key, *expected) == box


def test_the_keys_of_the_file_are_those_of_the_script() -> None:
    assert len(code_keys()) == len(FILE["keys"]) == len(ring())
    for key in FILE["keys"]:
        private = sm2.PrivateKey.from_bytes(bytes.fromhex(key["private_key"]))
        assert private.public_key().to_bytes().hex() == key["public_key"]
