"""SM3 and SM4 through the public face."""

import hashlib
import threading

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB

from crypto import DecryptionError, sm3, sm4

KEY, NONCE = bytes(range(16)), bytes(range(12))


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
        assert sm4.encrypt_block(key, block) == expected
        assert sm4.decrypt_block(key, expected) == block


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_keys_and_blocks_have_16_bytes(length: int) -> None:
    for key, block in ((bytes(length), bytes(16)), (bytes(16), bytes(length))):
        for transform in (sm4.encrypt_block, sm4.decrypt_block):
            with pytest.raises(ValueError, match="16 bytes"):
                transform(key, block)
    with pytest.raises(ValueError, match="16 bytes"):
        sm4.Gcm(bytes(length))


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
