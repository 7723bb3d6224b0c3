"""What PyPI's gmssl answers to a case of the SM2 edition."""

from gmssl.sm2 import CryptSM2
from sm2_edition import verdicts
from sm2_edition.cases import INVALID, VALID, CiphertextCase, SignatureCase

C1_C3_C2 = 1


def to_signature(case: SignatureCase) -> str:
    """A raw signature over e; e is computed for it, because it knows one signer id alone."""
    e = case.e or verdicts.signed_e(case)
    assert e is not None
    verifier = CryptSM2(private_key="", public_key=case.public_key[1:].hex())
    try:
        return VALID if verifier.verify(case.signature.hex(), e) else INVALID
    except (TypeError, ValueError):
        return INVALID


def to_ciphertext(case: CiphertextCase) -> str:
    """It takes a raw ciphertext without the 04, and any bytes for it."""
    receiver = CryptSM2(private_key=case.private_key.hex(), public_key="", mode=C1_C3_C2)
    try:
        plaintext = receiver.decrypt(case.ciphertext[1:])
    except (TypeError, ValueError):
        return INVALID
    return INVALID if plaintext is None else VALID
