"""Pseudonyms: the name under which one institution knows one holder again, and nobody else does.

The same holder is another pseudonym at every institution, so that two that lay their records side
by side find nobody in common. Without the installation's key none leads back to a holder.
"""

from typing import Final

from crypto import sm3

KEY_SIZE_BYTES: Final = 32
PSEUDONYM_SIZE_BYTES: Final = 16
SALT_SIZE_BYTES: Final = 16
_HOLDER: Final = b"sscard/pseudonym/v1\0"
_CLERK: Final = b"sscard/clerk-salt/v1\0"


class Pseudonyms:
    """Everything that is derived for being shown outside, under one key of the installation.

    key: 32 bytes; changing it changes every pseudonym. Raises ValueError for another size.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE_BYTES:
            raise ValueError(f"the pseudonym key has {KEY_SIZE_BYTES} bytes")
        self._key = key

    def of(self, holder_id: str, institution_id: str) -> bytes:
        """16 bytes: the holder as this institution knows it, for good.

        HMAC-SM3 over both ids, 32 characters each; a zero byte keeps them apart in any case.
        """
        joined = institution_id.encode() + b"\0" + holder_id.encode()
        return sm3.hmac(self._key, _HOLDER + joined)[:PSEUDONYM_SIZE_BYTES]

    def clerk_salt(self, scan_id: str) -> bytes:
        """16 bytes: the salt of the clerk's commitment in this scan's receipt.

        It can be derived again as long as the key is there, so no row keeps it.
        """
        return sm3.hmac(self._key, _CLERK + scan_id.encode())[:SALT_SIZE_BYTES]
