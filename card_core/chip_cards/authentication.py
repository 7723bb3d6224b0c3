"""Internal authentication (内部认证): whether the chip has the key that only its own card has.

    region key   diversify(authentication key, region, packed and filled with F to 8 bytes)
    card key     diversify(region key, card number read in base 36, 8 bytes)
    session key  diversify(card key, session factor)
    cryptogram   SM4(session key, challenge | 80 00 00 00 00 00 00 00)

`diversify` is the card standard's (crypto.sm4). Both factors are known before a card is made, so
that its key can be, too. The authentication keys are those of internal authentication alone: what
can personalise a card is never where scans are checked.
"""

import hmac
import re
from typing import Final, Protocol

from card_core.chip_cards.challenges import Challenge
from crypto import sm4
from crypto.keys import KeyProvider

CRYPTOGRAM_SIZE_BYTES: Final = 16
KEYS_OF_A_SCOPE_MAX: Final = 8

_NAME: Final = re.compile(r"card_authentication\.([0-9]{6})\.([0-9]{1,3})")
_PADDING: Final = bytes.fromhex("8000000000000000")
_NOBODYS_KEY: Final = bytes(sm4.KEY_SIZE)


class CardNotGenuineError(Exception):
    """The chip did not prove itself. Says nothing of what was wrong, or whose card it would be."""


class CardAuthentication(Protocol):
    """Checks cryptograms. A hardware module (加密机, PSAM) is another one of these."""

    def verify(
        self, region: str, card_number: str, challenge: Challenge, cryptogram: bytes
    ) -> None:
        """region: six digits. card_number: 9 characters of A-Z and 0-9. cryptogram: 16 bytes.

        May be called by many threads. Raises CardNotGenuineError, whatever is wrong.
        """
        ...


def card_authentication_key(scope: str, number: int) -> str:
    """The key provider's name for an authentication key of 16 bytes.

    scope: the region whose cards it serves, six digits of GB/T 2260: 440604 a county, 440600 a
    prefecture, 440000 a province, 000000 everywhere. number: cards live ten years, and those of
    several generations of keys are in use at once.
    """
    return f"card_authentication.{scope}.{number}"


def card_key(authentication_key: bytes, region: str, card_number: str) -> bytes:
    """The 16 bytes that one card's chip authenticates itself with."""
    return sm4.diversify(region_key(authentication_key, region), card_factor(card_number))


def region_key(master_key: bytes, region: str) -> bytes:
    """The 16 bytes from which all card keys of a region are diversified. region: six digits."""
    return sm4.diversify(master_key, bytes.fromhex(region + "F" * 10))


def card_factor(card_number: str) -> bytes:
    """The factor, 8 bytes, that tells a card's keys from those of its region's other cards."""
    return int(card_number, 36).to_bytes(8)


def cryptogram_of(key: bytes, challenge: Challenge) -> bytes:
    """What the chip with this card key answers to the challenge, 16 bytes."""
    session_key = sm4.diversify(key, challenge.session_factor)
    return sm4.encrypt_block(session_key, challenge.value + _PADDING)


class SoftwareCardAuthentication:
    """Checks cryptograms with keys from a key provider; a `CardAuthentication`.

    For demonstration and for bureaus without a module: it reads its own keys once and nothing else.
    """

    def __init__(self, keys: KeyProvider) -> None:
        """Raises ValueError for a key of another size, and for too many of one scope."""
        by_scope: dict[str, list[bytes]] = {}
        for name in keys.names():
            match = _NAME.fullmatch(name)
            if match is None:
                continue
            secret = keys.secret(name)
            if len(secret) != sm4.KEY_SIZE:
                raise ValueError(f"{name} has {sm4.KEY_SIZE} bytes")
            by_scope.setdefault(match[1], []).append(secret)
        if any(len(found) > KEYS_OF_A_SCOPE_MAX for found in by_scope.values()):
            raise ValueError(f"a region has at most {KEYS_OF_A_SCOPE_MAX} authentication keys")
        self._by_scope = {scope: tuple(found) for scope, found in by_scope.items()}

    def verify(
        self, region: str, card_number: str, challenge: Challenge, cryptogram: bytes
    ) -> None:
        found = self._keys_for(region)
        # A stranger's card costs the same work, so that the time does not tell whose card it is.
        right = False
        for key in found or (_NOBODYS_KEY,):
            expected = cryptogram_of(card_key(key, region, card_number), challenge)
            right |= hmac.compare_digest(expected, cryptogram)
        if not (found and right):
            raise CardNotGenuineError

    def _keys_for(self, region: str) -> tuple[bytes, ...]:
        """Those of the narrowest scope that has any: county, prefecture, province, everywhere."""
        for digits in (6, 4, 2, 0):
            found = self._by_scope.get(region[:digits].ljust(6, "0"))
            if found:
                return found
        return ()

    def __repr__(self) -> str:
        return f"<SoftwareCardAuthentication of {len(self._by_scope)} scopes>"
