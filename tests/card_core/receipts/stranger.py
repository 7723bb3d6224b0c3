"""A verifier of receipts as a stranger would write it from docs/receipts.md alone.

It shares no line with the project: SM3 and SM2 are PyPI's gmssl, pure Python.
"""

import base64
from typing import Any

from gmssl import sm3
from gmssl.sm2 import CryptSM2

MEDIA = {1: "online_code", 2: "offline_code", 3: "short_code", 4: "chip_card", 5: "visit_token"}


def digest(data: bytes) -> bytes:
    return bytes.fromhex(sm3.sm3_hash(list(data)))


def verifies(text: str, public_key: bytes) -> bool:
    """public_key: 65 bytes, 04, x, y."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    version, form, size = data[0], data[1], data[2]
    content, rest, signature = data[3 : 3 + size], data[3 + size : -64], data[-64:]
    if version != 1:
        return False
    if form == 1:
        signed = b"sscard/receipt/v1\0" + content
    else:
        index, count = int.from_bytes(rest[:2]), int.from_bytes(rest[2:4])
        root = _root(content, index, count, rest[4:])
        signed = b"sscard/receipt-group/v1\0" + content[1:4] + rest[2:4] + root
    verifier = CryptSM2(private_key="", public_key="")
    # Its constructor takes any leading 0 and 4 of a point that begins with 04 for the prefix.
    verifier.public_key = public_key[1:].hex()
    try:
        return bool(verifier.verify_with_sm3(signature.hex(), signed))
    except (TypeError, ValueError):
        return False


def fields(text: str) -> dict[str, Any]:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    content = data[3 : 3 + data[2]]
    chain = content[153 : 153 + content[152]]
    amount = int.from_bytes(content[49:53])
    return {
        "kind": content[0],
        "issuer": int.from_bytes(content[1:3]),
        "key_number": content[3],
        "at_ms": int.from_bytes(content[4:12]),
        "scan_id": content[12:28].hex(),
        "original_scan_id": content[28:44].hex(),
        "business_type": content[44:49].decode(),
        "amount_fen": None if amount == 0xFFFFFFFF else amount,
        "medium": MEDIA[content[53]],
        "presence": content[54],
        "for_whom": content[55],
        "pseudonym": content[56:72].hex(),
        "clerk": content[72:104].hex(),
        "terminal": content[104:112].hex(),
        "audit_seq": int.from_bytes(content[112:120]),
        "audit_link": content[120:152].hex(),
        "audit_chain": chain.decode(),
        "institution_code": content[154 + len(chain) :].decode(),
    }


def _root(content: bytes, index: int, count: int, path: bytes) -> bytes:
    found = digest(b"\x00" + content)
    hashes = [path[at : at + 32] for at in range(0, len(path), 32)]
    last = count - 1
    while last:
        if index % 2:
            found = digest(b"\x01" + hashes.pop(0) + found)
        elif index < last:
            found = digest(b"\x01" + found + hashes.pop(0))
        index, last = index // 2, last // 2
    return found
