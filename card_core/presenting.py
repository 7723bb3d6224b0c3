"""From a checked code to what steps 7 and 8 need of it: whose e-card, and which nonce.

The box of an online code is opened here, behind the check of its signature and before any
transaction. Nothing that is found here is believed about the card: its row is read later.
"""

from datetime import date, timedelta
from typing import Final

from card_core import codes
from card_core.codes import CheckedCode
from card_core.kernel.box_keys import BoxKeyWrap, box_day
from card_core.kernel.offline_codes import present_offline_code
from card_core.presented import Medium, Presented
from card_core.store import Store, box_keys
from card_core.verdicts import Reason

# Codes live a minute: around midnight two days' keys are in use.
DAYS_KEPT: Final = 4

_ONLINE_USABLE = timedelta(seconds=codes.CODE_LIFE_SECONDS + codes.ONLINE_SKEW_SECONDS + 1)


class Presenter:
    """Opens the boxes of online codes; keeps the keys of a few days. Safe in many threads."""

    def __init__(self, store: Store, wrap: BoxKeyWrap) -> None:
        self._store = store
        self._wrap = wrap
        self._keys: dict[date, bytes] = {}

    def present(self, checked: CheckedCode) -> Presented | None:
        """What a genuine online code presents; None where it names no e-card of ours.

        The database is asked for a day's key once. Raises StoreError, TamperedRowError.
        """
        if checked.box is None:
            return None
        key = self._key(box_day(checked.minted_at))
        if key is None:
            return None
        ecard_id, nonce = codes.open_box(key, checked.box)
        return Presented(
            medium=Medium.ONLINE_CODE,
            issuer=checked.issuer,
            minted_at=checked.minted_at,
            usable_until=checked.minted_at + _ONLINE_USABLE,
            nonce=nonce,
            ecard_id=ecard_id,
            purpose_class=checked.purpose_class,
            for_whom=checked.for_whom,
            presence=checked.presence,
        )

    def present_offline(self, checked: CheckedCode) -> Presented | Reason:
        """What a phone's own code presents, or why it presents nothing; asks the database.

        Raises StoreError, TamperedRowError; ValueError for an online code.
        """
        with self._store.read() as tx:
            return present_offline_code(tx, checked)

    def _key(self, day: date) -> bytes | None:
        key = self._keys.get(day)
        if key is not None:
            return key
        with self._store.read() as tx:
            wrapped = box_keys.get(tx, day)
        if wrapped is None:
            return None
        key = self._wrap.unwrap(day, wrapped)
        kept = sorted({**self._keys, day: key}.items())[-DAYS_KEPT:]
        self._keys = dict(kept)
        return key
