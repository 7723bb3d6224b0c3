"""The fast store in the memory of one process, where that process is the only one that scans.

It is as exclusive as an epoch is: the epoch's one node is this process. Which of two processes
tries is decided by a row that the owner touches every second; that it is dead is no more than a
guess, and where the guess is wrong, the epoch and its leases are still right.
"""

import contextlib
import threading
from collections.abc import Callable
from datetime import timedelta

from card_core.errors import FastStoreAwayError, InDoubtError, StoreError
from card_core.fast_store import layout
from card_core.fast_store.keeper import Keeper
from card_core.fast_store.lease import Lease
from card_core.fast_store.outcomes import NoCard, Outcome, Refused, Repeated, Spent, Ticket, Used
from card_core.fast_store.readiness import Hindrance
from card_core.fast_store.servers import Survey
from card_core.kernel import Kernel
from card_core.store.epochs import Node

TOUCH_SECONDS = 1.0
STALE_AFTER = timedelta(seconds=3)
CARDS_MAX = 200_000
# What the mastership of a server is for Redis: this process has only one life.
_ONE_LIFE = "process"


class ProcessMemory:
    """Marks and cards of this process. Everything is done under one lock, for microseconds.

    owner: 32 hex, this process's own.
    """

    def __init__(self, kernel: Kernel, owner: str, *, monotonic: Callable[[], float]) -> None:
        self._kernel = kernel
        self._owner = owner
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._touched_at: float | None = None
        self._name = b""
        self._marks: dict[int, dict[bytes, bytes]] = {}
        self._cards: dict[int, tuple[int, int, bytes, float]] = {}

    @property
    def node(self) -> Node:
        return Node(self._owner, _ONE_LIFE)

    def survey(self) -> Survey:
        """Raises StoreError."""
        now = self._monotonic()
        if self._touched_at is None or now - self._touched_at >= TOUCH_SECONDS:
            held = self._kernel.hold_fast_store(self._owner, stale_after=STALE_AFTER)
            self._touched_at = now if held else None
        if self._touched_at is None:
            return Survey(frozenset(), Hindrance.TAKEN)
        return Survey(frozenset({self.node}))

    def forget(self) -> None:
        self._touched_at = None

    def make_buckets(self, name: str, since: int, until: int, *, now: float) -> None:
        with self._lock:
            if name.encode() != self._name:
                self._name, self._marks, self._cards = name.encode(), {}, {}
            starts = layout.bucket_starts(since, until)
            if any(start in self._marks for start in starts):
                raise InDoubtError("buckets")
            kept = now - layout.BUCKET_SECONDS - layout.BUCKET_KEPT_SECONDS
            for start in [start for start in self._marks if start < kept]:
                del self._marks[start]
            self._marks |= {start: {} for start in starts}

    def push(self, name: str, nodes: frozenset[Node], ecard_id: int, version: int) -> None:
        """Raises InDoubtError where the epoch is another process's."""
        with self._lock:
            if self.node not in nodes or name.encode() != self._name:
                raise InDoubtError("node")
            there = self._cards.get(ecard_id)
            if there is None or there[0] < version:
                self._keep(ecard_id, version, layout.STATE_UNKNOWN, b"", layout.RECORD_KEPT_SECONDS)

    def close(self) -> None:
        """Let another process take over at once."""
        if self._touched_at is not None:
            self._touched_at = None
            with contextlib.suppress(StoreError):  # then the other one waits until we are stale
                self._kernel.release_fast_store(self._owner)

    def spend(
        self, lease: Lease, ecard_id: int, minted_at: int, nonce: bytes, request_tag: bytes
    ) -> Outcome | None:
        """None for a bucket that is not there."""
        now = self._monotonic()
        with self._lock:
            marks = self._marks.get(minted_at - minted_at % layout.BUCKET_SECONDS)
            if lease.name != self._name or marks is None:
                return None
            _, state, sealed, kept_until = self._cards.get(ecard_id, _NO_CARD)
            tag = marks.get(nonce)
            if tag == request_tag:
                return Repeated(sealed)
            if state == layout.STATE_UNKNOWN or now >= kept_until:
                return NoCard(Ticket(ecard_id, lease.name, int(now * 1000)))
            if state != layout.STATE_USABLE:
                return Refused(state, sealed)
            if tag is not None:
                return Used()
            marks[nonce] = request_tag
            return Spent(sealed)

    def put(
        self, ticket: Ticket, version: int, state: int, sealed: bytes, kept_seconds: int
    ) -> bool:
        with self._lock:
            waited_ms = self._monotonic() * 1000 - ticket.missed_at_ms
            if ticket.epoch != self._name or waited_ms > layout.LOAD_SECONDS_MAX * 1000:
                return False
            there = self._cards.get(ticket.ecard_id)
            if there is not None and (
                there[0] > version or (there[0] == version and there[1] != layout.STATE_UNKNOWN)
            ):
                return False
            self._keep(ticket.ecard_id, version, state, sealed, kept_seconds)
            return True

    def _keep(
        self, ecard_id: int, version: int, state: int, sealed: bytes, kept_seconds: int
    ) -> None:
        self._cards.pop(ecard_id, None)
        if len(self._cards) >= CARDS_MAX:
            self._make_room()
        kept_until = self._monotonic() + kept_seconds
        self._cards[ecard_id] = (version, state, sealed, kept_until)

    def _make_room(self) -> None:
        """Drop what has expired.

        Raises FastStoreAwayError where nothing has: a card's latest version is not forgotten early.
        """
        now = self._monotonic()
        self._cards = {one: card for one, card in self._cards.items() if card[3] > now}
        if len(self._cards) >= CARDS_MAX:
            raise FastStoreAwayError("full")


_NO_CARD = (0, layout.STATE_UNKNOWN, b"", 0.0)


class ProcessFastStore:
    """See `card_core.fast_store.FastStore`."""

    def __init__(self, kernel: Kernel, *, monotonic: Callable[[], float]) -> None:
        owner = kernel.random_bytes(16).hex()
        self.memory = ProcessMemory(kernel, owner, monotonic=monotonic)
        self.keeper = Keeper(kernel, self.memory, monotonic=monotonic)
        self._monotonic = monotonic

    async def start(self) -> None:
        self.keeper.start()

    async def close(self) -> None:
        self.keeper.stop()

    def lease_seconds(self) -> float | None:
        return self.keeper.lease_seconds()

    def ready(self) -> Hindrance | None:
        if self.keeper.hindrance is not None:
            return self.keeper.hindrance
        lease = self.keeper.lease
        if lease is None or self._monotonic() >= lease.ends_at:
            return Hindrance.NO_LEASE
        return None if self.memory.node in lease.nodes else Hindrance.TAKEN

    async def spend(
        self, ecard_id: int, minted_at: int, nonce: bytes, request_tag: bytes
    ) -> Outcome:
        layout.check_spending(nonce, request_tag)
        now = self._monotonic()
        lease = self._lease(now)
        if not lease.covers(minted_at, now):
            raise InDoubtError("not_of_this_epoch")
        outcome = self.memory.spend(lease, ecard_id, minted_at, nonce, request_tag)
        if outcome is None:
            self.keeper.doubt(lease.number, "bucket")
            raise InDoubtError("bucket")
        return outcome

    async def put_card(
        self,
        ticket: Ticket,
        version: int,
        state: int,
        sealed: bytes,
        *,
        kept_seconds: int = layout.RECORD_KEPT_SECONDS,
    ) -> bool:
        layout.check_record(state, sealed, kept_seconds)
        self._lease(self._monotonic())
        return self.memory.put(ticket, version, state, sealed, kept_seconds)

    def _lease(self, now: float) -> Lease:
        lease = self.keeper.lease
        if lease is None or now >= lease.ends_at or self.memory.node not in lease.nodes:
            raise FastStoreAwayError("no_lease")
        return lease
