"""Two other implementations agree, both ways: OpenSSL's libcrypto and gmssl-pyx (GmSSL in C).

An implementation alone can be wrong and agree with itself. Random keys, ids and lengths come from
a printed seed; `make test` does some hundred rounds, `make test-long` the full count.
"""

import ctypes
import os
import random
from collections.abc import Callable

import gmssl_pyx
import pytest

from benchmarks import libcrypto
from crypto import sm2, sm3, sm4

SEED = 20_260_101
COUNTS = [
    pytest.param(150, id="150 rounds"),
    pytest.param(20_000, id="20000 rounds", marks=pytest.mark.long),
]
DATA_MAX = 8192
GMSSL_PLAINTEXT_MAX = 255
# One less than the 8191 bytes whose bits still fit the standard's 16 bits.
OPENSSL_ID_MAX = 8190


@pytest.fixture(scope="module")
def openssl() -> ctypes.CDLL:
    try:
        return libcrypto.load()
    except OSError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("OpenSSL did not run as an oracle: libcrypto.so.3 is not there")


class Case:
    """A key, a message, an id and a plaintext, of random contents and lengths."""

    def __init__(self, source: random.Random) -> None:
        self.private = sm2.PrivateKey.from_bytes(source.randbytes(31).rjust(32, b"\x01"))
        self.public = self.private.public_key()
        self.message = source.randbytes(self.length(source, DATA_MAX))
        self.signer_id = source.randbytes(self.length(source, 8191))
        self.plaintext = source.randbytes(source.randint(1, GMSSL_PLAINTEXT_MAX))
        self.flip = source.randrange(512)

    @staticmethod
    def length(source: random.Random, most: int) -> int:
        """Short ones, where paddings turn, as often as long ones."""
        return source.randint(0, source.choice((20, 130, most)))

    def spoilt(self, signature: bytes) -> bytes:
        bad = bytearray(signature)
        bad[self.flip // 8] ^= 1 << self.flip % 8
        return bytes(bad)


def cases(count: int) -> list[Case]:
    print(f"seed {SEED}, {count} rounds")
    source = random.Random(SEED)
    return [Case(source) for _ in range(count)]


def accepts(verify: Callable[[], object]) -> bool:
    try:
        verify()
    except sm2.InvalidSignatureError:
        return False
    return True


def answers(case: Case, signature: bytes) -> set[bool]:
    arguments = signature, case.message, case.signer_id
    return {
        accepts(lambda: case.public.verify(*arguments)),
        accepts(lambda: sm2.Verifier(case.public).verify(*arguments)),
    }


@pytest.mark.parametrize("count", COUNTS)
def test_openssl_agrees(openssl: ctypes.CDLL, count: int) -> None:
    for case in cases(count):
        case.signer_id = case.signer_id[:OPENSSL_ID_MAX]
        public = libcrypto.Key(openssl, public=case.public.to_bytes())
        private = libcrypto.Key(
            openssl, public=case.public.to_bytes(), private=case.private.to_bytes()
        )
        ours = case.private.sign(case.message, case.signer_id)
        theirs = sm2.signature_from_der(private.sign(case.message, case.signer_id))
        for signature in (ours, theirs, case.spoilt(ours)):
            try:
                der = sm2.signature_to_der(signature)
            except sm2.InvalidSignatureError:
                assert answers(case, signature) == {False}
                continue
            assert (
                answers(case, signature)
                == {public.verify(der, case.message, case.signer_id)}
                == {signature in (ours, theirs)}
            )

        der = public.encrypt(case.plaintext)
        assert case.private.decrypt(sm2.ciphertext_from_der(der)) == case.plaintext
        der = sm2.ciphertext_to_der(case.public.encrypt(case.plaintext))
        assert private.decrypt(der) == case.plaintext


@pytest.mark.parametrize("count", COUNTS)
def test_gmssl_in_c_agrees(count: int) -> None:
    for case in cases(count):
        private, public = case.private.to_bytes(), case.public.to_bytes()[1:]
        # GmSSL asks for ids and keys of at least one byte.
        case.signer_id = case.signer_id or b"id"
        signed = case.private.sign(case.message, case.signer_id)
        der = sm2.signature_to_der(signed)
        assert gmssl_pyx.sm2_verify(public, case.message, der, case.signer_id)
        theirs = gmssl_pyx.sm2_sign(private, public, case.message, case.signer_id)
        assert answers(case, sm2.signature_from_der(theirs)) == {True}

        der = gmssl_pyx.sm2_encrypt(public, case.plaintext)
        assert case.private.decrypt(sm2.ciphertext_from_der(der)) == case.plaintext
        der = sm2.ciphertext_to_der(case.public.encrypt(case.plaintext))
        assert gmssl_pyx.sm2_decrypt(private, der) == case.plaintext

        assert sm3.digest(case.message) == gmssl_pyx.sm3_hash(case.message)
        key = case.signer_id[:200]
        assert sm3.hmac(key, case.message) == gmssl_pyx.sm3_hmac(key, case.message)
        length = len(case.plaintext)
        assert sm3.kdf(key, length) == gmssl_pyx.sm3_kdf(key, length)


@pytest.mark.parametrize("count", COUNTS)
def test_gmssl_in_c_agrees_on_sm4(count: int) -> None:
    source = random.Random(SEED)
    for _ in range(count):
        key, block, nonce = source.randbytes(16), source.randbytes(16), source.randbytes(12)
        zeros = gmssl_pyx.sm4_ctr_encrypt(key, block, bytes(16))
        assert sm4.encrypt_block(key, block) == zeros
        text, aad = source.randbytes(source.randint(1, 200)), source.randbytes(20)
        ciphertext, tag = gmssl_pyx.sm4_gcm_encrypt(key, nonce, aad, text)
        assert sm4.Gcm(key).encrypt(nonce, text, aad) == ciphertext + tag
