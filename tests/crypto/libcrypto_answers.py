"""What OpenSSL answers to a case of the SM2 edition, and where it is known to answer otherwise."""

import ctypes
import re
from typing import NamedTuple

from sm2_edition import der, verdicts
from sm2_edition.cases import (
    CALLERS_MISTAKE,
    INVALID,
    INVALID_KEY,
    VALID,
    Case,
    CiphertextCase,
    PrivateKeyCase,
    SignatureCase,
)

from benchmarks.libcrypto import Key, LibcryptoError


class Deviation(NamedTuple):
    """Cases that OpenSSL may answer otherwise, and why."""

    files: str
    flag: str
    comments: str
    reason: str

    def covers(self, name: str, case: Case) -> bool:
        """`files` is how the file's name begins; `comments` a pattern for the beginning."""
        return (
            name.startswith(self.files)
            and case.flag == self.flag
            and re.match(self.comments, case.comment) is not None
        )


DEVIATIONS = (
    Deviation(
        "signatures", "SignerId", "8191 bytes", "its limit is one byte lower: it takes 8190 bytes"
    ),
    Deviation(
        "signatures",
        "SignerIdTooLong",
        "",
        "it takes the id, and says only at the verification that something is wrong",
    ),
    Deviation("signatures", "KeyInfinity", "00$", "it reads infinity as a key, and verifies by it"),
    Deviation("signatures", "KeyHybrid", ".*parity fits", "it reads hybrid points"),
    Deviation("signatures_raw", "RawForm", "DER", "it reads DER alone, so here it is right"),
    Deviation("ciphertexts", "CoordinateAboveField", "", "it takes the coordinates of C1 modulo p"),
    *(
        Deviation("ciphertexts", flag, comments, "it reads a ciphertext as BER, without strictness")
        for flag, comments in (
            ("BerLength", ""),
            ("Indefinite", "the sequence: ended(,|$)"),
            ("ExtraByte", ".*00 in front"),
            ("WrongType", ".*tag in the long form"),
        )
    ),
    Deviation(
        "ciphertexts",
        "Trailing",
        ".* (after|before) the",
        "it does not look at what follows the sequence",
    ),
)


def answers_of_libcrypto(library: ctypes.CDLL, name: str, case: Case) -> set[str]:
    if isinstance(case, PrivateKeyCase):
        return {_to_private_key(library, case)}
    if isinstance(case, CiphertextCase):
        return {_to_ciphertext(library, case)}
    return _to_signature(library, name, case)


def _to_signature(library: ctypes.CDLL, name: str, case: SignatureCase) -> set[str]:
    """By each of its two entries that takes the case. Raw signatures are written in DER for it."""
    try:
        key = Key(library, public=case.public_key)
    except LibcryptoError:
        return {INVALID_KEY}
    signature = case.signature
    if name == "signatures_raw" and len(signature) == 64:
        halves = verdicts.read_raw(signature)
        assert halves is not None
        signature = der.signature(*halves)
    answers = set()
    if case.message is not None and case.signer_id is not None:
        try:
            accepted = key.verify(signature, case.message, case.signer_id)
            answers.add(VALID if accepted else INVALID)
        except LibcryptoError:
            answers.add(CALLERS_MISTAKE)
    e = case.e if case.e or case.result == INVALID_KEY else verdicts.signed_e(case)
    if e is not None:
        answers.add(VALID if key.verify_digest(signature, e) else INVALID)
    return answers


def _to_private_key(library: ctypes.CDLL, case: PrivateKeyCase) -> str:
    public = case.public_key or bytes(65)
    try:
        Key(library, public=public, private=case.private_key)
    except LibcryptoError:
        return INVALID_KEY
    return VALID


def _to_ciphertext(library: ctypes.CDLL, case: CiphertextCase) -> str:
    """Raw ciphertexts are written in DER for it; those that are none stay as they are."""
    _, public = verdicts.of_private_key(PrivateKeyCase("", "", {}, case.private_key, VALID))
    assert public is not None
    data = case.ciphertext
    parts = verdicts.read_raw_ciphertext(data) if case.form == "raw" else None
    if parts is not None:
        data = der.ciphertext(*parts)
    key = Key(library, public=public, private=case.private_key)
    try:
        plaintext = key.decrypt(data)
    except LibcryptoError:
        return INVALID
    return VALID if case.plaintext in (None, plaintext) else "another plaintext"
