"""Challenges (读卡挑战): the two random values that a chip answers to, bound to one terminal.

No row is kept for one: the name of a challenge holds all of it behind an HMAC, so that any process
takes what another gave out and nobody fills a table by asking. That it is used once is the nonce's
work: its 8 random bytes are spent with the scan, like a code's.

    name = issued_at (4) | session_factor (8) | value (8) | tag (16), in lower-case hexadecimal
    tag  = the first 16 bytes of HMAC-SM3(key, "sscard/card-challenge/v1" | terminal | the 20 bytes)
"""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from crypto import sm3

CHALLENGE_KEY: Final = "card_challenge"
"""The key provider's name for the key under challenges, 32 bytes."""
CHALLENGE_LIFE_SECONDS: Final = 60
CHALLENGE_RANDOM_SIZE_BYTES: Final = 16
CLOCK_SKEW_SECONDS: Final = 5
"""How far the clocks of two processes of one service may be apart."""

_CONTEXT: Final = b"sscard/card-challenge/v1"
_KEY_SIZE: Final = 32
_TAG_SIZE: Final = 16
_BODY_SIZE: Final = 20
_is_name = re.compile(r"[0-9a-f]{72}").fullmatch


class ChallengeError(Exception):
    """The challenge is not ours, not this terminal's, or too old; not told apart."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """session_factor, value: 8 bytes each, together what the card is sent (00 88 00 00 10).

    value is the once-only part. issued_at: aware, UTC, whole seconds. name: 72 hex digits.
    """

    name: str
    session_factor: bytes
    value: bytes
    issued_at: datetime

    @property
    def expires_at(self) -> datetime:
        """Aware; at this instant it is too old."""
        return self.issued_at + timedelta(seconds=CHALLENGE_LIFE_SECONDS)


class Challenges:
    """Gives challenges out and takes them back; keeps nothing but its key."""

    def __init__(self, key: bytes) -> None:
        """key: 32 bytes. Raises ValueError."""
        if len(key) != _KEY_SIZE:
            raise ValueError("the challenge key has 32 bytes")
        self._key = key

    def make(self, terminal: bytes, now: datetime, random: bytes) -> Challenge:
        """A challenge for the terminal with this serial number (8 bytes).

        random: CHALLENGE_RANDOM_SIZE_BYTES, never used before. Raises ValueError.
        """
        if len(random) != CHALLENGE_RANDOM_SIZE_BYTES:
            raise ValueError("a challenge is made of 16 random bytes")
        body = int(now.timestamp()).to_bytes(4) + random
        return _challenge(body, (body + self._tag(terminal, body)).hex())

    def open(self, name: str, terminal: bytes, now: datetime) -> Challenge:
        """The challenge of this name, if it was given to this terminal and is still good.

        Raises ChallengeError.
        """
        if _is_name(name) is None:
            raise ChallengeError
        content = bytes.fromhex(name)
        body, tag = content[:_BODY_SIZE], content[_BODY_SIZE:]
        if not hmac.compare_digest(tag, self._tag(terminal, body)):
            raise ChallengeError
        challenge = _challenge(body, name)
        too_early = challenge.issued_at - timedelta(seconds=CLOCK_SKEW_SECONDS)
        if not too_early <= now < challenge.expires_at:
            raise ChallengeError
        return challenge

    def _tag(self, terminal: bytes, body: bytes) -> bytes:
        """All parts have fixed lengths, so that no two lists of them give the same bytes."""
        if len(terminal) != 8:
            raise ValueError("a terminal's serial number has 8 bytes")
        return sm3.hmac(self._key, _CONTEXT + terminal + body)[:_TAG_SIZE]


def _challenge(body: bytes, name: str) -> Challenge:
    issued_at = datetime.fromtimestamp(int.from_bytes(body[:4]), UTC)
    return Challenge(name, body[4:12], body[12:20], issued_at)
