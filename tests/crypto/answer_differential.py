"""What this project makes of the rounds of test_differential.py, and of what the oracles made.

Run once for each back end. Reads what the oracles made for each round and writes, round by round,
which signatures were accepted by each entry, what decrypts, and signatures and ciphertexts of its
own for the oracles.
"""

import json
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sm2_textbook as textbook
from differential_rounds import ROUNDS_OF_A_KEY, Round, private_key_of, round_at
from sm2_edition import der

from crypto import sm2, sm3, sm4


class Keys:
    """A private key with all that verifies for it."""

    def __init__(self, private: bytes) -> None:
        self.private = sm2.PrivateKey.from_bytes(private)
        self.public = self.private.public_key()
        self.kept = sm2.Verifier(self.public)
        # Half of a key's rounds come before it is worth a table here, half after that.
        self.met_lately = sm2.KeptKeys(1 << 20)


keys_of = lru_cache(maxsize=4)(Keys)


def accepts(verify: Callable[[], object]) -> bool:
    try:
        verify()
    except sm2.InvalidSignatureError:
        return False
    return True


def verdicts(keys: Keys, case: Round, signature: bytes) -> list[bool]:
    """By each entry that takes one signature."""
    e = textbook.digest_e(keys.public.to_bytes(), case.message, case.signer_id)
    signed = signature, case.message, case.signer_id
    given = []
    for key in (keys.public, keys.kept):
        given.append(accepts(lambda key=key: key.verify(*signed)))
        given.append(accepts(lambda key=key: key.verify_digest(signature, e)))
    encoded = keys.public.to_bytes(compressed=True)
    given.append(accepts(lambda: keys.met_lately.verify(encoded, *signed)))
    return given


def decrypted(keys: Keys, ciphertext_der: str) -> str:
    try:
        return keys.private.decrypt(sm2.ciphertext_from_der(bytes.fromhex(ciphertext_der))).hex()
    except sm2.DecryptionError:
        return "refused"


def answer(at: int, made: dict[str, Any]) -> dict[str, Any]:
    case = round_at(at)
    keys = keys_of(case.private)
    signatures = [sm2.signature_from_der(bytes.fromhex(one)) for one in made["signatures"]]
    shown = [*signatures, case.spoilt(signatures[0])]
    own = keys.private.sign(case.message, case.signer_id)
    e = textbook.digest_e(keys.public.to_bytes(), case.message, case.signer_id)
    encrypted = sm4.encrypt_block(case.key, case.block)
    return {
        "public": keys.public.to_bytes().hex(),
        "verdicts": [verdicts(keys, case, one) for one in shown],
        "batch": batch(at, keys, case, [*shown, own]),
        "decrypted": [decrypted(keys, one) for one in made["ciphertexts"]],
        "signature": der.signature(*halves(own)).hex(),
        "signature of e": sm2.signature_to_der(keys.private.sign_digest(e)).hex(),
        "ciphertext": sm2.ciphertext_to_der(keys.public.encrypt(case.plaintext)).hex(),
        "sm3": sm3.digest(case.message).hex(),
        "hmac": sm3.hmac(case.key, case.message).hex(),
        "kdf": sm3.kdf(case.key, len(case.plaintext)).hex(),
        "sm4": encrypted.hex(),
        "sm4 back": sm4.decrypt_block(case.key, encrypted).hex(),
    }


def batch(at: int, keys: Keys, case: Round, signatures: list[bytes]) -> list[bool]:
    """In one batch: all of them by each kind of key, the last one by the key of other rounds."""
    other = keys_of(private_key_of(at + ROUNDS_OF_A_KEY)).public
    signed = [(key, one, case.message) for key in (keys.public, keys.kept) for one in signatures]
    signed.append((other, signatures[-1], case.message))
    return [result is None for result in sm2.verify_batch(signed, signer_id=case.signer_id)]


def halves(signature: bytes) -> tuple[int, int]:
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")


def main() -> None:
    given = json.load(sys.stdin)
    answers = [answer(at, made) for at, made in enumerate(given["made"], given["start"])]
    print(json.dumps({"backend": sm2.backend(), "answers": answers}))


if __name__ == "__main__":
    main()
