"""Signed status lists: the whole one, an update of it, and what a terminal holds."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from card_core._native import StatusList
from card_core.codes import CodeKey, KeyPurpose, KeyState
from card_core.status_list.errors import (
    InvalidListError,
    ListNotGenuineError,
    MalformedListError,
    OlderListError,
)
from card_core.status_list.head import SIZE as HEAD_SIZE
from card_core.status_list.head import VERSION_AND_KIND, ListHead
from card_core.status_list.states import CredentialState
from crypto import sm2, sm3

SIGNATURE_SIZE: Final = 64
UPDATE_KIND: Final = 0x14
LIST_BYTES_MAX: Final = 8 * 1024 * 1024
"""No list or update is longer; about 4 million positions listed at random of 10^8."""
_UPDATE_HEAD_SIZE: Final = 5
_VERIFYING = frozenset({KeyState.ACTIVE, KeyState.VERIFY_ONLY})


class Age(enum.Enum):
    """How far a list may be relied on, by its issuer's word and the terminal's clock."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class HeldList:
    """A list whose signature was verified. signature: 64 bytes, over the head."""

    head: ListHead
    signature: bytes
    statuses: StatusList

    def state(self, status_index: int) -> CredentialState:
        """Raises InvalidListError beyond the list: of such a credential nothing is known."""
        return CredentialState(self.statuses.state(status_index))

    def age(self, now: datetime) -> Age:
        """now: aware. A list from the future counts as fresh: the clock is wrong, not the list."""
        if now > self.head.usable_until:
            return Age.EXPIRED
        return Age.FRESH if now <= self.head.fresh_until else Age.STALE

    def to_bytes(self) -> bytes:
        """The whole list, to keep it."""
        return assemble_list(self.head, self.signature, self.statuses.encode())


def assemble_list(head: ListHead, signature: bytes, body: bytes) -> bytes:
    """A whole list. body: of `StatusList.encode()`. Raises InvalidListError for a wrong size."""
    return _signed(head, signature) + body


def assemble_update(have: int, head: ListHead, signature: bytes, changes: bytes) -> bytes:
    """The way from version `have` to the list of `head`; raises as `assemble_list`.

    changes: of `make_changes` or `compose_changes`.
    """
    return bytes([UPDATE_KIND]) + have.to_bytes(4) + _signed(head, signature) + changes


def open_list(data: bytes, *, keys: Iterable[CodeKey], held: HeldList | None = None) -> HeldList:
    """Verify a whole list, or an update of the list that is held, and return the new one.

    1 the form; an update is for the version held · 2 issuer and day are those of the list held ·
    3 the version does not fall · 4 a status key in force · 5 its signature over the head ·
    6 the digest over the list that comes out. What is held stays good if this raises.

    keys: the issuers' keys that are trusted; those of other purposes are passed over.
    Raises MalformedListError, OlderListError, ListNotGenuineError.
    """
    # 1 form
    if len(data) > LIST_BYTES_MAX:
        raise MalformedListError
    is_update = data[:1] == bytes([UPDATE_KIND])
    if not is_update and data[:1] != bytes([VERSION_AND_KIND]):
        raise MalformedListError
    signed = data[_UPDATE_HEAD_SIZE:] if is_update else data
    head = ListHead.parse(signed[:HEAD_SIZE])
    signature = signed[HEAD_SIZE : HEAD_SIZE + SIGNATURE_SIZE]
    body = signed[HEAD_SIZE + SIGNATURE_SIZE :]
    if is_update and (
        held is None or int.from_bytes(data[1:_UPDATE_HEAD_SIZE]) != held.head.version
    ):
        raise MalformedListError
    if held is not None:
        # 2 the same list
        if (head.issuer, head.day_ends_at) != (held.head.issuer, held.head.day_ends_at):
            raise MalformedListError
        # 3 version
        if head.version < held.head.version:
            raise OlderListError
    # 4, 5 key and signature
    _verify(head, signature, keys)
    # 6 digest
    statuses = _read(head, body, held if is_update else None)
    if sm3.digest(statuses.encode()) != head.digest:
        raise MalformedListError
    return HeldList(head, signature, statuses)


def _read(head: ListHead, body: bytes, base: HeldList | None) -> StatusList:
    if base is None:
        return StatusList.decode(head.size, body)
    try:
        if base.head.size != head.size:
            raise MalformedListError
        return base.statuses.apply(body)
    except InvalidListError:
        raise MalformedListError from None


def _verify(head: ListHead, signature: bytes, keys: Iterable[CodeKey]) -> None:
    for key in keys:
        if (
            key.purpose is KeyPurpose.STATUS
            and (key.issuer, key.number) == (head.issuer, head.key_number)
            and key.state in _VERIFYING
        ):
            try:
                key.public_key.verify(signature, head.to_be_signed())
            except sm2.InvalidSignatureError:
                raise ListNotGenuineError from None
            return
    raise ListNotGenuineError


def _signed(head: ListHead, signature: bytes) -> bytes:
    if len(signature) != SIGNATURE_SIZE:
        raise InvalidListError("signature")
    return head.to_bytes() + signature
