"""Handing the outbox's events on: each to every consumer at least once, in order, whatever dies.

    relay = Relay(kernel, "notifications", consumer, chains=("bureau", "scan"))
    relay.round()          # again and again; any number of processes may do so

A relay reads behind the consumer's position, gives it a page, and moves the position when the
consumer has taken it. A process that dies in between gives the page again: consumers know an event
by its chain and number. Each relay gives events without gaps from a position that was confirmed, so
that whatever a consumer sees for the first time it sees in the order of commits, also where two
relays overlap.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from card_core.kernel import Kernel, card_pushes
from card_core.store import audit, outbox
from card_core.store.outbox import Event
from card_core.store.paging import PAGE_SIZE_MAX

EVERY_SECONDS: Final = 0.5
# A round ends here; the next one goes on.
PAGES_A_ROUND_MAX: Final = 100
# What a consumer of the fast store gets: scans change no card.
CARD_CHAIN: Final = "bureau"


class Consumer(Protocol):
    """Somebody who is told. begins_at_end: what happened before the first round is of no use."""

    begins_at_end: bool

    def take(self, events: Sequence[Event]) -> None:
        """Return when these are taken for good. Whatever it raises, all of them come again."""


class Relay:
    """name: of the consumer, by which its position is kept; 1 to 32 characters."""

    def __init__(
        self, kernel: Kernel, name: str, consumer: Consumer, *, chains: Sequence[str] = audit.CHAINS
    ) -> None:
        self._kernel = kernel
        self._name = name
        self._consumer = consumer
        self._chains = chains

    def round(self) -> int:
        """Hand on what waits, and return how many events were taken.

        A chain that fails does not hold up the others. Raises the first failure, and StoreError.
        """
        taken, failure = 0, None
        for chain in self._chains:
            try:
                taken += self._relay(chain)
            except Exception as error:  # noqa: BLE001 - raised below, after the other chains
                failure = failure or error
        if failure is not None:
            raise failure
        return taken

    def _relay(self, chain: str) -> int:
        taken, after = 0, self._begin(chain)
        for _ in range(PAGES_A_ROUND_MAX):
            with self._kernel.store.read() as tx:
                events = outbox.page(tx, chain, after=after)
            if not events:
                break
            self._consumer.take(events)
            after = events[-1].seq
            self._kernel.advance_outbox(self._name, chain, after)
            taken += len(events)
            if len(events) < PAGE_SIZE_MAX:
                break
        return taken

    def _begin(self, chain: str) -> int:
        with self._kernel.store.read() as tx:
            position = outbox.position(tx, self._name, chain)
            if position is not None:
                return position
            start = outbox.last(tx, chain) if self._consumer.begins_at_end else 0
        # Noted at once: from here on nothing that this consumer has not taken is swept.
        self._kernel.advance_outbox(self._name, chain, start)
        return start


class CardPushes:
    """The fast store as a consumer: it hears of cards whose change was committed by a process that
    died before it could tell (`kernel.card_pushes`), within a second of the next round."""

    begins_at_end = True

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def take(self, events: Sequence[Event]) -> None:
        """Raises CardPushError."""
        pusher = self._kernel.card_pusher
        if pusher is None:
            return
        with self._kernel.store.read() as tx:
            changes = audit.changes(tx, events[0].chain, events[0].seq, events[-1].seq)
            card_ids = card_pushes.changed_by(tx, changes)
        card_pushes.push(self._kernel.store, pusher, card_ids)
