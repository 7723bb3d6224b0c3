"""What this project answers to each case of the SM2 edition, by each entry that takes the case.

Run by test_sm2_edition.py, once for each back end; writes the answers as JSON. Answers are in the
words of the file, so that the right one is equal to the case's result.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

from sm2_edition import cases, verdicts
from sm2_edition.cases import (
    CALLERS_MISTAKE,
    INVALID,
    INVALID_KEY,
    VALID,
    CiphertextCase,
    PrivateKeyCase,
    SignatureCase,
)

from crypto import CryptoError, sm2

Answers = dict[str, str]
Value = TypeVar("Value")
MESSAGE = b"signed with a key of the edition"
# So many signatures by one key are worth a table, in a batch and among keys met lately.
FREQUENT = 12

kept = lru_cache(maxsize=32)(sm2.Verifier)


def answer(act: Callable[[], object]) -> str:
    """How the act ended; an error that is not declared, or says more than its name, by its name."""
    try:
        act()
    except (CryptoError, ValueError) as error:
        return named(error)
    return VALID


def read(reading: Callable[[], Value]) -> Value | str:
    """What was read, or the word for the error."""
    try:
        return reading()
    except (CryptoError, ValueError) as error:
        return named(error)


def named(error: Exception) -> str:
    """The word for an error: one value each, with nothing in it but what its class says."""
    if type(error) is ValueError:
        return CALLERS_MISTAKE
    if error.args or error.__cause__ or error.__context__:
        return f"{type(error).__name__} with more to say"
    if type(error) is sm2.InvalidKeyError:
        return INVALID_KEY
    if type(error) in (sm2.InvalidSignatureError, sm2.DecryptionError):
        return INVALID
    return type(error).__name__


Entry = tuple[int, sm2.PublicKey, bytes, bytes]


def to_signatures(kind: str, numbered: dict[int, SignatureCase]) -> dict[int, Answers]:
    answers: dict[int, Answers] = {}
    batches: dict[bytes, list[Entry]] = {}
    for number, case in numbered.items():
        public = read(lambda case=case: sm2.PublicKey.from_bytes(case.public_key))
        if isinstance(public, str):
            answers[number] = {"key": public, "lookup": by_lookup(case, bytes(64))}
            continue
        signature: bytes | str = case.signature
        if kind == "der":
            signature = read(lambda case=case: sm2.signature_from_der(case.signature))
        if isinstance(signature, str):
            answers[number] = {"reading": signature}
            continue
        answers[number] = to_signature(public, signature, case)
        if case.message is not None and case.signer_id is not None:
            answers[number]["lookup"] = by_lookup(case, signature)
            entry = (number, public, signature, case.message)
            batches.setdefault(case.signer_id, []).append(entry)
    for signer_id, entries in batches.items():
        for number, in_batches in to_batches(entries, signer_id).items():
            answers[number] |= in_batches
    return answers


def to_signature(public: sm2.PublicKey, signature: bytes, case: SignatureCase) -> Answers:
    given: Answers = {}
    keys = {"key": public, "kept key": kept(public)}
    e = verdicts.signed_e(case)
    for name, key in keys.items():
        if case.message is not None and case.signer_id is not None:
            signed = signature, case.message, case.signer_id
            given[f"{name}, message"] = answer(lambda key=key, signed=signed: key.verify(*signed))
        if e is not None:
            given[f"{name}, e"] = answer(lambda key=key: key.verify_digest(signature, e))
    return given


def by_lookup(case: SignatureCase, signature: bytes) -> str:
    """Among keys met lately: so many times that a key whose signature is good gets a table."""
    keys = sm2.KeptKeys(1 << 20)
    message, signer_id = case.message or b"", case.signer_id or b""
    signed = case.public_key, signature, message, signer_id
    return same(answer(lambda: keys.verify(*signed)) for _ in range(FREQUENT))


def to_batches(entries: list[Entry], signer_id: bytes) -> dict[int, Answers]:
    """All cases of a signer id in one batch, each by its key and by its kept key.

    In a batch of its own, a case comes so often that its key gets a table.
    """
    mixed = [(key, *rest) for _, public, *rest in entries for key in (public, kept(public))]
    given = iter(in_batch(mixed, signer_id))
    return {
        number: {
            "batch": next(given),
            "batch, kept key": next(given),
            "batch of one key": same(in_batch([tuple(signed)] * FREQUENT, signer_id)),
        }
        for number, *signed in entries
    }


def in_batch(
    signed: Sequence[tuple[sm2.PublicKey | sm2.Verifier, bytes, bytes]], signer_id: bytes
) -> list[str]:
    try:
        results = sm2.verify_batch(signed, signer_id=signer_id)
    except ValueError as error:
        return [named(error)] * len(signed)
    return [VALID if result is None else named(result) for result in results]


def same(answers: Iterable[str]) -> str:
    """The one answer that was given each time."""
    return " or ".join(sorted(set(answers)))


def to_private_key(case: PrivateKeyCase) -> Answers:
    private = read(lambda: sm2.PrivateKey.from_bytes(case.private_key))
    if isinstance(private, str):
        return {"key": private}
    public = private.public_key()
    return {"public key": public.to_bytes().hex(), "signature": private.sign(MESSAGE).hex()}


def to_ciphertext(case: CiphertextCase) -> Answers:
    """The plaintext in hexadecimal, or the word for the error."""
    private = sm2.PrivateKey.from_bytes(case.private_key)

    def from_der(data: bytes) -> bytes:
        return private.decrypt(sm2.ciphertext_from_der(data))

    def text(decrypt: Callable[[], bytes]) -> str:
        return read(lambda: decrypt().hex())

    if case.form == "der":
        return {"DER": text(lambda: from_der(case.ciphertext))}
    return {
        "raw": text(lambda: private.decrypt(case.ciphertext)),
        "DER": text(lambda: from_der(sm2.ciphertext_to_der(case.ciphertext))),
    }


def main() -> None:
    answers = {f"signatures_{kind}": to_signatures(kind, cases.load(f"signatures_{kind}"))
               for kind in ("der", "raw")}  # fmt: skip
    for name, answer_to in (("private_keys", to_private_key), ("ciphertexts", to_ciphertext)):
        answers[name] = {number: answer_to(case) for number, case in cases.load(name).items()}
    print(json.dumps({"backend": sm2.backend(), "answers": answers}))


if __name__ == "__main__":
    main()
