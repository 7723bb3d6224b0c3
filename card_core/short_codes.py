"""Short codes (短码): 28 digits that stand for a long code, for whatever reads no QR pictures.

One-dimensional scanner guns read them as Code 128, and old programs take 28 digits in a field. A
short code is a second name of its long code and nothing else: it is looked up, and from then on
the long code is checked and spent, so that of both names one is accepted once. Without the
service it says nothing.

28 digits drawn at random are not guessed: with a million of them alive, a guess hits once in
10^22. A long code has another length, so that the two are never taken for each other.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from card_core import codes
from card_core.codes.short_text import SHORT_CODE_DIGITS
from card_core.kernel import Kernel
from card_core.store import Store
from card_core.store import short_codes as stored
from card_core.store.short_codes import ShortCode

# As long as the long code may still be accepted, and that second itself.
_KEPT: Final = timedelta(seconds=codes.CODE_LIFE_SECONDS + codes.ONLINE_SKEW_SECONDS + 1)


class ShortCodes:
    """Names codes, and finds what a name stands for."""

    def __init__(
        self, store: Store, kernel: Kernel, *, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._store = store
        self._kernel = kernel
        self._random_bytes = random_bytes

    def name(self, code: str, *, holder_id: str, minted_at: datetime) -> str:
        """Return a new short code for an online code of the holder.

        Raises TooManyShortCodesError, StoreError.
        """
        # 128 random bits leave 28 digits uneven by less than one in 2^34.
        number = int.from_bytes(self._random_bytes(16)) % 10**SHORT_CODE_DIGITS
        text = f"{number:0{SHORT_CODE_DIGITS}d}"
        self._kernel.keep_short_code(ShortCode(text, code, holder_id, minted_at + _KEPT))
        return text

    def find_code(self, text: str) -> str | None:
        """The long code that a short one stands for, to be checked like any other.

        None for one that never was, and for one that is long over: the two are not told apart.
        Raises StoreError.
        """
        with self._store.read() as tx:
            return stored.find_code(tx, text)
