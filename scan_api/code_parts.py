"""What a code says by its bytes alone, before or without any check: its name, and when it was made.

Nothing is believed for it. The name finds a code again at this terminal; the time serves for a
sentence about the phone's clock, after the signature over it was found good.
"""

from datetime import UTC, datetime
from typing import Final

from crypto import sm3

_MARKER: Final = "7406"
_ONLINE, _OFFLINE = 103, 203
_BYTES_BY_LENGTH: Final = {253: _ONLINE, 493: _OFFLINE}


def code_name(text: str) -> bytes:
    """One name for all codes with the same holder or phone, time and nonce, whatever else they say;
    for what is no code, of its text."""
    data = _bytes_of(text)
    if data is None:
        return b"text" + sm3.digest(text.encode())
    if len(data) == _ONLINE:
        return b"online" + data[1:3] + data[4:8] + data[23:39]
    return b"offline" + data[1:3] + data[16:49] + data[113:117] + data[120:128]


def phone_time(text: str) -> datetime | None:
    """When the phone made an offline code, by the phone's clock; None for any other text."""
    data = _bytes_of(text)
    if data is None or len(data) != _OFFLINE:
        return None
    return datetime.fromtimestamp(int.from_bytes(data[113:117]), UTC)


def _bytes_of(text: str) -> bytes | None:
    size = _BYTES_BY_LENGTH.get(len(text))
    if size is None or not (text.isascii() and text.isdigit() and text.startswith(_MARKER)):
        return None
    number = int(text[len(_MARKER) :])
    return None if number >> (8 * size) else number.to_bytes(size)
