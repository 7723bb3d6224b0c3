"""The day's code box key (SM4), wrapped for the database.

A box key seals the holder reference inside online codes of one UTC day, the day of the code's
signed minted_at, so that minting and scanning find the same key with no other agreement. It is
stored only as SM4-GCM under the wrapping key, with the day as associated data: a key moved to
another day is refused.
"""

from datetime import UTC, date, datetime

from card_core.errors import TamperedRowError
from crypto import DecryptionError, sm4

BOX_KEY_SIZE_BYTES = 16
WRAPPED_SIZE_BYTES = 12 + BOX_KEY_SIZE_BYTES + 16


def box_day(minted_at: datetime) -> date:
    """The UTC day whose box key serves a code. minted_at: aware."""
    return minted_at.astimezone(UTC).date()


class BoxKeyWrap:
    """Wraps and opens box keys; holds the wrapping key (16 bytes)."""

    def __init__(self, wrapping_key: bytes) -> None:
        self._gcm = sm4.Gcm(wrapping_key)

    def wrap(self, day: date, box_key: bytes, nonce: bytes) -> bytes:
        """nonce: 12 random bytes. Returns nonce, ciphertext and tag, WRAPPED_SIZE_BYTES long."""
        return nonce + self._gcm.encrypt(nonce, box_key, _associated(day))

    def unwrap(self, day: date, wrapped: bytes) -> bytes:
        """Raises TamperedRowError if it was changed, or wrapped for another day or key."""
        try:
            return self._gcm.decrypt(wrapped[:12], wrapped[12:], _associated(day))
        except (DecryptionError, ValueError):
            raise TamperedRowError("code_box_keys", day.isoformat()) from None


def _associated(day: date) -> bytes:
    return b"sscard/box-key/v1|" + day.isoformat().encode()
