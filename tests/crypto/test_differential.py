"""Two other implementations agree, both ways: OpenSSL's libcrypto and gmssl-pyx (GmSSL in C).

An implementation alone can be wrong and agree with itself. Random keys, ids and lengths come from
a printed seed. The oracles sign, verify, encrypt and digest once for each round; each back end of
the native core is held against that, and the oracles verify and decrypt what the back end made.
"""

import ctypes
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gmssl_pyx
import pytest
import sm2_textbook as textbook
from backends import AVAILABLE, EMULATED, EMULATION, run_on
from differential_rounds import ROUNDS_OF_A_KEY, SEED, Round, private_key_of, round_at
from oracles import load_libcrypto
from sm2_edition import der, verdicts

from benchmarks import libcrypto
from crypto import sm4

ALL = (*AVAILABLE, EMULATED) if EMULATION else AVAILABLE
COUNTS = [
    pytest.param(320, AVAILABLE, id="320 rounds"),
    pytest.param(20_000, ALL, id="20000 rounds", marks=pytest.mark.long),
]
# As many go to a child at a time.
CHUNK = 2_000


class Oracles:
    """Both of them, with the key of one round."""

    def __init__(self, library: ctypes.CDLL, private: bytes) -> None:
        public = textbook.multiply(int.from_bytes(private, "big"), textbook.G)
        assert public is not None
        self.public = textbook.encode(public)
        self.private = private
        self.openssl = libcrypto.Key(library, public=b"\x04" + self.public, private=private)

    def accept(self, case: Round, signature: bytes, over_e: bytes, *, turn: int) -> bool:
        """One of them is shown the signature of the message, the other one that of e.

        GmSSL is not asked about an empty id, which it does not take.
        """
        signed = case.message, signature, case.signer_id
        e = textbook.digest_e(b"\x04" + self.public, case.message, case.signer_id)
        if turn % 2 and case.signer_id:
            accepted: bool = gmssl_pyx.sm2_verify(self.public, *signed)
            return accepted and self.openssl.verify_digest(over_e, e)
        accepted = gmssl_pyx.sm2_verify_sm3_digest(self.public, e, over_e)
        return accepted and self.openssl.verify(signature, case.message, case.signer_id)

    def decrypt(self, ciphertext: bytes) -> set[bytes]:
        return {self.openssl.decrypt(ciphertext), gmssl_pyx.sm2_decrypt(self.private, ciphertext)}


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    return load_libcrypto()


def oracles_of(library: ctypes.CDLL, start: int, count: int) -> Iterator[tuple[Oracles, Round]]:
    """The rounds of a chunk, each with the oracles that hold its key."""
    oracles = None
    for at in range(start, start + count):
        if oracles is None or at % ROUNDS_OF_A_KEY == 0:
            oracles = Oracles(library, private_key_of(at))
        yield oracles, round_at(at)


def made_by(oracles: Oracles, case: Round) -> dict[str, list[str]]:
    """What the oracles make of a round.

    GmSSL signs e here, because its signing under an id prepares many nonces for one. Z is its own
    where it verifies. Only OpenSSL is shown what is spoilt, because GmSSL writes to the terminal.
    """
    e = textbook.digest_e(b"\x04" + oracles.public, case.message, case.signer_id)
    by_openssl = oracles.openssl.sign(case.message, case.signer_id)
    by_gmssl = gmssl_pyx.sm2_sign_sm3_digest(oracles.private, e)
    halves = der.read_signature(by_openssl)
    assert halves is not None
    spoilt = verdicts.read_raw(case.spoilt(b"".join(map(textbook.number, halves))))
    assert spoilt is not None
    assert not oracles.openssl.verify(der.signature(*spoilt), case.message, case.signer_id)

    encrypted = oracles.openssl.encrypt(case.plaintext)
    flipped = encrypted[:-1] + bytes([encrypted[-1] ^ 1])
    encrypted_too = gmssl_pyx.sm2_encrypt(oracles.public, case.plaintext)
    return {
        "signatures": [by_openssl.hex(), by_gmssl.hex()],
        "ciphertexts": [encrypted.hex(), encrypted_too.hex(), flipped.hex()],
    }


def right_answers(oracles: Oracles, case: Round) -> dict[str, Any]:
    """What a back end must answer, apart from what is random."""
    plaintext, counter = case.plaintext.hex(), bytes(16)
    return {
        "public": f"04{oracles.public.hex()}",
        "verdicts": [[True] * 5, [True] * 5, [False] * 5],
        "batch": [True, True, False, True] * 2 + [False],
        "decrypted": [plaintext, plaintext, "refused"],
        "sm3": gmssl_pyx.sm3_hash(case.message).hex(),
        "hmac": gmssl_pyx.sm3_hmac(case.key, case.message).hex(),
        "kdf": gmssl_pyx.sm3_kdf(case.key, len(case.plaintext)).hex(),
        "sm4": gmssl_pyx.sm4_ctr_encrypt(case.key, case.block, counter).hex(),
        "sm4 back": case.block.hex(),
    }


def check_own(oracles: Oracles, case: Round, answer: dict[str, Any], *, turn: int) -> None:
    """The oracles verify and decrypt what the back end has made."""
    signature, over_e, ciphertext = (
        bytes.fromhex(answer.pop(name)) for name in ("signature", "signature of e", "ciphertext")
    )
    assert oracles.accept(case, signature, over_e, turn=turn)
    assert oracles.decrypt(ciphertext) == {case.plaintext}


def answers_of_all(names: tuple[str, ...], given: object) -> Iterator[list[dict[str, Any]]]:
    """The answers of each back end; the children run at the same time."""
    with ThreadPoolExecutor() as pool:
        written = pool.map(lambda name: run_on(name, "answer_differential.py", given), names)
        yield from (one["answers"] for one in written)


@pytest.mark.parametrize(("count", "names"), COUNTS)
def test_both_oracles_and_each_back_end_agree(
    library: ctypes.CDLL, count: int, names: tuple[str, ...]
) -> None:
    """The oracles change turns from round to round and from back end to back end."""
    print(f"seed {SEED}, {count} rounds on {', '.join(names)}")
    for start in range(0, count, CHUNK):
        rounds = list(oracles_of(library, start, min(count, CHUNK)))
        made = [made_by(oracles, case) for oracles, case in rounds]
        right = [right_answers(oracles, case) for oracles, case in rounds]
        for first, answers in enumerate(answers_of_all(names, {"start": start, "made": made})):
            for turn, answer in enumerate(answers, first):
                oracles, case = rounds[turn - first]
                check_own(oracles, case, answer, turn=turn)
                assert answer == right[turn - first], (names[first], case)
            assert len(answers) == len(rounds)


@pytest.mark.parametrize("count", [2_000, pytest.param(20_000, marks=pytest.mark.long)])
def test_gmssl_in_c_agrees_on_sm4_gcm(count: int) -> None:
    source = random.Random(SEED)
    for _ in range(count):
        key, nonce = source.randbytes(16), source.randbytes(12)
        text, aad = source.randbytes(source.randint(1, 200)), source.randbytes(20)
        ciphertext, tag = gmssl_pyx.sm4_gcm_encrypt(key, nonce, aad, text)
        assert sm4.Gcm(key).encrypt(nonce, text, aad) == ciphertext + tag
