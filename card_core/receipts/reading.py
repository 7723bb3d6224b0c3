"""Reading and verifying a receipt: with the issuer's public keys, and nothing else."""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from card_core.codes import CodeKey, KeyState
from card_core.receipts.content import (
    CONTENT_BYTES_MAX,
    CONTENT_BYTES_MIN,
    ReceiptContent,
    decode,
)
from card_core.receipts.errors import InvalidReceiptError
from card_core.receipts.making import (
    FORM_GROUP,
    FORM_SINGLE,
    GROUP_MAX,
    HEAD,
    PLACE,
    VERSION,
    group_to_be_signed,
    single_to_be_signed,
)
from card_core.receipts.tree import HASH_SIZE_BYTES, path_size, root_of
from crypto import sm2

SIGNATURE_SIZE_BYTES: Final = 64
RECEIPT_BYTES_MAX: Final = (
    HEAD.size + CONTENT_BYTES_MAX + PLACE.size + 12 * HASH_SIZE_BYTES + SIGNATURE_SIZE_BYTES
)
INPUT_BYTES_MAX: Final = 65_536  # of a file that a receipt is looked for in
RECEIPT_TEXT_MAX: Final = (RECEIPT_BYTES_MAX * 4 + 2) // 3
# A worker signs with the key that it knew a moment ago, by a clock that is its own.
KEY_TIMES_SLACK: Final = timedelta(seconds=60)

_TEXT: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{RECEIPT_TEXT_MAX}}}", re.ASCII)
_VERIFYING: Final = frozenset({KeyState.ACTIVE, KeyState.VERIFY_ONLY})


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """One issuer's receipt key, as a trust list or an exported key file gives it.

    active_from, active_until: aware, when it signed; None where that is not known.
    """

    issuer: int
    number: int
    public_key: sm2.PublicKey
    state: KeyState
    active_from: datetime | None = None
    active_until: datetime | None = None

    @classmethod
    def of(cls, key: CodeKey) -> "ReceiptKey":
        """A receipt key as the issuer's own table has it."""
        return cls(
            key.issuer, key.number, key.public_key, key.state, key.signs_from, key.signs_until
        )

    def may_have_signed(self, content: ReceiptContent) -> bool:
        """Whether it is this key that the receipt names, and it was in use then.

        A revoked key verifies nothing: whoever stole it writes any date. One that has only ended
        (verify-only) verifies what it signed in its time, for good.
        """
        return (
            (self.issuer, self.number) == (content.issuer, content.key_number)
            and self.state in _VERIFYING
            and (self.active_from is None or content.at >= self.active_from - KEY_TIMES_SLACK)
            and (self.active_until is None or content.at <= self.active_until + KEY_TIMES_SLACK)
        )


@dataclass(frozen=True, slots=True, repr=False)
class Receipt:
    """A receipt's parts; nothing in it is believed yet.

    index, size: its place in its group, 0 of 1 where it was signed by itself. path: hashes.
    """

    content: ReceiptContent
    content_bytes: bytes
    index: int
    size: int
    path: bytes
    signature: bytes

    def to_be_signed(self) -> bytes:
        """The bytes under the signature, as they follow from what the receipt says."""
        if self.size == 1:
            return single_to_be_signed(self.content_bytes)
        root = root_of(self.content_bytes, self.index, self.size, self.path)
        return group_to_be_signed(self.content.issuer, self.content.key_number, self.size, root)


def read_receipt(data: bytes) -> Receipt:
    """Take a receipt apart, without any signature. Raises InvalidReceiptError."""
    if not HEAD.size < len(data) <= RECEIPT_BYTES_MAX:
        raise InvalidReceiptError
    version, form, content_size = HEAD.unpack_from(data)
    rest = data[HEAD.size + content_size : -SIGNATURE_SIZE_BYTES]
    if (
        version != VERSION
        or form not in (FORM_SINGLE, FORM_GROUP)
        or not CONTENT_BYTES_MIN <= content_size <= CONTENT_BYTES_MAX
        or len(data) < HEAD.size + content_size + SIGNATURE_SIZE_BYTES
    ):
        raise InvalidReceiptError
    index, size, path = _place(form, rest)
    content_bytes = data[HEAD.size : HEAD.size + content_size]
    return Receipt(
        content=decode(content_bytes),
        content_bytes=content_bytes,
        index=index,
        size=size,
        path=path,
        signature=data[-SIGNATURE_SIZE_BYTES:],
    )


def verify_receipt(data: bytes, keys: Iterable[ReceiptKey]) -> ReceiptContent:
    """Return what a receipt says, or raise InvalidReceiptError.

    1 its form · 2 its key: known, of its issuer and number, not revoked, in use at the time that
    the receipt names · 3 the signature, over the content or over the root that its path leads to.
    """
    receipt = read_receipt(data)
    key = next((one for one in keys if one.may_have_signed(receipt.content)), None)
    if key is None:
        raise InvalidReceiptError
    try:
        key.public_key.verify(receipt.signature, receipt.to_be_signed())
    except sm2.InvalidSignatureError:
        raise InvalidReceiptError from None
    return receipt.content


def to_text(data: bytes) -> str:
    """A receipt as text: base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """The bytes of `to_text`; no second spelling is taken. Raises InvalidReceiptError."""
    if not _TEXT.fullmatch(text):
        raise InvalidReceiptError
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise InvalidReceiptError from None
    if to_text(data) != text:
        raise InvalidReceiptError
    return data


def text_in(data: bytes) -> str:
    """The text of a receipt in what somebody kept: that text, or a whole answer with a `receipt`.

    Raises InvalidReceiptError, also above INPUT_BYTES_MAX.
    """
    if len(data) > INPUT_BYTES_MAX:
        raise InvalidReceiptError
    text = data.decode("utf-8", "replace").strip()
    if not text.startswith("{"):
        return text
    try:
        found = json.loads(text)["receipt"]
    except (ValueError, KeyError, RecursionError):
        raise InvalidReceiptError from None
    if not isinstance(found, str):
        raise InvalidReceiptError
    return found


def _place(form: int, rest: bytes) -> tuple[int, int, bytes]:
    if form == FORM_SINGLE:
        if rest:
            raise InvalidReceiptError
        return 0, 1, b""
    if len(rest) < PLACE.size:
        raise InvalidReceiptError
    index, size = PLACE.unpack_from(rest)
    path = rest[PLACE.size :]
    if (
        not 2 <= size <= GROUP_MAX
        or index >= size
        or len(path) != path_size(index, size) * HASH_SIZE_BYTES
    ):
        raise InvalidReceiptError
    return index, size, path
