"""A verifier of codes, written from docs/code-format.md alone, as a check of that document.

It shares nothing with the product: neither its sources nor its SM2 library (this one uses
gmssl_pyx, a wrapper of GmSSL). Where it disagrees with an example code, either the document or
one of the two verifiers is wrong. The sections named below are those of the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypedDict

from gmssl_pyx import (
    InvalidValueError,
    normalize_sm2_public_key,
    sm2_verify_sm3_digest,
    sm3_hash,
)

Fields = dict[str, int | str]

# Section 1: the text. The length of a text tells the kind: (kind, bytes).
MARKER = "7406"
MAX_CHARACTERS = 512
DIGITS = frozenset("0123456789")
LAYOUTS = {253: (1, 103), 493: (2, 203)}
ONLINE = 1

# Sections 2 and 3: values and offsets.
VERSION = 1
ANY_USE, IDENTIFY_ONLY = 1, 2
ALL_PURPOSES = 0x1FF
ANY_TERMINAL = bytes(8)
CREDENTIAL_SIGNED, CREDENTIAL_END = 49, 113

# Section 5: what is signed, and the curve.
ONLINE_PREFIX = b"sscard/online-code/v1\n"
CREDENTIAL_PREFIX = b"sscard/device-credential/v1\n"
OFFLINE_PREFIX = b"sscard/offline-code/v1\n"
SIGNER_ID = b"1234567812345678"
SIGNATURE_BYTES = 64
P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
A = P - 3
B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
GX = 0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7
GY = 0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0
Z_START = (
    (8 * len(SIGNER_ID)).to_bytes(2, "big")
    + SIGNER_ID
    + b"".join(value.to_bytes(32, "big") for value in (A, B, GX, GY))
)

# Section 7: keys and times.
VERIFYING_STATES = ("active", "verify_only")
LIFETIME = 60
ONLINE_SKEW = 5
OFFLINE_SKEW = 30
CREDENTIAL_LIFETIME = 86_400


class TrustedKey(TypedDict):
    """A key as `codes.json` has it: `public_key` is the uncompressed point in hex."""

    purpose: str
    issuer: int
    number: int
    state: str
    public_key: str


class BusinessType(TypedDict):
    """What a business type asks for: a mask with one bit, and whether money or goods move."""

    purpose: int
    consumes: bool


class RefusalError(Exception):
    """The code is refused; the only argument is the reason's word."""


def verify(
    text: str,
    *,
    keys: Sequence[TrustedKey],
    now: int,
    business_type: str,
    terminal: bytes,
    amount_fen: int | None,
    business_types: Mapping[str, BusinessType],
) -> dict[str, Any]:
    """Check a code by steps 1 to 6 of section 7: accepted with fields, or refused with a reason.

    The business type must be a known one; that is the caller's to see to, before the code.
    """
    try:
        data = _bytes_of(text)
        fields = _parse(data)
        _check_signatures(data, fields, keys, now)
        _check_life(fields, now)
        _check_use(data, fields, business_types[business_type], terminal, amount_fen)
    except RefusalError as refusal:
        return {"outcome": "refused", "reason": str(refusal)}
    return {"outcome": "accepted", "fields": fields}


def _refuse(reason: str) -> NoReturn:
    raise RefusalError(reason)


def _number(data: bytes, offset: int, size: int) -> int:
    return int.from_bytes(data[offset : offset + size], "big")


def _bytes_of(text: str) -> bytes:
    """Step 1: the bytes of a text."""
    if len(text) > MAX_CHARACTERS or len(text) not in LAYOUTS:
        _refuse("malformed")
    if not DIGITS.issuperset(text) or not text.startswith(MARKER):
        _refuse("malformed")
    _, size = LAYOUTS[len(text)]
    number = int(text[len(MARKER) :])
    if number >= 256**size:
        _refuse("malformed")
    return number.to_bytes(size, "big")


def _parse(data: bytes) -> Fields:
    """Step 2: the fields of a code, every one of them with a defined value."""
    if data[0] >> 4 != VERSION:
        _refuse("unknown_version")
    kind = data[0] & 0x0F
    if (kind, len(data)) not in LAYOUTS.values():
        _refuse("malformed")
    fields: Fields = {
        "kind": kind,
        "issuer": _number(data, 1, 2),
        "key_number": data[3],
        **_scope(data, 8),
        **_flags(data[11]),
    }
    if kind == ONLINE:
        fields |= {"minted_at": _number(data, 4, 4), "box": data[23:39].hex()}
        return fields | _bound_to(data, 12)
    if data[16] not in (0x02, 0x03):
        _refuse("malformed")
    fields |= {
        "credential_expires_at": _number(data, 4, 4),
        "status_index": _number(data, 12, 4),
        "device_key": data[16:49].hex(),
        "minted_at": _number(data, 113, 4),
        "nonce": data[120:128].hex(),
    }
    return fields | _scope(data, 117) | _bound_to(data, 128)


def _scope(data: bytes, offset: int) -> dict[str, int]:
    """The purpose class and the purposes, which stand together."""
    purpose_class, purposes = data[offset], _number(data, offset + 1, 2)
    if purpose_class not in (ANY_USE, IDENTIFY_ONLY) or not 0 < purposes <= ALL_PURPOSES:
        _refuse("malformed")
    return {"purpose_class": purpose_class, "purposes": purposes}


def _flags(flags: int) -> dict[str, int]:
    """Section 4."""
    for_whom, presence, reserved = flags & 0b11, flags >> 2 & 0b111, flags >> 5
    if for_whom > 1 or presence > 3 or reserved:
        _refuse("malformed")
    return {"for_whom": for_whom, "presence": presence}


def _bound_to(data: bytes, offset: int) -> Fields:
    """The terminal and the amount, which stand together."""
    terminal, amount = data[offset : offset + 8], _number(data, offset + 8, 3)
    if amount and terminal == ANY_TERMINAL:
        _refuse("malformed")
    return {"terminal": terminal.hex(), "amount_fen": amount}


def _check_signatures(data: bytes, fields: Fields, keys: Sequence[TrustedKey], now: int) -> None:
    """Steps 3 and 4: the issuer's key, the credential's time, and every signature."""
    if fields["kind"] == ONLINE:
        key = _issuer_key("code_signing", fields, keys)
        _check_signature(key, ONLINE_PREFIX, data)
        return
    key = _issuer_key("device_credential", fields, keys)
    _check_signature(key, CREDENTIAL_PREFIX, data[:CREDENTIAL_END])
    expires_at = int(fields["credential_expires_at"])
    if now < expires_at - CREDENTIAL_LIFETIME - OFFLINE_SKEW:
        _refuse("credential_not_yet_valid")
    if now > expires_at + OFFLINE_SKEW:
        _refuse("credential_expired")
    _check_signature(data[16:CREDENTIAL_SIGNED], OFFLINE_PREFIX, data)


def _issuer_key(purpose: str, fields: Fields, keys: Sequence[TrustedKey]) -> bytes:
    wanted = (purpose, fields["issuer"], fields["key_number"])
    for key in keys:
        if (key["purpose"], key["issuer"], key["number"]) == wanted:
            if key["state"] not in VERIFYING_STATES:
                _refuse("key_not_active")
            return bytes.fromhex(key["public_key"])
    _refuse("unknown_key")


def _check_signature(key: bytes, prefix: bytes, signed: bytes) -> None:
    """Section 5: `signed` ends with the signature over all its other bytes.

    GmSSL takes the point at infinity for one whose x1 is 0, so that r = e mod n would hold there.
    Nobody knows of any other way to such an r, and it is refused here.
    """
    try:
        point = normalize_sm2_public_key(key)
    except InvalidValueError:
        _refuse("bad_signature")
    message, signature = signed[:-SIGNATURE_BYTES], signed[-SIGNATURE_BYTES:]
    r, s = _number(signature, 0, 32), _number(signature, 32, 32)
    digest = sm3_hash(sm3_hash(Z_START + point) + prefix + message)
    if r == int.from_bytes(digest, "big") % N:
        _refuse("bad_signature")
    if not sm2_verify_sm3_digest(point, digest, _der(0x30, _der_integer(r) + _der_integer(s))):
        _refuse("bad_signature")


def _der_integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der(tag: int, content: bytes) -> bytes:
    return bytes((tag, len(content))) + content


def _check_life(fields: Fields, now: int) -> None:
    """Step 5."""
    minted_at = int(fields["minted_at"])
    skew = ONLINE_SKEW if fields["kind"] == ONLINE else OFFLINE_SKEW
    if now < minted_at - skew:
        _refuse("not_yet_valid")
    if now > minted_at + LIFETIME + skew:
        _refuse("expired")


def _check_use(
    data: bytes, fields: Fields, use: BusinessType, terminal: bytes, amount_fen: int | None
) -> None:
    """Step 6: the purposes, the terminal and the amount."""
    purposes, any_use = int(fields["purposes"]), fields["purpose_class"] == ANY_USE
    offline = fields["kind"] != ONLINE
    if offline:
        credential = _scope(data, 8)
        if purposes & ~credential["purposes"]:
            _refuse("purpose_mismatch")
        if any_use and credential["purpose_class"] == IDENTIFY_ONLY:
            _refuse("purpose_mismatch")
    if not purposes & use["purpose"] or (use["consumes"] and not any_use):
        _refuse("purpose_mismatch")
    if offline and use["consumes"]:
        _refuse("offline_not_allowed")
    if fields["terminal"] not in (ANY_TERMINAL.hex(), terminal.hex()):
        _refuse("terminal_mismatch")
    if fields["amount_fen"] not in (0, amount_fen):
        _refuse("amount_mismatch")
