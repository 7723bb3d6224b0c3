"""The box of an online code: e-card id and nonce as one SM4 block.

One block of exactly the cipher's size needs no mode and no padding, and the fresh nonce makes every
box of a holder look unlike the last. The issuer's signature over the code is what authenticates a
box: it is opened only once that has been checked.
"""

from typing import Final

from card_core.codes.errors import InvalidFieldError
from crypto import sm4

NONCE_SIZE: Final = 8
_ID_SIZE: Final = 8


def seal_box(box_key: bytes, ecard_id: int, nonce: bytes) -> bytes:
    """Return the 16 bytes that hide `ecard_id` (below 2^64) and `nonce` (8 bytes, random).

    box_key: the 16 bytes of the day's box key. Raises InvalidFieldError.
    """
    _check_key(box_key)
    if not 0 <= ecard_id < 1 << 64:
        raise InvalidFieldError("ecard_id")
    if len(nonce) != NONCE_SIZE:
        raise InvalidFieldError("nonce")
    return sm4.encrypt_block(box_key, ecard_id.to_bytes(_ID_SIZE, "big") + nonce)


def open_box(box_key: bytes, box: bytes) -> tuple[int, bytes]:
    """Return the e-card id and the nonce; under another key they are some other values.

    box: 16 bytes, of a code whose signature has been checked. Raises InvalidFieldError.
    """
    _check_key(box_key)
    if len(box) != sm4.KEY_SIZE:
        raise InvalidFieldError("box")
    block = sm4.decrypt_block(box_key, box)
    return int.from_bytes(block[:_ID_SIZE], "big"), block[_ID_SIZE:]


def _check_key(box_key: bytes) -> None:
    if len(box_key) != sm4.KEY_SIZE:
        raise InvalidFieldError("box_key")
