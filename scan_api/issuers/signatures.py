"""How two issuers prove themselves to each other: a signed question, a signed answer.

    Authorization: SSCARD-PEER issuer="7",key="1",time="<10 digits>",nonce="<32 hex>",
                   signature="<base64>"                        (one line, no space after a comma)

The signature is SM2 with SM3 under the default signer id, strict DER, of the asking issuer's key
for the purpose `peer`, over

    sscard/peer-scan/v1 LF METHOD LF TARGET LF ISSUER LF KEY LF ASKED LF TIME LF NONCE LF BODY LF

ASKED is the number of the issuer that is asked: nobody can hand a question on to another. The
answer comes with

    SSCARD-Signature: issuer="2",key="1",signature="<base64>"

over

    sscard/peer-answer/v1 LF ISSUER LF KEY LF ASKING LF NONCE LF BODY LF

with the question's nonce.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from card_core.codes import KeyPurpose
from card_core.signing import SigningKey
from card_core.trust import TrustedIssuer
from crypto import sm2

SCHEME: Final = "SSCARD-PEER"
ANSWER_HEADER: Final = "SSCARD-Signature"
NONCE_BYTES: Final = 16
QUESTION: Final = b"sscard/peer-scan/v1"
ANSWER: Final = b"sscard/peer-answer/v1"

_WHO = r'issuer="(?P<issuer>[1-9][0-9]{0,4})",key="(?P<key>0|[1-9][0-9]{0,2})"'
_SIGNATURE = r'signature="(?P<signature>[A-Za-z0-9+/]{8,96}={0,2})"'
_QUESTION = re.compile(
    rf'{SCHEME} {_WHO},time="(?P<time>[1-9][0-9]{{9}})",nonce="(?P<nonce>[0-9a-f]{{32}})",'
    rf"{_SIGNATURE}",
    re.ASCII,
)
_ANSWER = re.compile(rf"{_WHO},{_SIGNATURE}", re.ASCII)


class PeerSignatureError(Exception):
    """The header is absent, doubled, not of the one form, or its signature doesn't hold."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is signed of a question. asking, asked: issuer numbers. nonce: 16 bytes, used once."""

    method: str
    target: str
    asking: int
    asked: int
    signed_at: int
    nonce: bytes
    body: bytes

    def to_be_signed(self, key_number: int) -> bytes:
        head = (self.method.encode(), self.target.encode("latin-1"))
        numbers = (self.asking, key_number, self.asked, self.signed_at)
        texts = (b"%d" % number for number in numbers)
        return b"\n".join((QUESTION, *head, *texts, self.nonce.hex().encode(), self.body, b""))


@dataclass(frozen=True, slots=True)
class Claim:
    """What a question's header claims; nothing in it is believed yet. signature: r || s."""

    issuer: int
    key_number: int
    signed_at: int
    nonce: bytes
    signature: bytes


def authorization(question: Question, key: SigningKey) -> str:
    """The header's value for a question."""
    signature = _encode(key.signer.sign(question.to_be_signed(key.number)))
    return (
        f'{SCHEME} issuer="{question.asking}",key="{key.number}",time="{question.signed_at}",'
        f'nonce="{question.nonce.hex()}",signature="{signature}"'
    )


def parse_claim(header: str) -> Claim:
    """Raises PeerSignatureError."""
    match = _QUESTION.fullmatch(header)
    if match is None:
        raise PeerSignatureError
    return Claim(
        int(match["issuer"]),
        int(match["key"]),
        int(match["time"]),
        bytes.fromhex(match["nonce"]),
        _decode(match["signature"]),
    )


def sign_answer(question: Question, body: bytes, key: SigningKey) -> str:
    """The header's value for an answer."""
    signature = _encode(key.signer.sign(_answer(question, key.number, body)))
    return f'issuer="{question.asked}",key="{key.number}",signature="{signature}"'


def verify_answer(
    question: Question, body: bytes, header: str, issuer: TrustedIssuer, now_keys: frozenset[int]
) -> None:
    """Raises PeerSignatureError unless the asked issuer signed this answer to this question.

    now_keys: the numbers of its peer keys that verify now.
    """
    match = _ANSWER.fullmatch(header)
    if match is None or int(match["issuer"]) != issuer.number or issuer.number != question.asked:
        raise PeerSignatureError
    number = int(match["key"])
    key = issuer.key(KeyPurpose.PEER, number)
    if key is None or number not in now_keys:
        raise PeerSignatureError
    verify(key.public_key, _decode(match["signature"]), _answer(question, number, body))


def verify(public_key: sm2.PublicKey, signature: bytes, message: bytes) -> None:
    """Raises PeerSignatureError."""
    try:
        public_key.verify(signature, message)
    except sm2.InvalidSignatureError:
        raise PeerSignatureError from None


def _answer(question: Question, key_number: int, body: bytes) -> bytes:
    numbers = (question.asked, key_number, question.asking)
    texts = (b"%d" % number for number in numbers)
    return b"\n".join((ANSWER, *texts, question.nonce.hex().encode(), body, b""))


def _encode(signature: bytes) -> str:
    return base64.b64encode(sm2.signature_to_der(signature)).decode()


def _decode(text: str) -> bytes:
    try:
        der = base64.b64decode(text, validate=True)
        if base64.b64encode(der).decode() != text:
            raise PeerSignatureError
        return sm2.signature_from_der(der)
    except (binascii.Error, sm2.InvalidSignatureError):
        raise PeerSignatureError from None
