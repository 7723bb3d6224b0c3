"""SM3 and SM4 through the public face."""

import copy
import hashlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from hypothesis import given
from hypothesis import strategies as st

from crypto import DecryptionError, fields, sm2, sm3, sm4

KEY, NONCE = bytes(range(16)), bytes(range(12))
# So many calls take half a second or more: longer than a thread waits for its turn.
LARGE, CALLS_MAX = bytes(1 << 20), 200


def stream(length: int) -> bytes:
    return hashlib.shake_256(b"sm3 and sm4").digest(length)


def test_digest_agrees_with_cryptography_for_every_length_of_the_padding() -> None:
    for length in [*range(200), 12_287, 12_288, 12_289, 1 << 20]:
        other = hashes.Hash(hashes.SM3())
        other.update(stream(length))
        assert sm3.digest(stream(length)) == other.finalize()


def test_pieces_give_the_digest_of_the_whole_and_reading_goes_on() -> None:
    data = stream(40_000)
    pieces, start = sm3.Hash(), 0
    for size in (0, 1, 63, 64, 65, 128, 7, 13_000, 20_000):
        pieces.update(data[start : start + size])
        start += size
        assert pieces.digest() == sm3.digest(data[:start])


def test_one_digest_fed_by_many_threads_loses_nothing() -> None:
    piece, pieces = bytes(20_000), sm3.Hash()
    threads = [threading.Thread(target=pieces.update, args=(piece,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pieces.digest() == sm3.digest(piece * 16)


def test_any_flipped_bit_or_other_length_of_a_tag_is_refused() -> None:
    tag = sm3.hmac(b"key", b"data")
    sm3.hmac_verify(b"key", b"data", tag)
    for bit in range(256):
        bad = bytearray(tag)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(sm3.InvalidMacError):
            sm3.hmac_verify(b"key", b"data", bytes(bad))
    for bad_tag in (b"", tag[:16], tag[:31], tag + b"\x00"):
        with pytest.raises(sm3.InvalidMacError):
            sm3.hmac_verify(b"key", b"data", bad_tag)
    for key, data in ((b"kez", b"data"), (b"key", b"datb"), (b"", b"data"), (b"key", b"")):
        with pytest.raises(sm3.InvalidMacError):
            sm3.hmac_verify(key, data, tag)


@pytest.mark.parametrize("length", [1, 31, 32, 33, 1000])
def test_derived_bytes_are_numbered_digests(length: int) -> None:
    expected = b"".join(sm3.digest(b"z" + i.to_bytes(4, "big")) for i in range(1, 40))
    assert sm3.kdf(b"z", length) == expected[:length]


@pytest.mark.parametrize("length", [0, (32 << 20) + 1])
def test_derived_length_out_of_range_is_the_callers_mistake(length: int) -> None:
    with pytest.raises(ValueError, match="32 MiB"):
        sm3.kdf(b"z", length)


def test_blocks_agree_with_cryptography() -> None:
    data = stream(32 * 300)
    for start in range(0, len(data), 32):
        key, block = data[start : start + 16], data[start + 16 : start + 32]
        expected = Cipher(SM4(key), ECB()).encryptor().update(block)
        kept = sm4.Cipher(key)
        assert sm4.encrypt_block(key, block) == kept.encrypt_block(block) == expected
        assert sm4.decrypt_block(key, expected) == kept.decrypt_block(expected) == block


def test_a_kept_key_is_the_same_after_any_number_of_blocks() -> None:
    kept, block = sm4.Cipher(KEY), bytes(16)
    for _ in range(1000):
        block = kept.encrypt_block(block)
        assert kept.decrypt_block(kept.encrypt_block(block)) == block
    many = Cipher(SM4(KEY), CBC(bytes(16))).encryptor().update(bytes(16_000))
    assert block == many[-16:]


BACK_END_REPORT = """
import sys
from crypto import sm2, sm3, sm4
data = bytes.fromhex(sys.stdin.readline())
digests = [sm3.digest(data[:length]) for length in range(0, len(data), 7)]
for start in range(0, len(data) - 31, 5):
    key, block = data[start : start + 16], data[start + 16 : start + 32]
    kept = sm4.Cipher(key)
    digests += [sm4.encrypt_block(key, block), sm4.decrypt_block(key, block)]
    digests += [kept.encrypt_block(block), kept.decrypt_block(block)]
    digests += [sm4.diversify(key, block[:8]), sm4.cbc_mac(key, block, data[start:])]
    digests += [sm4.wrap_diversified(key + block, block[:8], kept)]
print(sm2.backend(), sm3.digest(b"".join(digests)).hex())
"""


def test_all_back_ends_of_this_processor_answer_alike() -> None:
    reports = {}
    for backend in sm2.available_backends():
        run = subprocess.run(
            [sys.executable, "-c", BACK_END_REPORT],
            input=stream(2000).hex(),
            env={**os.environ, "SSCARD_SM2_BACKEND": backend},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        name, reports[backend] = run.stdout.split()
        assert name == backend
    assert "portable" in reports
    assert len(set(reports.values())) == 1


def test_a_card_key_is_the_factor_and_its_complement_encrypted() -> None:
    for start in range(0, 200, 8):
        factor = stream(208)[start : start + 8]
        block = factor + bytes(byte ^ 0xFF for byte in factor)
        assert sm4.diversify(KEY, factor) == sm4.encrypt_block(KEY, block)


@given(
    st.lists(st.binary(min_size=16, max_size=16), max_size=16),
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=16, max_size=16),
)
def test_wrapped_keys_are_diversified_encrypted_and_checked_one_by_one(
    masters: list[bytes], factor: bytes, transport: bytes
) -> None:
    expected = b""
    for master in masters:
        key = sm4.diversify(master, factor)
        expected += sm4.encrypt_block(transport, key) + sm4.encrypt_block(key, bytes(16))[:3]
    made = sm4.wrap_diversified(b"".join(masters), factor, sm4.Cipher(transport))
    assert made == expected


@pytest.mark.parametrize("size", [15, 17, 17 * 16])
def test_no_cut_key_and_no_more_than_sixteen_are_wrapped(size: int) -> None:
    with pytest.raises(ValueError, match="at most 16 master keys of 16 bytes"):
        sm4.wrap_diversified(bytes(size), bytes(8), sm4.Cipher(KEY))


@given(
    st.lists(st.binary(max_size=20), max_size=9),
    st.lists(st.binary(max_size=40), max_size=9),
    st.binary(max_size=3),
    st.data(),
)
def test_a_table_of_texts_is_sealed_as_each_alone(
    aads: list[bytes], tails: list[bytes], head: bytes, data: st.DataObject
) -> None:
    places = [aad + tail for aad in aads for tail in tails]
    text = st.binary(max_size=50)
    texts = data.draw(st.lists(text, min_size=len(places), max_size=len(places)))
    gcm, nonces = sm4.Gcm(KEY), stream(12 * len(places))
    sealed = gcm.encrypt_each(head, nonces, texts, aads, tails)
    for at, (text, place) in enumerate(zip(texts, places, strict=True)):
        nonce = nonces[12 * at : 12 * at + 12]
        assert sealed[at] == head + nonce + gcm.encrypt(nonce, text, place)
    assert gcm.decrypt_each(head, sealed, aads, tails) == texts


def test_a_table_of_texts_that_works_without_the_lock_is_the_same() -> None:
    gcm, aads, tails = sm4.Gcm(KEY), [b"a", b"b"], [b"%d" % row for row in range(500)]
    texts = [b"%d" % at * 9 for at in range(1000)]
    sealed = gcm.encrypt_each(b"1", stream(12 * 1000), texts, aads, tails)
    assert gcm.decrypt_each(b"1", sealed, aads, tails) == texts
    assert gcm.decrypt(sealed[777][1:13], sealed[777][13:], b"b277") == texts[777]
    with pytest.raises(sm4.DecryptionError):
        gcm.decrypt_each(b"1", sealed, aads, tails[::-1])


def test_a_table_of_texts_opens_only_where_each_is_as_it_was_sealed() -> None:
    gcm, aads, row = sm4.Gcm(KEY), [b"a", b"b"], [b"row"]
    sealed = gcm.encrypt_each(b"1", stream(24), [b"first", b"second"], aads, row)
    others = [
        (b"2", sealed, aads, row),
        (b"1", sealed[::-1], aads, row),
        (b"1", sealed, [b"a", b"c"], row),
        (b"1", sealed, aads, [b"another"]),
        (b"1", [sealed[0], sealed[1][:-1]], aads, row),
        (b"1", [sealed[0], b"1"], aads, row),
        (b"1", [sealed[0], b""], aads, row),
    ]
    for head, texts, places, tails in others:
        with pytest.raises(sm4.DecryptionError):
            gcm.decrypt_each(head, texts, places, tails)


def test_a_table_of_texts_needs_a_nonce_and_a_place_for_each() -> None:
    gcm = sm4.Gcm(KEY)
    for count, nonces, aads, tails in ((2, 1, 2, 1), (2, 2, 1, 1), (3, 3, 2, 2), (65537, 0, 1, 1)):
        with pytest.raises(ValueError, match="at most 65536 texts"):
            gcm.encrypt_each(b"", bytes(12 * nonces), [b""] * count, [b""] * aads, [b""] * tails)
    with pytest.raises(ValueError, match="at most 65536 texts"):
        gcm.decrypt_each(b"", [b""], [], [])


def test_a_mac_is_the_last_block_of_cbc_with_padding_always() -> None:
    iv = stream(16)
    for length in [*range(66), 12_345]:
        padded = stream(length) + b"\x80"
        padded += bytes(-len(padded) % 16)
        encryptor = Cipher(SM4(KEY), CBC(iv)).encryptor()
        assert sm4.cbc_mac(KEY, iv, stream(length)) == encryptor.update(padded)[-16:]


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: sm3.digest(LARGE), id="digest"),
        pytest.param(lambda: sm3.hmac(KEY, LARGE), id="hmac"),
        pytest.param(lambda: sm3.tree([LARGE, LARGE]), id="tree"),
        pytest.param(lambda: fields.digest("table", [{"large": LARGE}]), id="rows"),
        pytest.param(lambda: sm4.cbc_mac(KEY, bytes(16), LARGE), id="cbc_mac"),
    ],
)
def test_other_threads_run_during_long_work(call: Callable[[], object]) -> None:
    # Nobody is made to hand over the interpreter: it comes free in a call, or after all of them.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    entered, stopped, calls = threading.Event(), [], []

    def work() -> None:
        entered.set()
        while not stopped and len(calls) < CALLS_MAX:
            calls.append(call())

    worker = threading.Thread(target=work)
    try:
        worker.start()
        entered.wait()
        stopped.append(True)
        worker.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(calls) < CALLS_MAX


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_keys_and_blocks_have_16_bytes(length: int) -> None:
    wrong, right = bytes(length), bytes(16)
    calls: list[Callable[[], object]] = [
        lambda: sm4.encrypt_block(wrong, right),
        lambda: sm4.encrypt_block(right, wrong),
        lambda: sm4.decrypt_block(wrong, right),
        lambda: sm4.decrypt_block(right, wrong),
        lambda: sm4.Cipher(wrong),
        lambda: sm4.Cipher(right).encrypt_block(wrong),
        lambda: sm4.Cipher(right).decrypt_block(wrong),
        lambda: sm4.diversify(wrong, bytes(8)),
        lambda: sm4.cbc_mac(wrong, right, b"message"),
        lambda: sm4.cbc_mac(right, wrong, b"message"),
        lambda: sm4.Gcm(wrong),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="16 bytes"):
            call()


@pytest.mark.parametrize("length", [0, 7, 9, 16])
def test_factors_have_8_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        sm4.diversify(KEY, bytes(length))
    with pytest.raises(ValueError, match="8 bytes"):
        sm4.wrap_diversified(KEY, bytes(length), sm4.Cipher(KEY))


def test_a_kept_key_is_neither_shown_nor_copied() -> None:
    kept = sm4.Cipher(b"sixteen letters!")
    assert repr(kept) == "<crypto.sm4.Cipher>"
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            take(kept)
    assert not hasattr(kept, "__dict__")


def test_gcm_goes_there_and_back() -> None:
    gcm = sm4.Gcm(KEY)
    for length in (0, 1, 16, 1000):
        sealed = gcm.encrypt(NONCE, stream(length), b"row")
        assert len(sealed) == length + sm4.TAG_SIZE
        assert gcm.decrypt(NONCE, sealed, b"row") == stream(length)
    assert gcm.decrypt(NONCE, gcm.encrypt(NONCE, b"text")) == b"text"


def test_any_flipped_bit_cut_or_other_circumstance_of_gcm_is_refused() -> None:
    gcm = sm4.Gcm(KEY)
    sealed = gcm.encrypt(NONCE, b"text", b"row")
    flipped = [sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :] for i in range(len(sealed))]
    cut = [sealed[:length] for length in range(len(sealed))]
    for bad in [*flipped, *cut, sealed + b"\x00"]:
        with pytest.raises(DecryptionError) as refusal:
            gcm.decrypt(NONCE, bad, b"row")
        assert refusal.value.args == ()
    for other, nonce, aad in [
        (gcm, NONCE, b"other row"),
        (gcm, NONCE, b""),
        (gcm, NONCE[::-1], b"row"),
        (sm4.Gcm(KEY[::-1]), NONCE, b"row"),
    ]:
        with pytest.raises(DecryptionError):
            other.decrypt(nonce, sealed, aad)


@pytest.mark.parametrize("length", [0, 7, 129])
def test_gcm_nonces_have_8_to_128_bytes(length: int) -> None:
    gcm = sm4.Gcm(KEY)
    with pytest.raises(ValueError, match="nonce"):
        gcm.encrypt(bytes(length), b"text")
    with pytest.raises(ValueError, match="nonce"):
        gcm.decrypt(bytes(length), bytes(20))


def test_gcm_shows_nothing_of_its_key() -> None:
    gcm = sm4.Gcm(b"sixteen letters!")
    assert b"sixteen" not in repr(gcm).encode()
    assert KEY.hex() not in repr(sm4.Gcm(KEY))
