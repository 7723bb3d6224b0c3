"""What the textbook answers to a case: the verdict that the file states."""

import sm2_textbook as textbook
from sm2_textbook import N, Point

from sm2_edition import der
from sm2_edition.cases import (
    CALLERS_MISTAKE,
    INVALID,
    INVALID_KEY,
    VALID,
    CiphertextCase,
    PrivateKeyCase,
    SignatureCase,
)

SIGNER_ID_MAX = 8191
RawCiphertext = tuple[Point, bytes, bytes]


def of_signature(case: SignatureCase, kind: str) -> str:
    """kind: how the signature is written, "der" or "raw"."""
    public = textbook.decode(case.public_key)
    if public is None:
        return INVALID_KEY
    e = signed_e(case)
    if e is None:
        return CALLERS_MISTAKE
    halves = der.read_signature(case.signature) if kind == "der" else read_raw(case.signature)
    if halves is None:
        return INVALID
    return VALID if textbook.verifies(public, int.from_bytes(e, "big"), *halves) else INVALID


def signed_e(case: SignatureCase) -> bytes | None:
    """e, given or computed; nothing for a signer id that is too long."""
    if case.e is not None:
        return case.e
    assert case.message is not None
    assert case.signer_id is not None
    if len(case.signer_id) > SIGNER_ID_MAX:
        return None
    public = textbook.decode(case.public_key)
    assert public is not None
    return textbook.digest_e(b"\x04" + textbook.encode(public), case.message, case.signer_id)


def read_raw(signature: bytes) -> tuple[int, int] | None:
    if len(signature) != 64:
        return None
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")


def of_private_key(case: PrivateKeyCase) -> tuple[str, bytes | None]:
    """The verdict, and the public key of a key that is one (GB/T 32918.1, 6.1)."""
    d = int.from_bytes(case.private_key, "big")
    if len(case.private_key) != 32 or not 1 <= d <= N - 2:
        return INVALID_KEY, None
    public = textbook.multiply(d, textbook.G)
    assert public is not None
    return VALID, b"\x04" + textbook.encode(public)


def of_ciphertext(case: CiphertextCase) -> tuple[str, bytes | None]:
    """The verdict, and the plaintext of a ciphertext that has one."""
    read = der.read_ciphertext if case.form == "der" else read_raw_ciphertext
    parts = read(case.ciphertext)
    if parts is None:
        return INVALID, None
    plaintext = textbook.decrypt(int.from_bytes(case.private_key, "big"), *parts)
    return (INVALID, None) if plaintext is None else (VALID, plaintext)


def read_raw_ciphertext(data: bytes) -> RawCiphertext | None:
    """C1, C3 and C2 of 04, x, y, C3, C2."""
    if len(data) < 97 or data[0] != 4:
        return None
    x, y = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:65], "big")
    return (x, y), data[65:97], data[97:]
