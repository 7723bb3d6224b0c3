"""Which keys exist, and what they show of themselves."""

import copy
import pickle

import pytest

from crypto import CryptoError, sm2

P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123


def number(value: int) -> bytes:
    return value.to_bytes(32, "big")


POINT = sm2.PrivateKey.from_bytes(number(7)).public_key().to_bytes()


@pytest.mark.parametrize("value", [1, 2, 2**255, N - 3, N - 2])
def test_private_keys_from_1_to_n_minus_2_are_read_and_work(value: int) -> None:
    key = sm2.PrivateKey.from_bytes(number(value))
    assert key.to_bytes() == number(value)
    key.public_key().verify(key.sign(b"message"), b"message")
    assert key.decrypt(key.public_key().encrypt(b"text")) == b"text"


@pytest.mark.parametrize("value", [0, N - 1, N, N + 1, 2**256 - 1])
def test_private_keys_out_of_range_are_refused(value: int) -> None:
    with pytest.raises(sm2.InvalidKeyError):
        sm2.PrivateKey.from_bytes(number(value))


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_private_keys_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(sm2.InvalidKeyError):
        sm2.PrivateKey.from_bytes(b"\x01" * length)


def test_new_keys_differ() -> None:
    assert len({sm2.PrivateKey.generate().to_bytes() for _ in range(100)}) == 100


def test_public_key_goes_there_and_back_in_both_forms() -> None:
    for _ in range(20):
        key = sm2.PrivateKey.generate().public_key()
        long, short = key.to_bytes(), key.to_bytes(compressed=True)
        assert (len(long), long[0], len(short)) == (65, 4, 33)
        assert short == bytes([2 + long[64] % 2]) + long[1:33]
        same = {key, sm2.PublicKey.from_bytes(long), sm2.PublicKey.from_bytes(short)}
        assert len(same) == 1
        assert key != sm2.PrivateKey.generate().public_key()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00", id="infinity"),
        pytest.param(bytes(65), id="infinity padded"),
        pytest.param(b"\x04" + bytes(64), id="zeros"),
        pytest.param(b"\x06" + POINT[1:], id="hybrid 06"),
        pytest.param(b"\x07" + POINT[1:], id="hybrid 07"),
        pytest.param(POINT[:-1], id="a byte short"),
        pytest.param(POINT + b"\x00", id="a byte long"),
        pytest.param(POINT[1:], id="without its tag"),
        pytest.param(POINT[:64] + bytes([POINT[64] ^ 1]), id="off the curve"),
        pytest.param(b"\x04" + POINT[33:] + POINT[1:33], id="x and y swapped"),
        pytest.param(b"\x04" + number(P) + POINT[33:], id="x = p"),
        pytest.param(b"\x04" + POINT[1:33] + number(P), id="y = p"),
        pytest.param(b"\x04" + b"\xff" * 64, id="above p"),
        pytest.param(b"\x02" + number(P + 1), id="compressed x above p"),
        pytest.param(b"\x04" + POINT[1:33], id="04 with x alone"),
        pytest.param(b"\x02" + POINT[1:], id="02 with x and y"),
        pytest.param(bytes.fromhex(
            "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
        ), id="the base point of P-256"),
    ],
)  # fmt: skip
def test_what_is_no_point_of_the_curve_is_refused(data: bytes) -> None:
    with pytest.raises(sm2.InvalidKeyError):
        sm2.PublicKey.from_bytes(data)


def test_compressed_x_without_a_point_is_refused() -> None:
    def has_point(x: int) -> bool:
        try:
            sm2.PublicKey.from_bytes(b"\x02" + number(x))
        except sm2.InvalidKeyError:
            return False
        return True

    b = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
    for x in range(60):
        is_square = pow(x**3 - 3 * x + b, (P - 1) // 2, P) == 1
        assert has_point(x) == is_square


def test_refused_key_is_a_value_error_and_a_crypto_error() -> None:
    assert issubclass(sm2.InvalidKeyError, ValueError)
    assert issubclass(sm2.InvalidKeyError, CryptoError)


def test_private_key_shows_nothing_of_itself() -> None:
    secret = bytes(range(32))
    key = sm2.PrivateKey.from_bytes(secret)
    assert repr(key) == str(key) == f"{key}" == "<crypto.sm2.PrivateKey>"
    assert not hasattr(key, "__dict__")


def test_private_key_is_not_pickled_or_copied() -> None:
    key = sm2.PrivateKey.generate()
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(key, protocol)
    for duplicate in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            duplicate(key)


def test_private_key_is_not_made_without_its_constructors() -> None:
    with pytest.raises(TypeError):
        sm2.PrivateKey()
    with pytest.raises(TypeError):
        sm2.PublicKey()


@pytest.mark.parametrize("wrong", [None, "text", 7, [1, 2]])
def test_other_types_are_a_type_error(wrong: object) -> None:
    for read in (sm2.PrivateKey.from_bytes, sm2.PublicKey.from_bytes):
        with pytest.raises(TypeError):
            read(wrong)  # type: ignore[arg-type]


def test_kept_key_is_the_key() -> None:
    public = sm2.PrivateKey.generate().public_key()
    assert sm2.Verifier(public).public_key() == public
