"""PyPI's gmssl 3.2.2 as a second opinion, and as a negative control.

It agrees on good values. Where it is known to be broken, the same checks that pass here must fail
there: a check that nothing fails proves nothing. It is never a dependency of the product
(docs/decisions/0002-sm-libraries.md).
"""

import random
from collections.abc import Callable

from gmssl.sm2 import CryptSM2
from gmssl.sm3 import sm3_hash
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
