"""What a receipt says, and its one encoding (docs/receipts.md, section 2)."""

import enum
import re
import struct
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from card_core.codes import AMOUNT_FEN_MAX, ForWhom, Presence
from card_core.presented import Medium
from card_core.receipts.errors import InvalidContentError, InvalidReceiptError

PSEUDONYM_SIZE_BYTES: Final = 16
INSTITUTION_CODE_MAX: Final = 20
CHAIN_MAX: Final = 16
NO_SCAN: Final = "0" * 32
_NO_SCAN: Final = bytes(16)
NO_CLERK: Final = bytes(32)
NO_EVENT: Final = bytes(32)

_FIXED: Final = struct.Struct(">BHBQ16s16s5sIBBB16s32s8sQ32sB")
_NO_AMOUNT: Final = 0xFFFF_FFFF
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
# The last millisecond that a datetime can hold.
_AT_MAX: Final = 253_402_300_799_999
_MEDIA: Final = (
    Medium.ONLINE_CODE,
    Medium.OFFLINE_CODE,
    Medium.SHORT_CODE,
    Medium.CHIP_CARD,
    Medium.VISIT_TOKEN,
)
_NUMBER_OF_MEDIUM: Final = {medium: number for number, medium in enumerate(_MEDIA, 1)}
_INSTITUTION_CODE: Final = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)
_CHAIN: Final = re.compile(r"[a-z][a-z0-9_]{0,15}", re.ASCII)
_BUSINESS_TYPE: Final = re.compile(r"[0-9]{5}", re.ASCII)
_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
CONTENT_BYTES_MIN: Final = _FIXED.size + 3
CONTENT_BYTES_MAX: Final = _FIXED.size + CHAIN_MAX + 1 + INSTITUTION_CODE_MAX


class ReceiptKind(enum.IntEnum):
    """What the receipt is of: an accepted scan, or one of the three ways to take one back."""

    SCAN = 1
    REFUND = 2
    RETURN = 3
    VOID = 4


class ReceiptContent(NamedTuple):
    """One accepted scan, or its reversal. A named tuple, because one is made for each scan.

    scan_id: 32 hex digits; of a reversal its own id, and `original_scan_id` names what it takes
    back (NO_SCAN for a scan). at: aware, kept to the millisecond. terminal: the serial number, 8
    bytes. business_type: five digits. amount_fen: None where no money moved. pseudonym: 16 bytes,
    the holder at this institution. clerk: 32 bytes of `commit_to_clerk`, or NO_CLERK.
    audit_chain, audit_seq, audit_link: the audit log's head when this was signed, its number and
    its link of 32 bytes (0 and NO_EVENT for an empty one), so that a receipt in a drawer shows a
    log that was rewritten. The event of this scan comes behind it and is found by the scan's id.
    """

    kind: ReceiptKind
    issuer: int
    key_number: int
    at: datetime
    scan_id: str
    original_scan_id: str
    business_type: str
    amount_fen: int | None
    medium: Medium
    presence: Presence
    for_whom: ForWhom
    pseudonym: bytes
    clerk: bytes
    terminal: bytes
    institution_code: str
    audit_chain: str
    audit_seq: int
    audit_link: bytes


def encode(content: ReceiptContent) -> bytes:
    """Return the content's bytes. Raises InvalidContentError for a value out of its range."""
    _check(content)
    chain, code = _chain(content.audit_chain), _institution_code(content.institution_code)
    business_type, original = _business_type(content.business_type), content.original_scan_id
    try:
        fixed = _FIXED.pack(
            content.kind,
            content.issuer,
            content.key_number,
            (content.at - _EPOCH) // _MILLISECOND,
            bytes.fromhex(content.scan_id),
            _NO_SCAN if original == NO_SCAN else bytes.fromhex(original),
            business_type,
            _NO_AMOUNT if content.amount_fen is None else content.amount_fen,
            _NUMBER_OF_MEDIUM[content.medium],
            content.presence,
            content.for_whom,
            content.pseudonym,
            content.clerk,
            content.terminal,
            content.audit_seq,
            content.audit_link,
            len(chain),
        )
    except (struct.error, ValueError):
        raise InvalidContentError("content") from None
    return b"%b%b%c%b" % (fixed, chain, len(code), code)


def decode(data: bytes) -> ReceiptContent:
    """Read what `encode` wrote; whatever it would not have written raises InvalidReceiptError."""
    try:
        content = _decode(data)
        if encode(content) == data:
            return content
    except (struct.error, ValueError, IndexError, InvalidContentError):
        pass
    raise InvalidReceiptError


def _decode(data: bytes) -> ReceiptContent:
    (
        kind,
        issuer,
        key_number,
        at,
        scan_id,
        original_scan_id,
        business_type,
        amount,
        medium,
        presence,
        for_whom,
        pseudonym,
        clerk,
        terminal,
        audit_seq,
        audit_link,
        chain_size,
    ) = _FIXED.unpack_from(data)
    chain_end = _FIXED.size + chain_size
    if not 1 <= medium <= len(_MEDIA) or at > _AT_MAX:
        raise InvalidReceiptError
    return ReceiptContent(
        kind=ReceiptKind(kind),
        issuer=issuer,
        key_number=key_number,
        at=_EPOCH + at * _MILLISECOND,
        scan_id=scan_id.hex(),
        original_scan_id=original_scan_id.hex(),
        business_type=business_type.decode("ascii"),
        amount_fen=None if amount == _NO_AMOUNT else amount,
        medium=_MEDIA[medium - 1],
        presence=Presence(presence),
        for_whom=ForWhom(for_whom),
        pseudonym=pseudonym,
        clerk=clerk,
        terminal=terminal,
        institution_code=data[chain_end + 1 :].decode("ascii"),
        audit_chain=data[_FIXED.size : chain_end].decode("ascii"),
        audit_seq=audit_seq,
        audit_link=audit_link,
    )


def _check(content: ReceiptContent) -> None:
    """What `struct` lets pass: it cuts long bytes and pads short ones."""
    if content.at.tzinfo is None:
        raise InvalidContentError("at")
    if not _ID.fullmatch(content.scan_id) or content.scan_id == NO_SCAN:
        raise InvalidContentError("scan_id")
    original = content.original_scan_id
    if (original == NO_SCAN) != (content.kind is ReceiptKind.SCAN) or (
        original != NO_SCAN and not _ID.fullmatch(original)
    ):
        raise InvalidContentError("original_scan_id")
    if content.amount_fen is not None and not 0 <= content.amount_fen <= AMOUNT_FEN_MAX:
        raise InvalidContentError("amount_fen")
    if (
        len(content.pseudonym) != PSEUDONYM_SIZE_BYTES
        or len(content.clerk) != 32
        or len(content.terminal) != 8
        or len(content.audit_link) != 32
    ):
        raise InvalidContentError("pseudonym, clerk, terminal or audit_link")
    if (content.audit_seq == 0) != (content.audit_link == NO_EVENT):
        raise InvalidContentError("audit_seq")


# A group's receipts share these words, or nearly.
@lru_cache(maxsize=64)
def _business_type(word: str) -> bytes:
    return _word(word, _BUSINESS_TYPE, "business_type")


@lru_cache(maxsize=1024)
def _institution_code(word: str) -> bytes:
    return _word(word, _INSTITUTION_CODE, "institution_code")


@lru_cache(maxsize=16)
def _chain(word: str) -> bytes:
    return _word(word, _CHAIN, "audit_chain")


def _word(word: str, form: re.Pattern[str], field: str) -> bytes:
    if not form.fullmatch(word):
        raise InvalidContentError(field)
    return word.encode()
