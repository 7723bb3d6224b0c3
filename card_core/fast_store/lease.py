"""A lease on an epoch: what a worker may believe, and until when.

Whether a code belongs to the epoch is decided by the database's time as reckoned here: the time
read with the row, and what the monotonic clock has counted since before it was read. A worker that
stood still for an hour reckons an hour too little and takes less; it never takes more.
"""

from dataclasses import dataclass

from card_core.fast_store import layout
from card_core.kernel.acts.epochs import AHEAD_SECONDS, LEASE_SECONDS
from card_core.store.epochs import Epoch, Node

# How long a spending under way at the end of a lease may take; longer ones are not believed.
SETTLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Lease:
    """ends_at: by the monotonic clock. ahead_seconds: the database's Unix time less that clock."""

    number: int
    name: bytes
    nodes: frozenset[Node]
    not_before: int
    made_until: int
    ends_at: float
    ahead_seconds: float

    @classmethod
    def of(cls, epoch: Epoch, *, read_at: float, database_at: float) -> "Lease":
        """read_at: the monotonic clock before the row was read. database_at: Unix seconds."""
        return cls(
            number=epoch.number,
            name=(epoch.name or "").encode(),
            nodes=epoch.nodes,
            not_before=epoch.not_before,
            made_until=epoch.made_until,
            ends_at=read_at + LEASE_SECONDS,
            ahead_seconds=database_at - read_at,
        )

    def covers(self, minted_at: int, now: float) -> bool:
        """Whether a code of this second may be spent in the epoch. now: by the monotonic clock."""
        database_at = now + self.ahead_seconds
        return (
            self.not_before <= minted_at <= database_at + AHEAD_SECONDS
            and minted_at + layout.CODE_USABLE_SECONDS > database_at
            and minted_at < self.made_until
        )
