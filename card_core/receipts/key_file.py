"""The key file: an issuer's receipt keys, for whoever verifies receipts without the service.

    {"format": "sscard/receipt-keys/v1",
     "keys": [{"issuer": 1, "number": 1, "public_key": "02…", "state": "active",
               "active_from": "2026-01-01T00:00:00+00:00", "active_until": null}]}

The file is public and is not signed: whoever takes it has to know where it comes from, and
compares its fingerprint with what the issuer publishes.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from card_core.codes import KeyState
from card_core.receipts.errors import InvalidKeyFileError
from card_core.receipts.reading import ReceiptKey
from crypto import InvalidKeyError, sm2, sm3

FORMAT: Final = "sscard/receipt-keys/v1"
KEY_FILE_BYTES_MAX: Final = 262_144
KEYS_MAX: Final = 512


def write_key_file(keys: Iterable[ReceiptKey]) -> bytes:
    """Return the file's bytes; the same keys give the same bytes."""
    rows = [
        {
            "issuer": key.issuer,
            "number": key.number,
            "public_key": key.public_key.to_bytes(compressed=True).hex(),
            "state": key.state.value,
            "active_from": None if key.active_from is None else key.active_from.isoformat(),
            "active_until": None if key.active_until is None else key.active_until.isoformat(),
        }
        for key in sorted(keys, key=lambda one: (one.issuer, one.number))
    ]
    return json.dumps({"format": FORMAT, "keys": rows}, indent=1).encode() + b"\n"


def read_key_file(data: bytes) -> list[ReceiptKey]:
    """The keys of a file. Raises InvalidKeyFileError for anything but what `write_key_file` wrote.

    A member that is not known is refused: it might say what this program would have to heed.
    """
    if len(data) > KEY_FILE_BYTES_MAX:
        raise InvalidKeyFileError
    try:
        content = json.loads(data)
        if set(content) != {"format", "keys"} or content["format"] != FORMAT:
            raise InvalidKeyFileError
        if not 1 <= len(content["keys"]) <= KEYS_MAX:
            raise InvalidKeyFileError
        keys = [_key(**row) for row in content["keys"]]
    except (ValueError, TypeError, KeyError, RecursionError, InvalidKeyError):
        raise InvalidKeyFileError from None
    if len({(key.issuer, key.number) for key in keys}) != len(keys):
        raise InvalidKeyFileError
    return keys


def fingerprint(keys: Sequence[ReceiptKey]) -> str:
    """What people compare: SM3 over the file's bytes, the first 16 bytes in hex by fours."""
    digits = sm3.digest(write_key_file(keys)).hex()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, 32, 4))


def _key(
    *,
    issuer: Any,
    number: Any,
    public_key: Any,
    state: Any,
    active_from: Any,
    active_until: Any,
) -> ReceiptKey:
    if type(issuer) is not int or type(number) is not int:
        raise InvalidKeyFileError
    return ReceiptKey(
        issuer=issuer,
        number=number,
        public_key=sm2.PublicKey.from_bytes(bytes.fromhex(public_key)),
        state=KeyState(state),
        active_from=_instant(active_from),
        active_until=_instant(active_until),
    )


def _instant(value: Any) -> datetime | None:
    if value is None:
        return None
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise InvalidKeyFileError
    return at
