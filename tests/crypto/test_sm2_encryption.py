"""What decrypts, and the one error of all that doesn't."""

import pytest
from sm2_textbook import P, encode, multiply

from crypto import sm2, sm3

D = 0x1649AB77_A00637BD_5E2EFE28_3FBF3535_34AA7F7C_B89463F2_08DDBC29_20BB0DA0
PRIVATE = sm2.PrivateKey.from_bytes(D.to_bytes(32, "big"))
PUBLIC = PRIVATE.public_key()
PLAINTEXT = b"a key of sixteen"
GOOD = PUBLIC.encrypt(PLAINTEXT)
C1, C3, C2 = GOOD[1:65], GOOD[65:97], GOOD[97:]
PLAINTEXT_MAX = 16 << 20


def assert_refused(ciphertext: bytes) -> None:
    with pytest.raises(sm2.DecryptionError) as refusal:
        PRIVATE.decrypt(ciphertext)
    assert refusal.value.args == ()
    assert refusal.value.__cause__ is None


def consistent(c1: tuple[int, int], shared: tuple[int, int], plaintext: bytes) -> bytes:
    """A ciphertext with C2 and C3 as they follow from C1 and the shared point."""
    secret = encode(shared)
    stream = sm3.kdf(secret, len(plaintext))
    c2 = bytes(a ^ b for a, b in zip(stream, plaintext, strict=True))
    return b"\x04" + encode(c1) + sm3.digest(secret[:32] + plaintext + secret[32:]) + c2


@pytest.mark.parametrize("length", [1, 2, 3, 31, 32, 33, 64, 255, 256, 5000, 100_000])
def test_plaintexts_of_any_length_come_back(length: int) -> None:
    plaintext = bytes(range(256)) * (length // 256 + 1)
    for _ in range(3):
        ciphertext = PUBLIC.encrypt(plaintext[:length])
        assert len(ciphertext) == 97 + length
        assert ciphertext[0] == 4
        assert PRIVATE.decrypt(ciphertext) == plaintext[:length]


def test_same_plaintext_has_another_ciphertext_each_time() -> None:
    assert len({PUBLIC.encrypt(PLAINTEXT)[1:65] for _ in range(50)}) == 50


def test_empty_and_endless_plaintexts_are_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="empty"):
        PUBLIC.encrypt(b"")
    with pytest.raises(ValueError, match="too long"):
        PUBLIC.encrypt(bytes(PLAINTEXT_MAX + 1))


def test_any_flipped_bit_is_refused() -> None:
    for bit in range(8 * len(GOOD)):
        bad = bytearray(GOOD)
        bad[bit // 8] ^= 1 << bit % 8
        assert_refused(bytes(bad))


def test_cut_at_every_byte_it_is_refused() -> None:
    for length in range(len(GOOD)):
        assert_refused(GOOD[:length])
    assert_refused(GOOD + b"\x00")


@pytest.mark.parametrize(
    "ciphertext",
    [
        pytest.param(GOOD[:97], id="empty C2"),
        pytest.param(b"\x04" + C1 + C2 + C3, id="C1 C2 C3"),
        pytest.param(C1 + C3 + C2, id="without 04"),
        pytest.param(bytes([2 + C1[63] % 2]) + C1[:32] + C3 + C2, id="compressed C1"),
        pytest.param(bytes([6 + C1[63] % 2]) + C1 + C3 + C2, id="hybrid C1"),
        pytest.param(b"\x04" + bytes(64) + C3 + C2, id="C1 zeros"),
        pytest.param(b"\x04" + b"\xff" * 64 + C3 + C2, id="C1 above p"),
        pytest.param(b"\x04" + C1[32:] + C1[:32] + C3 + C2, id="x and y swapped"),
        pytest.param(b"\x04" + C1 + bytes(32) + C2, id="C3 zeros"),
        pytest.param(sm2.ciphertext_to_der(GOOD), id="DER"),
        pytest.param(b"\x04" + C1 + C3 + bytes(PLAINTEXT_MAX + 1), id="longer than any plaintext"),
    ],
)
def test_other_shapes_are_refused(ciphertext: bytes) -> None:
    assert_refused(ciphertext)


def test_another_key_can_not_decrypt() -> None:
    with pytest.raises(sm2.DecryptionError):
        sm2.PrivateKey.generate().decrypt(GOOD)


def test_point_off_the_curve_is_refused_even_when_all_else_fits() -> None:
    """Otherwise answers about points of small order on weaker curves add up to the key."""
    x, y = int.from_bytes(C1[:32], "big"), int.from_bytes(C1[32:], "big")
    for c1 in [(x, 2 * y % P), (2 * x % P, y), (x, 1), (1, 1)]:
        shared = multiply(D, c1)
        assert shared is not None
        assert_refused(consistent(c1, shared, PLAINTEXT))

    shared = multiply(D, (x, y))
    assert shared is not None
    assert PRIVATE.decrypt(consistent((x, y), shared, PLAINTEXT)) == PLAINTEXT


def test_key_stream_of_zeros_is_neither_made_nor_taken() -> None:
    """One ephemeral key in 256 would hide a single byte under nothing."""
    public = PUBLIC.to_bytes()
    point = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    c1 = shared = None
    for k in range(1, 4000):
        ephemeral = sm2.PrivateKey.from_bytes(k.to_bytes(32, "big")).public_key().to_bytes()
        c1 = int.from_bytes(ephemeral[1:33], "big"), int.from_bytes(ephemeral[33:], "big")
        shared = multiply(k, point)
        if shared is not None and sm3.kdf(encode(shared), 1) == b"\x00":
            break
    assert c1 is not None
    assert shared is not None
    ciphertext = consistent(c1, shared, b"x")
    assert ciphertext[-1:] == b"x"
    assert_refused(ciphertext)
    assert all(PUBLIC.encrypt(b"x")[-1:] != b"x" for _ in range(2000))


def test_der_goes_there_and_back() -> None:
    for length in (1, 19, 100, 127, 128, 300, 70_000):
        ciphertext = PUBLIC.encrypt(bytes(length))
        der = sm2.ciphertext_to_der(ciphertext)
        assert sm2.ciphertext_from_der(der) == ciphertext


def test_der_cut_or_changed_anywhere_is_refused() -> None:
    der = sm2.ciphertext_to_der(GOOD)
    for length in range(len(der)):
        with pytest.raises(sm2.DecryptionError):
            sm2.ciphertext_from_der(der[:length])
    with pytest.raises(sm2.DecryptionError):
        sm2.ciphertext_from_der(der + b"\x00")
    for bit in range(8 * len(der)):
        bad = bytearray(der)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(sm2.DecryptionError):
            PRIVATE.decrypt(sm2.ciphertext_from_der(bytes(bad)))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_der_with_a_digest_of_another_length_is_refused(length: int) -> None:
    def value(tag: int, content: bytes) -> bytes:
        return (
            bytes([tag, 0x81, len(content)] if len(content) > 127 else [tag, len(content)])
            + content
        )

    def integer(digits: bytes) -> bytes:
        return value(2, b"\x00" + digits if digits[0] > 127 else digits.lstrip(b"\x00"))

    point = integer(C1[:32]) + integer(C1[32:])
    good = value(0x30, point + value(4, C3) + value(4, C2))
    assert sm2.ciphertext_from_der(good) == GOOD
    bad = value(0x30, point + value(4, (C3 + b"\x00")[:length]) + value(4, C2))
    with pytest.raises(sm2.DecryptionError):
        sm2.ciphertext_from_der(bad)
    with pytest.raises(sm2.DecryptionError):
        sm2.ciphertext_from_der(value(0x30, point + value(4, C3) + value(4, b"")))
