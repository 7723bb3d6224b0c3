"""A second verifier, written from docs/code-format.md alone, on another SM2 library.

It is slow and plain on purpose. Where it and the core differ, the document or one of them is wrong.
"""

from dataclasses import dataclass
from typing import Any

import gmssl_pyx

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


class Refused(Exception):  # noqa: N818 - a verdict
    """The reason is the only argument."""


@dataclass(frozen=True)
class Against:
    """What a code is held against. keys: (purpose, issuer, number) to (state, 65 bytes)."""

    keys: dict[tuple[str, int, int], tuple[str, bytes]]
    now: int
    purpose: int
    consumes: bool
    terminal: bytes
    amount_fen: int | None


def verify(text: str, against: Against) -> dict[str, Any]:
    data = to_bytes(text)
    return verify_online(data, against) if len(data) == 103 else verify_offline(data, against)


def to_bytes(text: str) -> bytes:
    """Step 1."""
    if len(text) > 512 or any(character not in "0123456789" for character in text):
        raise Refused("malformed")
    sizes = {253: 103, 493: 203}
    if not text.startswith("7406") or len(text) not in sizes:
        raise Refused("malformed")
    number, size = int(text[4:]), sizes[len(text)]
    if number >= 256**size:
        raise Refused("malformed")
    return number.to_bytes(size, "big")


def verify_online(data: bytes, against: Against) -> dict[str, Any]:
    read_version_and_kind(data, 1)
    fields = read_scope(data[8:11]) | read_flags(data[11]) | read_binding(data[12:23])
    fields |= {"box": data[23:39].hex(), "minted_at": number(data[4:8])}
    issuer, key_number = number(data[1:3]), data[3]
    key = find_key(against, "code_signing", issuer, key_number)
    verify_signature(key, b"sscard/online-code/v1\n", data)
    check_window(fields["minted_at"], against.now, 5)
    check_scope(fields, against)
    check_binding(fields, against)
    return {"kind": 1, "issuer": issuer, "key_number": key_number, **fields}


def verify_offline(data: bytes, against: Against) -> dict[str, Any]:
    read_version_and_kind(data, 2)
    credential, own = data[:113], data[113:139]
    allowed, flags = read_scope(credential[8:11]), read_flags(credential[11])
    device_key = credential[16:49]
    if device_key[0] not in {2, 3}:
        raise Refused("malformed")
    fields = flags | read_scope(own[4:7]) | read_binding(own[15:26])
    fields |= {"minted_at": number(own[:4]), "nonce": own[7:15].hex()}
    issuer, key_number = number(credential[1:3]), credential[3]
    key = find_key(against, "device_credential", issuer, key_number)
    verify_signature(key, b"sscard/device-credential/v1\n", credential)
    expires_at = number(credential[4:8])
    if against.now < expires_at - 86_400 - 30:
        raise Refused("credential_not_yet_valid")
    if against.now > expires_at + 30:
        raise Refused("credential_expired")
    verify_signature(decompress(device_key), b"sscard/offline-code/v1\n", data)
    check_window(fields["minted_at"], against.now, 30)
    if fields["purposes"] & ~allowed["purposes"] or (
        allowed["purpose_class"] == 2 and fields["purpose_class"] == 1
    ):
        raise Refused("purpose_mismatch")
    check_scope(fields, against)
    if against.consumes:
        raise Refused("offline_not_allowed")
    check_binding(fields, against)
    return {
        "kind": 2,
        "issuer": issuer,
        "key_number": key_number,
        "status_index": number(credential[12:16]),
        "device_key": device_key.hex(),
        "credential_expires_at": expires_at,
        **fields,
    }


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def read_version_and_kind(data: bytes, kind: int) -> None:
    if data[0] >> 4 != 1:
        raise Refused("unknown_version")
    if data[0] & 15 != kind:
        raise Refused("malformed")


def read_scope(data: bytes) -> dict[str, Any]:
    purpose_class, purposes = data[0], number(data[1:3])
    if purpose_class not in {1, 2} or not 1 <= purposes <= 0x01FF:
        raise Refused("malformed")
    return {"purpose_class": purpose_class, "purposes": purposes}


def read_flags(flags: int) -> dict[str, Any]:
    for_whom, presence = flags & 3, flags >> 2
    if for_whom > 1 or presence > 3:
        raise Refused("malformed")
    return {"for_whom": for_whom, "presence": presence}


def read_binding(data: bytes) -> dict[str, Any]:
    terminal, amount_fen = data[:8], number(data[8:])
    if amount_fen and terminal == bytes(8):
        raise Refused("malformed")
    return {"terminal": terminal.hex(), "amount_fen": amount_fen}


def find_key(against: Against, purpose: str, issuer: int, key_number: int) -> bytes:
    if (purpose, issuer, key_number) not in against.keys:
        raise Refused("unknown_key")
    state, point = against.keys[purpose, issuer, key_number]
    if state not in {"active", "verify_only"}:
        raise Refused("key_not_active")
    return point[1:]


def verify_signature(point: bytes, context: bytes, data: bytes) -> None:
    message, signature = context + data[:-64], data[-64:]
    halves = [number(signature[:32]), number(signature[32:])]
    if not all(0 < half < N for half in halves) or sum(halves) == N:
        raise Refused("bad_signature")
    der = b"".join(b"\x02" + bytes([len(body)]) + body for body in map(_integer, halves))
    try:
        holds = gmssl_pyx.sm2_verify(point, message, b"\x30" + bytes([len(der)]) + der)
    except (gmssl_pyx.InvalidValueError, gmssl_pyx.GmsslInnerError):
        holds = False
    if not holds:
        raise Refused("bad_signature")


def _integer(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


def decompress(key: bytes) -> bytes:
    x = number(key[1:])
    square = (x**3 + A * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if x >= P or y * y % P != square:
        raise Refused("bad_signature")
    if y & 1 != key[0] & 1:
        y = P - y
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


def check_window(minted_at: int, now: int, skew: int) -> None:
    if now < minted_at - skew:
        raise Refused("not_yet_valid")
    if now > minted_at + 60 + skew:
        raise Refused("expired")


def check_scope(fields: dict[str, Any], against: Against) -> None:
    if not fields["purposes"] & against.purpose:
        raise Refused("purpose_mismatch")
    if against.consumes and fields["purpose_class"] == 2:
        raise Refused("purpose_mismatch")


def check_binding(fields: dict[str, Any], against: Against) -> None:
    if fields["terminal"] not in {bytes(8).hex(), against.terminal.hex()}:
        raise Refused("terminal_mismatch")
    if fields["amount_fen"] not in {0, against.amount_fen}:
        raise Refused("amount_mismatch")
