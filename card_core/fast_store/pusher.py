"""Telling the fast store that a card has changed, for whoever changes cards.

    pusher.push_card(ecard_id, version)      after the commit, from any thread

What is pushed is only that everything up to this version is out of date: the next scan of the card
loads it from the database. So a push that comes late does no harm, whatever happened meanwhile.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from card_core.errors import FastStoreError
from card_core.fast_store import layout
from card_core.fast_store.keeper import ACTOR
from card_core.fast_store.lease import SETTLE_SECONDS
from card_core.kernel import Kernel
from card_core.kernel.acts.epochs import LEASE_SECONDS, CloseEpoch
from card_core.store import epochs
from card_core.store.epochs import Epoch, Node

PUSHES_MAX = 5
# How long ago a closing must be to be surely over, by a clock that may have been set.
LONG_CLOSED = timedelta(seconds=30)
_WAIT_SECONDS = LEASE_SECONDS + SETTLE_SECONDS


class PushBacking(Protocol):
    """Raises FastStoreError where the mark could not be set on a node of the epoch."""

    def push(self, name: str, nodes: frozenset[Node], ecard_id: int, version: int) -> None: ...


class CardPusher:
    """wait: blocks for so many seconds."""

    def __init__(
        self,
        kernel: Kernel,
        backing: PushBacking,
        *,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._kernel = kernel
        self._backing = backing
        self._wait = threading.Event().wait if wait is None else wait
        self._turn = threading.Lock()

    def push_card(self, ecard_id: int, version: int) -> None:
        """Return when no worker uses what it knew of the card before `version` any more.

        Mostly after a round trip. Where the fast store is away, the epoch is closed instead, and
        the leases on it run out: that takes 3 s.
        version: of card and e-card together (the sum of both rows' versions), as `put_card` takes.
        Raises StoreError: then nothing is known, and the same call is to be made again.
        """
        for _ in range(PUSHES_MAX):
            epoch, now = self._read()
            if epoch is None or not epoch.is_open:
                if epoch is not None and abs(now - epoch.closed_at) < LONG_CLOSED:
                    self._wait(_WAIT_SECONDS)
                return
            if not self._pushed(epoch, ecard_id, version):
                break
            # A load under an epoch that is opened from here on reads what was committed before.
            again, _ = self._read()
            if again is not None and again.is_open and again.name == epoch.name:
                return
        self._close()

    def _pushed(self, epoch: Epoch, ecard_id: int, version: int) -> bool:
        try:
            with self._turn:
                self._backing.push(epoch.name or "", epoch.nodes, ecard_id, version)
        except FastStoreError:
            return False
        return True

    def _close(self) -> None:
        for _ in range(PUSHES_MAX):
            epoch, _ = self._read()
            if epoch is None or not epoch.is_open:
                break
            act = CloseEpoch(epoch.number, layout.LAYOUT, "push")
            request_id = self._kernel.random_bytes(16).hex()
            if self._kernel.perform(act, actor=ACTOR, request_id=request_id)["closed"]:
                break
        self._wait(_WAIT_SECONDS)

    def _read(self) -> tuple[Epoch | None, datetime]:
        with self._kernel.store.read() as tx:
            now = epochs.database_time(tx)
            return epochs.get(tx), now
