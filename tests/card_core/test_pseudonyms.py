"""Pseudonyms: stable at one institution, strangers between two, and dumb without the key."""

import itertools

import pytest
from gmssl import sm3

from card_core.pseudonyms import Pseudonyms

KEY = bytes(range(32))


def ids(count: int, prefix: str) -> list[str]:
    return [prefix + f"{serial:031x}" for serial in range(count)]


def hmac_by_hand(key: bytes, data: bytes) -> bytes:
    """RFC 2104 over another library's SM3."""
    padded = key.ljust(64, b"\0")
    inner = sm3.sm3_hash(list(bytes(b ^ 0x36 for b in padded) + data))
    outer = bytes(b ^ 0x5C for b in padded) + bytes.fromhex(inner)
    return bytes.fromhex(sm3.sm3_hash(list(outer)))


def test_a_pseudonym_is_the_stated_hmac_cut_to_16_bytes() -> None:
    holder, institution = "a" * 32, "b" * 32
    data = b"sscard/pseudonym/v1\0" + b"b" * 32 + b"\0" + b"a" * 32
    assert Pseudonyms(KEY).of(holder, institution) == hmac_by_hand(KEY, data)[:16]
    salt = hmac_by_hand(KEY, b"sscard/clerk-salt/v1\0" + b"c" * 32)[:16]
    assert Pseudonyms(KEY).clerk_salt("c" * 32) == salt


def test_pairs_of_holder_and_institution_never_meet_and_are_the_same_again() -> None:
    pairs = list(itertools.product(ids(60, "a"), ids(20, "b")))
    first = {pair: Pseudonyms(KEY).of(*pair) for pair in pairs}
    assert len(set(first.values())) == len(pairs)
    assert first == {pair: Pseudonyms(KEY).of(*pair) for pair in pairs}


def test_another_key_gives_other_pseudonyms_and_salts() -> None:
    other = Pseudonyms(bytes(32))
    assert other.of("a", "b") != Pseudonyms(KEY).of("a", "b")
    assert other.clerk_salt("a") != Pseudonyms(KEY).clerk_salt("a")


def test_the_two_ids_do_not_run_into_each_other() -> None:
    assert Pseudonyms(KEY).of("ab", "c") != Pseudonyms(KEY).of("a", "bc")
    assert Pseudonyms(KEY).of("a", "b") != Pseudonyms(KEY).of("b", "a")


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonyms(bytes(size))
