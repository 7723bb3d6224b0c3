"""What this project answers to each case of the SM2 edition, by each entry that takes the case.

Run by test_sm2_edition.py, once for each back end; writes the answers as JSON. Answers are in the
words of the file, so that the right one is equal to the case's result.
"""

import json
from collections.abc import Callable, Iterable
from functools import lru_cache

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
MESSAGE = b"signed with a key of the edition"

kept = lru_cache(maxsize=32)(sm2.Verifier)


def answer(act: Callable[[], object]) -> str:
    """How the act ended; an error that is not declared, or says more than its name, by its name."""
    try:
        act()
    except (CryptoError, ValueError) as error:
        return named(error)
    return VALID


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


def to_signatures(kind: str, numbered: dict[int, SignatureCase]) -> dict[int, Answers]:
    answers: dict[int, Answers] = {}
    batches: dict[bytes, list[tuple[int, sm2.PublicKey, bytes, bytes]]] = {}
    for number, case in numbered.items():
        try:
            public = sm2.PublicKey.from_bytes(case.public_key)
        except sm2.InvalidKeyError as error:
            answers[number] = {"key": named(error)}
            continue
        signature = case.signature
        if kind == "der":
            try:
                signature = sm2.signature_from_der(case.signature)
            except sm2.InvalidSignatureError as error:
                answers[number] = {"reading": named(error)}
                continue
        answers[number] = to_signature(public, signature, case)
        if case.message is not None and case.signer_id is not None:
            entry = (number, public, signature, case.message)
            batches.setdefault(case.signer_id, []).append(entry)
    for signer_id, batch in batches.items():
        for (number, *_), verdict in zip(batch, batch_answers(batch, signer_id), strict=True):
            answers[number]["batch"] = verdict
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


def batch_answers(
    batch: Iterable[tuple[int, sm2.PublicKey, bytes, bytes]], signer_id: bytes
) -> list[str]:
    signed = [tuple(rest) for _, *rest in batch]
    try:
        results = sm2.verify_batch(signed, signer_id=signer_id)
    except ValueError as error:
        return [named(error)] * len(signed)
    return [VALID if result is None else named(result) for result in results]


def to_private_key(case: PrivateKeyCase) -> Answers:
    try:
        private = sm2.PrivateKey.from_bytes(case.private_key)
    except sm2.InvalidKeyError as error:
        return {"key": named(error)}
    public = private.public_key()
    return {"public key": public.to_bytes().hex(), "signature": private.sign(MESSAGE).hex()}


def to_ciphertext(case: CiphertextCase) -> Answers:
    """The plaintext in hexadecimal, or the word for the error."""
    private = sm2.PrivateKey.from_bytes(case.private_key)

    def ending(decrypt: Callable[[], bytes]) -> str:
        try:
            return decrypt().hex()
        except (CryptoError, ValueError) as error:
            return named(error)

    if case.form == "der":
        return {"DER": ending(lambda: private.decrypt(sm2.ciphertext_from_der(case.ciphertext)))}

    def there_and_back() -> bytes:
        return private.decrypt(sm2.ciphertext_from_der(sm2.ciphertext_to_der(case.ciphertext)))

    return {"raw": ending(lambda: private.decrypt(case.ciphertext)), "DER": ending(there_and_back)}


def main() -> None:
    answers = {f"signatures_{kind}": to_signatures(kind, cases.load(f"signatures_{kind}"))
               for kind in ("der", "raw")}  # fmt: skip
    for name, answer_to in (("private_keys", to_private_key), ("ciphertexts", to_ciphertext)):
        answers[name] = {number: answer_to(case) for number, case in cases.load(name).items()}
    print(json.dumps({"backend": sm2.backend(), "answers": answers}))


if __name__ == "__main__":
    main()
