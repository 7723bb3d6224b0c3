"""How far a batch's issuing is, read from its ledger: the same for whoever asks, from wherever."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from card_core.states import BatchState
from card_core.store.batches import Batch, Chunk

# The rate is that of the chunks of so long; where none ended in it, nobody is at work.
RATE_OF = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """issued, accepted: cards. rate: cards a second, by all who issue; None where nobody does.

    seconds_left: at that rate.
    """

    issued: int
    accepted: int
    rate: float | None
    seconds_left: float | None


def progress_of(batch: Batch, ledger: Sequence[Chunk], now: datetime) -> BatchProgress:
    """ledger: the chunks of `batch`, read with it. now: aware."""
    ended = sorted(
        (one.issued_at, one.size)
        for one in ledger
        if one.issued_at is not None and one.issued_at > now - RATE_OF
    )
    rate = seconds_left = None
    if batch.state is BatchState.RELEASED and len(ended) > 1:
        # From the end of the first chunk to now: what was done before it is not known.
        seconds = max((now - ended[0][0]).total_seconds(), 0.001)
        rate = sum(size for _, size in ended[1:]) / seconds
        seconds_left = (batch.accepted - batch.issued) / rate
    return BatchProgress(batch.issued, batch.accepted, rate, seconds_left)
