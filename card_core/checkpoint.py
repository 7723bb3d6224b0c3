"""A checkpoint (检查点) of the audit log: where its chains stood, signed, to be kept elsewhere.

    {"checkpoint": base64 of the content, "signature": base64 of r || s}

The content is JSON with sorted keys and no spaces. The signature is SM2 with SM3 under the default
signer id, by the issuer's status key, over "sscard/audit-checkpoint/v1" LF content. Whoever has the
database and every key of it can chain another history, but not one that meets a checkpoint that
lies out of their reach.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from card_core.errors import CardCoreError
from crypto import sm2

CONTEXT: Final = b"sscard/audit-checkpoint/v1\n"
TEXT_BYTES_MAX: Final = 4096
CHAINS_MAX: Final = 8
NUMBER_MAX: Final = 2**53 - 1
LINK_SIZE_BYTES: Final = 32
NO_LINK: Final = bytes(LINK_SIZE_BYTES)

_MEMBERS: Final = frozenset({"issuer", "key_number", "number", "at", "heads"})
_CHAIN: Final = re.compile(r"[a-z][a-z0-9_]{0,15}", re.ASCII)


class CheckpointRefusedError(CardCoreError):
    """Not a checkpoint, or not signed by the key. Says nothing of what is wrong with it."""

    code = "checkpoint_refused"
    message_zh = "检查点无法读取，或签名不符"
    message_en = "The checkpoint can't be read, or its signature does not fit"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain. seq: its last event's number, 0 for none. link: 32 bytes; then zeros."""

    seq: int
    link: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """issuer, key_number: of the status key that signs it. number: from 1, without gaps.

    at: aware, kept to the second. heads: by the name of the chain.
    """

    issuer: int
    key_number: int
    number: int
    at: datetime
    heads: Mapping[str, Head]

    def to_bytes(self) -> bytes:
        """The content, which `CONTEXT` precedes in what is signed."""
        return _to_json(
            {
                "issuer": self.issuer,
                "key_number": self.key_number,
                "number": self.number,
                "at": int(self.at.timestamp()),
                "heads": heads_to_data(self.heads),
            }
        )

    @classmethod
    def parse(cls, content: bytes) -> "Checkpoint":
        """Takes what `to_bytes` gives and nothing else. Raises CheckpointRefusedError."""
        try:
            data = json.loads(content)
            if set(data) != _MEMBERS:
                raise ValueError("members")
            found = cls(
                issuer=_number(data["issuer"], 1, 0xFFFF),
                key_number=_number(data["key_number"], 0, 0xFF),
                number=_number(data["number"], 1, NUMBER_MAX),
                at=datetime.fromtimestamp(_number(data["at"], 0, 2**40), UTC),
                heads=heads_of_data(data["heads"]),
            )
            if found.to_bytes() != content:
                raise ValueError("form")
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError, OSError):
            raise CheckpointRefusedError from None
        return found


def heads_to_data(heads: Mapping[str, Head]) -> dict[str, Any]:
    """As JSON: {"bureau": [17, "ab12…"]}."""
    return {chain: [head.seq, head.link.hex()] for chain, head in heads.items()}


def heads_of_data(data: Any) -> dict[str, Head]:
    """What `heads_to_data` gave. Raises ValueError, TypeError for anything else."""
    if not isinstance(data, dict) or len(data) > CHAINS_MAX:
        raise ValueError("heads")
    return {_chain(chain): _head(*head) for chain, head in data.items()}


def to_be_signed(content: bytes) -> bytes:
    return CONTEXT + content


def write(content: bytes, signature: bytes) -> bytes:
    """A checkpoint as one line of text, without its end."""
    return _to_json(
        {
            "checkpoint": base64.b64encode(content).decode(),
            "signature": base64.b64encode(signature).decode(),
        }
    )


def read(text: bytes) -> tuple[bytes, bytes]:
    """Content and signature of a line that `write` gave. Raises CheckpointRefusedError."""
    try:
        if len(text) > TEXT_BYTES_MAX:
            raise ValueError("length")
        envelope = json.loads(text)
        if set(envelope) != {"checkpoint", "signature"}:
            raise ValueError("members")
        content = base64.b64decode(envelope["checkpoint"], validate=True)
        signature = base64.b64decode(envelope["signature"], validate=True)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise CheckpointRefusedError from None
    return content, signature


def verify(content: bytes, signature: bytes, key: sm2.PublicKey) -> Checkpoint:
    """What a checkpoint says, once its signature is verified. Raises CheckpointRefusedError."""
    try:
        key.verify(signature, to_be_signed(content))
    except sm2.InvalidSignatureError:
        raise CheckpointRefusedError from None
    return Checkpoint.parse(content)


def _chain(name: Any) -> str:
    if not isinstance(name, str) or not _CHAIN.fullmatch(name):
        raise ValueError("chain")
    return name


def _head(seq: Any, link_hex: Any) -> Head:
    link = bytes.fromhex(link_hex)
    found = Head(_number(seq, 0, NUMBER_MAX), link)
    if len(link) != LINK_SIZE_BYTES or (found.seq == 0) != (link == NO_LINK):
        raise ValueError("link")
    return found


def _number(value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError("number")
    return value


def _to_json(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
