"""PyPI's gmssl 3.2.2 as a second opinion, and as a negative control.

It agrees on good values. Where it is known to be broken, the same checks that pass here must fail
there: a check that nothing fails proves nothing. That goes for the SM2 edition as well, whose cases
it must fail by the number. It is never a dependency of the product
(docs/decisions/0002-sm-libraries.md).
"""

import random
from collections.abc import Callable

import gmssl_answers
import pytest
from gmssl.sm2 import CryptSM2
from gmssl.sm3 import sm3_hash
from sm2_edition import cases
from sm2_edition.cases import INVALID, VALID, Case, CiphertextCase, SignatureCase
from sm2_textbook import P, encode, multiply

from crypto import sm2, sm3

D = 0x1649AB77_A00637BD_5E2EFE28_3FBF3535_34AA7F7C_B89463F2_08DDBC29_20BB0DA0
OURS = sm2.PrivateKey.from_bytes(D.to_bytes(32, "big"))
PUBLIC = OURS.public_key()
C1_C3_C2 = 1
THEIRS = CryptSM2(
    private_key=OURS.to_bytes().hex(), public_key=PUBLIC.to_bytes()[1:].hex(), mode=C1_C3_C2
)
PLAINTEXT = b"a key of sixteen"


def test_second_opinion_on_signatures() -> None:
    for message in (b"", b"message", bytes(300)):
        theirs = bytes.fromhex(THEIRS.sign_with_sm3(message))
        PUBLIC.verify(theirs, message)
        assert THEIRS.verify_with_sm3(OURS.sign(message).hex(), message)
        assert not THEIRS.verify_with_sm3(OURS.sign(message + b"x").hex(), message)


def test_second_opinion_on_ciphertexts_and_digests() -> None:
    assert THEIRS.decrypt(PUBLIC.encrypt(PLAINTEXT)[1:]) == PLAINTEXT
    assert OURS.decrypt(b"\x04" + THEIRS.encrypt(PLAINTEXT)) == PLAINTEXT
    for length in (0, 55, 56, 64, 200):
        assert sm3.digest(bytes(length)).hex() == sm3_hash([0] * length)


def repeats_after_seeding(sign: Callable[[bytes], bytes]) -> bool:
    """Whether the signature's k comes out of Python's seedable generator."""
    signatures = set()
    for _ in range(2):
        random.seed(7)
        signatures.add(sign(b"message"))
    return len(signatures) == 1


def test_seeded_nonces_are_noticed() -> None:
    state = random.getstate()
    try:
        assert repeats_after_seeding(lambda message: THEIRS.sign_with_sm3(message).encode())
        assert not repeats_after_seeding(OURS.sign)
    finally:
        random.setstate(state)


def decrypts(decrypt: Callable[[bytes], bytes | None], ciphertext: bytes) -> bool:
    try:
        return decrypt(ciphertext) is not None
    except sm2.DecryptionError:
        return False


def opinions(ciphertext: bytes) -> tuple[bool, bool]:
    """Whether we decrypt, and whether gmssl does."""
    return decrypts(OURS.decrypt, ciphertext), decrypts(THEIRS.decrypt, ciphertext[1:])


def test_point_off_the_curve_is_noticed() -> None:
    good = PUBLIC.encrypt(PLAINTEXT)
    x, y = int.from_bytes(good[1:33], "big"), int.from_bytes(good[33:65], "big")
    off = (x, 2 * y % P)
    shared = multiply(D, off)
    assert shared is not None
    secret = encode(shared)
    c2 = bytes(a ^ b for a, b in zip(sm3.kdf(secret, 16), PLAINTEXT, strict=True))
    c3 = sm3.digest(secret[:32] + PLAINTEXT + secret[32:])
    assert opinions(good) == (True, True)
    assert opinions(b"\x04" + encode(off) + c3 + c2) == (False, True)


def test_flipped_digest_and_flipped_text_are_noticed() -> None:
    good = PUBLIC.encrypt(PLAINTEXT)
    for position in (65, 97):
        bad = bytearray(good)
        bad[position] ^= 1
        assert opinions(bytes(bad)) == (False, True)


def wrongly_accepted(name: str, flag: str) -> int:
    """How many cases of the SM2 edition gmssl accepts that it must refuse."""
    answers = [
        gmssl_answers.to_ciphertext(case)
        if isinstance(case, CiphertextCase)
        else gmssl_answers.to_signature(case)
        for case in cases.load(name).values()
        if case.flag == flag and case.result != VALID and not is_der(case)
    ]
    print(f"{flag}: {answers.count(VALID)} of {len(answers)} accepted")
    return answers.count(VALID)


def is_der(case: Case) -> bool:
    return isinstance(case, CiphertextCase) and case.form == "der"


@pytest.mark.parametrize(
    ("flag", "accepted"),
    [
        pytest.param("Zero", 3, id="an s of 0"),
        pytest.param("AddedOrder", 3, id="s + n"),
        pytest.param("AllOnes", 3, id="an s of 2^256 - 1"),
        pytest.param("KeyOffCurve", 9, id="keys off the curve"),
        pytest.param("KeyCoordinateAboveField", 6, id="coordinates of p and more"),
        pytest.param("RawLength", 10, id="signatures of another length"),
    ],
)
def test_the_edition_finds_what_gmssl_accepts(flag: str, accepted: int) -> None:
    """Each of these is refused here (test_sm2_edition.py)."""
    assert wrongly_accepted("signatures_raw", flag) == accepted


@pytest.mark.parametrize(
    ("flag", "accepted"),
    [
        pytest.param("OffCurve", 13, id="C1 off the curve"),
        pytest.param("CoordinateAboveField", 6, id="coordinates of p and more"),
        pytest.param("WrongC3", 38, id="any C3"),
        pytest.param("WrongC2", 21, id="any C2"),
        pytest.param("WrongKey", 3, id="another key's ciphertext"),
        pytest.param("C1C2C3", 4, id="the older order"),
    ],
)
def test_the_edition_finds_what_gmssl_decrypts(flag: str, accepted: int) -> None:
    assert wrongly_accepted("ciphertexts", flag) == accepted


def test_the_edition_finds_a_sum_that_gmssl_gets_wrong() -> None:
    """Valid signatures that gmssl refuses, next to those that it accepts."""
    numbered = cases.load("signatures_raw").values()
    for flag, answer in (("Doubling", INVALID), ("Plain", VALID)):
        valid = [case for case in numbered if case.flag == flag and case.result == VALID]
        assert len(valid) >= 4
        for case in valid:
            assert isinstance(case, SignatureCase)
            assert gmssl_answers.to_signature(case) == answer
