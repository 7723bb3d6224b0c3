"""A card's keys in its record: made by the standard's rule, and readable by one maker alone."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB

from crypto import sm4
from issuance.card_files import CardFileError, CardKeyKind, MasterKey, SoftwareCardKeys, unwrap
from issuance.card_files.card_keys import check_value, decode_keys, encode_keys
from tests.issuance.card_files.samples import CARD_KEYS, MASTERS, REGION, TRANSPORT_KEY

OFFICIAL = json.loads(
    (Path(__file__).parents[2] / "vectors" / "sm_official.json").read_text("utf-8")
)
KEYS = CARD_KEYS.keys_of(REGION, "GD0000017")


def by_openssl(key: bytes, block: bytes) -> bytes:
    return Cipher(SM4(key), ECB()).encryptor().update(block)


def diversified(key: bytes, factor: bytes) -> bytes:
    return by_openssl(key, factor + bytes(byte ^ 0xFF for byte in factor))


def test_the_rule_is_that_of_the_vectors() -> None:
    case = {name: bytes.fromhex(value) for name, value in OFFICIAL["sm4_diversification"].items()
            if name in {"master", "factor", "subkey"}}  # fmt: skip
    assert sm4.diversify(case["master"], case["factor"]) == case["subkey"]
    assert diversified(case["master"], case["factor"]) == case["subkey"]
    block = OFFICIAL["sm4"]
    assert (
        by_openssl(*[bytes.fromhex("0123456789abcdeffedcba9876543210")] * 2).hex()
        in json.dumps(block).lower()
    )


@pytest.mark.parametrize("kind", list(CardKeyKind))
def test_each_key_is_diversified_and_wrapped_as_documented(kind: CardKeyKind) -> None:
    region_key = diversified(MASTERS[kind].value, bytes.fromhex("440604ffffffffff"))
    expected = diversified(region_key, int("GD0000017", 36).to_bytes(8, "big"))
    (key,) = [one for one in KEYS if one.kind == kind]
    assert key.number == MASTERS[kind].number
    assert key.wrapped == by_openssl(TRANSPORT_KEY, expected)
    assert key.check_value == by_openssl(expected, bytes(16))[:3]
    assert unwrap(key, sm4.Cipher(TRANSPORT_KEY)) == expected


def test_the_worked_example_of_the_counter_is_what_goes_into_the_chip() -> None:
    """docs/chip-cards.md: the same authentication key gives the same card key on both sides."""
    master = bytes.fromhex("0123456789abcdeffedcba9876543210")
    made = SoftwareCardKeys(
        {CardKeyKind.INTERNAL_AUTHENTICATION: MasterKey(1, master)}, TRANSPORT_KEY
    )
    (key,) = made.keys_of(REGION, "GD0000017")
    found = unwrap(key, sm4.Cipher(TRANSPORT_KEY))
    assert found.hex() == "9566321fb0bbed0b4408af5d3482f0a5"


def test_the_same_card_gives_the_same_bytes_and_another_card_other_ones() -> None:
    assert CARD_KEYS.keys_of(REGION, "GD0000017") == KEYS
    for other in (CARD_KEYS.keys_of(REGION, "GD0000018"), CARD_KEYS.keys_of("440605", "GD0000017")):
        assert not {key.wrapped for key in other} & {key.wrapped for key in KEYS}
    assert len({key.wrapped for key in KEYS}) == len(CardKeyKind)


@pytest.mark.parametrize("number", [0, ord("%"), 255])
def test_a_key_says_which_master_key_it_is_of(number: int) -> None:
    masters = {kind: MasterKey(number, one.value) for kind, one in MASTERS.items()}
    made = SoftwareCardKeys(masters, TRANSPORT_KEY).keys_of(REGION, "GD0000017")
    assert made == tuple(key._replace(number=number) for key in KEYS)


def test_no_more_than_some_regions_are_kept() -> None:
    made = SoftwareCardKeys(MASTERS, TRANSPORT_KEY)
    for region in range(440000, 440200):
        made.keys_of(str(region), "GD0000017")
    assert len(made._of_regions) <= 64
    assert made.keys_of(REGION, "GD0000017") == KEYS


def test_another_transport_key_is_noticed() -> None:
    with pytest.raises(CardFileError) as raised:
        unwrap(KEYS[0], sm4.Cipher(bytes(16)))
    assert raised.value.code == "transport_key_wrong"


def test_what_is_encoded_is_decoded() -> None:
    assert decode_keys(encode_keys(KEYS)) == KEYS


@pytest.mark.parametrize(
    "keys", [(), (KEYS[1], KEYS[0]), (KEYS[0], KEYS[0]), (KEYS[0]._replace(kind=99),)]
)
def test_keys_doubled_out_of_order_or_of_no_kind_are_refused(keys: tuple) -> None:
    with pytest.raises(ValueError, match=r"[kK]ind"):
        decode_keys(encode_keys(keys))
    with pytest.raises(ValueError, match="cut"):
        decode_keys(encode_keys(KEYS)[:-1])


def test_keys_of_another_size_are_no_keys() -> None:
    for value, number in ((bytes(15), 1), (bytes(16), 256)):
        with pytest.raises(ValueError, match="16 bytes"):
            MasterKey(number, value)
    with pytest.raises(ValueError, match="16"):
        SoftwareCardKeys(MASTERS, bytes(8))
    with pytest.raises(ValueError, match="at least one"):
        SoftwareCardKeys({}, TRANSPORT_KEY)


def test_no_key_is_shown() -> None:
    assert "2345" not in repr(CARD_KEYS)
    assert "2345" not in repr(MASTERS[CardKeyKind.READ])
    assert len(check_value(bytes(16))) == 3
