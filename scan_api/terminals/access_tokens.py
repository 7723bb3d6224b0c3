"""Access tokens: what a terminal shows instead of a signature where nothing is consumed.

    version (1) serial number (8) key name (8) expires at (5) random (9) HMAC-SM3 (32), base64url

Nothing is kept of them: every process of the installation checks a token by the key that they
share, without the database. What ends a token early is the registry: a terminal that is suspended,
or whose key has ended, is refused there. Another installation has another key, and another name for
itself, which assertions must give as their audience.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from card_core.store import FieldCipher
from crypto import sm3

LIFE_SECONDS = 600
CACHED_MAX = 4096
_VERSION = b"\x01"
_RANDOM_BYTES = 9
_TAG_BYTES = 32
# 63 bytes fill their base64 to the last bit: a token has one spelling.
_TOKEN = re.compile(rb"[A-Za-z0-9_-]{84}")


class InvalidTokenError(Exception):
    """Not a token of this installation. Says nothing more."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a genuine token says. expires_at: Unix seconds; at that instant it is over."""

    serial_number: bytes
    key_name: bytes
    expires_at: int


class AccessTokens:
    """Issues and reads tokens; safe in many threads."""

    def __init__(self, cipher: FieldCipher, *, random_bytes: Callable[[int], bytes]) -> None:
        self.audience = "sscard-" + cipher.keyed_digest([b"installation name"])[:8].hex()
        self._key = cipher.keyed_digest([b"access token key"])
        self._random_bytes = random_bytes
        self._cached: dict[bytes, AccessToken] = {}

    def issue(self, serial_number: bytes, key_name: bytes, now: datetime) -> str:
        expires_at = int(now.timestamp()) + LIFE_SECONDS
        content = _VERSION + serial_number + key_name + expires_at.to_bytes(5)
        content += self._random_bytes(_RANDOM_BYTES)
        return base64.urlsafe_b64encode(content + sm3.hmac(self._key, content)).decode()

    def read(self, text: bytes) -> AccessToken:
        """What a token says, expired or not. Raises InvalidTokenError."""
        token = self._cached.get(text)
        if token is None:
            token = self._check(text)
            if len(self._cached) >= CACHED_MAX:
                self._cached.clear()
            self._cached[text] = token
        return token

    def _check(self, text: bytes) -> AccessToken:
        if not _TOKEN.fullmatch(text):
            raise InvalidTokenError
        data = base64.urlsafe_b64decode(text)
        content, tag = data[:-_TAG_BYTES], data[-_TAG_BYTES:]
        try:
            sm3.hmac_verify(self._key, content, tag)
        except sm3.InvalidMacError:
            raise InvalidTokenError from None
        if content[:1] != _VERSION:
            raise InvalidTokenError
        return AccessToken(content[1:9], content[9:17], int.from_bytes(content[17:22]))
