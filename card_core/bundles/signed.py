"""The signed bundle: a head, the content, and the issuer's signature over both."""

import struct
from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from card_core.bundles.content import Content
from card_core.bundles.errors import (
    BundleNotGenuineError,
    InvalidBundleError,
    MalformedBundleError,
    OlderBundleError,
)
from card_core.codes import CodeKey, KeyPurpose, KeyState
from crypto import sm2

CONTEXT: Final = b"sscard/bundle/v1\n"
VERSION_AND_KIND: Final = 0x15
SIGNATURE_SIZE: Final = 64
# A trust list may have 512 KiB, and stands in it in hex.
BUNDLE_BYTES_MAX: Final = 2 * 1024 * 1024
AGE_SECONDS_MAX: Final = 30 * 24 * 3600
_HEAD = struct.Struct(">BHBIIII")
_VERIFYING = frozenset({KeyState.ACTIVE, KeyState.VERIFY_ONLY})
# A key that was only announced when the bundle held was signed may sign by now.
_ANNOUNCED = _VERIFYING | {KeyState.PENDING}


@dataclass(frozen=True, slots=True)
class BundleHead:
    """issuer: 1-65535. key_number: of its status keys. version: from 1, grows by one.

    issued_at: aware, whole seconds. fresh_for_seconds: after that a terminal asks for a newer one;
    usable_for_seconds: after that nothing may be decided by it.
    """

    issuer: int
    key_number: int
    version: int
    issued_at: datetime
    fresh_for_seconds: int
    usable_for_seconds: int

    def __post_init__(self) -> None:
        """Raises InvalidBundleError."""
        at = self.issued_at
        in_range = {
            "issuer": 1 <= self.issuer <= 0xFFFF,
            "key_number": 0 <= self.key_number <= 0xFF,
            "version": 1 <= self.version <= 0xFFFF_FFFF,
            "age": 1 <= self.fresh_for_seconds <= self.usable_for_seconds <= AGE_SECONDS_MAX,
            "issued_at": at.tzinfo is not None
            and at.microsecond == 0
            and 0 <= at.timestamp() < 1 << 32,
        }
        for what, holds in in_range.items():
            if not holds:
                raise InvalidBundleError(what)

    @property
    def fresh_until(self) -> datetime:
        return self.issued_at + timedelta(seconds=self.fresh_for_seconds)

    @property
    def usable_until(self) -> datetime:
        return self.issued_at + timedelta(seconds=self.usable_for_seconds)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose signature was verified."""

    head: BundleHead
    content: Content


def bundle_to_be_signed(head: BundleHead, content: bytes) -> bytes:
    """The context prefix, the head, and the content as `Content.to_bytes` gives it."""
    fields = _HEAD.pack(
        VERSION_AND_KIND,
        head.issuer,
        head.key_number,
        head.version,
        int(head.issued_at.timestamp()),
        head.fresh_for_seconds,
        head.usable_for_seconds,
    )
    return CONTEXT + fields + content


def assemble_bundle(to_be_signed: bytes, signature: bytes) -> bytes:
    """What travels. signature: 64 bytes over all of `to_be_signed`. Raises InvalidBundleError."""
    if len(signature) != SIGNATURE_SIZE or not to_be_signed.startswith(CONTEXT):
        raise InvalidBundleError("signature")
    return to_be_signed.removeprefix(CONTEXT) + signature


def open_bundle(data: bytes, *, keys: Iterable[CodeKey], held: Bundle | None = None) -> Bundle:
    """Verify a bundle and return what it says.

    1 the form · 2 the issuer is that of the bundle held, and the version does not fall · 3 a status
    key that is trusted and not revoked · 4 its signature · 5 the content, which nobody reads before
    · 6 by the content itself that key is in force.

    keys: those trusted from enrolment, or from the bundle held (`held.content.keys`): so a new
    status key comes in under the one before, which announced it as pending.
    Raises MalformedBundleError, OlderBundleError, BundleNotGenuineError.
    """
    # 1 form
    if not _HEAD.size + SIGNATURE_SIZE < len(data) <= BUNDLE_BYTES_MAX:
        raise MalformedBundleError
    body, signature = data[:-SIGNATURE_SIZE], data[-SIGNATURE_SIZE:]
    head = _parse_head(body[: _HEAD.size])
    # 2 issuer and version
    if held is not None:
        if head.issuer != held.head.issuer:
            raise MalformedBundleError
        if head.version < held.head.version:
            raise OlderBundleError
    # 3, 4 key and signature
    _verify(head, CONTEXT + body, signature, keys)
    # 5 content
    content = Content.parse(body[_HEAD.size :])
    # 6 a key that the issuer has revoked or not begun to use signs no bundle that says so
    if _find(head, content.keys, _VERIFYING) is None:
        raise BundleNotGenuineError
    return Bundle(head, content)


def _parse_head(head: bytes) -> BundleHead:
    kind, issuer, number, version, issued, fresh, usable = _HEAD.unpack(head)
    if kind != VERSION_AND_KIND:
        raise MalformedBundleError
    try:
        issued_at = datetime.fromtimestamp(issued, UTC)
        return BundleHead(issuer, number, version, issued_at, fresh, usable)
    except InvalidBundleError:
        raise MalformedBundleError from None


def _verify(head: BundleHead, message: bytes, signature: bytes, keys: Iterable[CodeKey]) -> None:
    key = _find(head, keys, _ANNOUNCED)
    if key is None:
        raise BundleNotGenuineError
    try:
        key.public_key.verify(signature, message)
    except sm2.InvalidSignatureError:
        raise BundleNotGenuineError from None


def _find(head: BundleHead, keys: Iterable[CodeKey], states: Set[KeyState]) -> CodeKey | None:
    """The status key that the head names, if it is in one of these states."""
    for key in keys:
        if (
            key.purpose is KeyPurpose.STATUS
            and (key.issuer, key.number) == (head.issuer, head.key_number)
            and key.state in states
        ):
            return key
    return None
