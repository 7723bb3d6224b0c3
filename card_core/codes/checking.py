"""Checking a code: one native call over the text, with no store."""

from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from card_core import _native
from card_core.business_types import BusinessType, Purpose
from card_core.codes.fields import (
    CodeKind,
    ForWhom,
    Presence,
    PurposeClass,
    from_seconds,
    to_seconds,
)

# Members by their numbers: to call an enumeration takes half a microsecond each time.
_KINDS: Final = {member.value: member for member in CodeKind}
_CLASSES: Final = {member.value: member for member in PurposeClass}
_FOR_WHOM: Final = {member.value: member for member in ForWhom}
_PRESENCE: Final = {member.value: member for member in Presence}
_NOT_OFFLINE: Final = (None, None, None, None)


@cache
def _purposes(mask: int) -> Purpose:
    """One of the 511 sets of purposes."""
    return Purpose(mask)


class CheckedCode(NamedTuple):
    """What a code says, after every check that needs no store.

    A named tuple, because one is made for each scan: it takes half of what a frozen dataclass does.
    `box` (16 bytes, sealed by the issuer) names the holder of an online code. An offline code has
    instead the last four: its nonce (8 bytes), and of its device credential the compressed device
    key (33 bytes), the status index, and the end of its day.
    """

    kind: CodeKind
    issuer: int
    key_number: int
    minted_at: datetime
    purpose_class: PurposeClass
    purposes: Purpose
    for_whom: ForWhom
    presence: Presence
    terminal: bytes
    amount_fen: int
    box: bytes | None
    nonce: bytes | None
    device_key: bytes | None
    status_index: int | None
    credential_expires_at: datetime | None


def check(
    text: str,
    *,
    keys: _native.KeyRing,
    now: datetime,
    business_type: BusinessType,
    terminal: bytes,
    amount_fen: int | None,
) -> CheckedCode:
    """Return what the code says, or raise the first reason why it may not be relied on.

    The order is part of the rule (docs/code-format.md, section 7): 1 length and alphabet,
    2 version, kind and fields, 3 key, 4 signatures, 5 time window, 6 purpose, terminal and amount.
    Steps 7 (card state) and 8 (spending the nonce) are the kernel's.

    text: what the scanner read, nothing removed from it. now: aware; compared in whole seconds.
    terminal: the 8 bytes of the scanning terminal's serial number. amount_fen: what is to be paid,
    None where no money moves. That the business type is offered at the terminal's kind of place is
    the caller's to check first: it is about the terminal, not about the code.
    Raises: RefusedError with the reason; InvalidFieldError for the caller's own values.
    """
    (
        kind,
        issuer,
        key_number,
        minted_at,
        purpose_class,
        purposes,
        for_whom,
        presence,
        bound_terminal,
        bound_amount_fen,
        box,
        offline,
    ) = _native.check(
        text,
        keys,
        to_seconds("now", now),
        business_type.purpose.value,
        business_type.consumes,
        terminal,
        amount_fen,
    )
    nonce, device_key, status_index, expires_at = offline or _NOT_OFFLINE
    # By position and without a call of Python's own: `__new__` with names takes 1 us here.
    return CheckedCode._make(
        (
            _KINDS[kind],
            issuer,
            key_number,
            from_seconds(minted_at),
            _CLASSES[purpose_class],
            _purposes(purposes),
            _FOR_WHOM[for_whom],
            _PRESENCE[presence],
            bound_terminal,
            bound_amount_fen,
            box,
            nonce,
            device_key,
            status_index,
            None if expires_at is None else from_seconds(expires_at),
        )
    )
