"""Ending temporary losses whose time is over, again and again, in the background of a service."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from card_core.errors import TamperedRowError, TooEarlyError, WrongStateError
from card_core.kernel import Actor, ActorKind, Kernel
from card_core.kernel.acts.cards import LapseTemporaryLoss
from card_core.store import cards
from card_core.store.paging import PAGE_SIZE_MAX

EVERY_SECONDS: Final = 60
# A round ends here; the next one goes on.
PAGES_A_ROUND_MAX: Final = 50
_LAPSING: Final = Actor(ActorKind.SYSTEM, "loss-lapsing")

_log = logging.getLogger("sscard.lapsing")


class LossLapser:
    """Several processes may each have one: a loss lapses once, whoever comes first."""

    def __init__(self, kernel: Kernel, *, clock: Callable[[], datetime]) -> None:
        self._kernel = kernel
        self._clock = clock

    def round(self) -> int:
        """End the losses that have lapsed and return how many this call ended.

        A card whose loss was withdrawn, made formal or reported anew since it was found is left as
        it is. A row that fails its HMAC is logged and does not hold up the others.
        Raises StoreError where the database can't be asked.
        """
        lapsed, after = 0, ""
        for _ in range(PAGES_A_ROUND_MAX):
            with self._kernel.store.read() as tx:
                found = cards.lapsing(tx, self._clock(), after=after, limit=PAGE_SIZE_MAX)
            lapsed += sum(map(self._lapse, found))
            if len(found) < PAGE_SIZE_MAX:
                break
            after = found[-1]
        return lapsed

    def _lapse(self, card_id: str) -> bool:
        request_id = self._kernel.random_bytes(16).hex()
        try:
            self._kernel.perform(LapseTemporaryLoss(card_id), actor=_LAPSING, request_id=request_id)
        except (TooEarlyError, WrongStateError):
            return False
        except TamperedRowError as error:
            _log.error('{"event": "lapse_failed", "error": "%s"}', error.code)
            return False
        return True
