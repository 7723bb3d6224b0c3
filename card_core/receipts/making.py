"""Making receipts: one SM2 signature for all that are made together."""

import struct
from collections.abc import Iterable
from typing import Final

from card_core.receipts.content import ReceiptContent, encode
from card_core.receipts.errors import InvalidContentError
from card_core.receipts.tree import root_and_paths
from crypto.keys import Signer

GROUP_MAX: Final = 4096
VERSION: Final = 1
FORM_SINGLE: Final = 1
FORM_GROUP: Final = 2
HEAD: Final = struct.Struct(">BBB")  # version, form, size of the content
PLACE: Final = struct.Struct(">HH")  # index in the group, size of the group

_SINGLE_CONTEXT: Final = b"sscard/receipt/v1\0"
_GROUP_CONTEXT: Final = b"sscard/receipt-group/v1\0"


def make_receipts(contents: Iterable[ReceiptContent], signer: Signer) -> list[bytes]:
    """Return a receipt for each content, in their order, under one signature.

    contents: 1 to GROUP_MAX, all under one issuer's one key, whose private half `signer` has. One
    alone is signed by itself; several carry each their path to the root that is signed.
    Raises: InvalidContentError; what the signer raises.
    """
    signed_under: set[tuple[int, int]] = set()
    encoded: list[bytes] = []
    for content in contents:
        signed_under.add((content.issuer, content.key_number))
        if len(encoded) == GROUP_MAX:
            raise InvalidContentError("contents")
        encoded.append(encode(content))
    if not encoded:
        raise InvalidContentError("contents")
    if len(signed_under) > 1:
        raise InvalidContentError("issuer, key_number")
    ((issuer, key_number),) = signed_under
    if len(encoded) == 1:
        alone = encoded[0]
        signature = signer.sign(single_to_be_signed(alone))
        return [HEAD.pack(VERSION, FORM_SINGLE, len(alone)) + alone + signature]
    root, paths = root_and_paths(encoded)
    size = len(encoded)
    signature = signer.sign(group_to_be_signed(issuer, key_number, size, root))
    return [
        b"".join(
            (HEAD.pack(VERSION, FORM_GROUP, len(one)), one, PLACE.pack(at, size), path, signature)
        )
        for at, (one, path) in enumerate(zip(encoded, paths, strict=True))
    ]


def single_to_be_signed(content: bytes) -> bytes:
    """What the signature of a receipt by itself is over."""
    return _SINGLE_CONTEXT + content


def group_to_be_signed(issuer: int, key_number: int, size: int, root: bytes) -> bytes:
    """What the signature of a group is over."""
    return _GROUP_CONTEXT + struct.pack(">HBH", issuer, key_number, size) + root
