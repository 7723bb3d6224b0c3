"""A batch on its way from application to hand-over, for the board and for its own page."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel

from card_core.states import BatchState, MakingState, OrderState
from card_core.store.batches import Batch


class Stage(StrEnum):
    """Where most is left to do: the first in this order in which the batch has cards."""

    RELEASE = "release"
    ISSUE = "issue"
    BANK = "bank"
    MAKING = "making"
    BRANCH = "branch"
    HANDED_OVER = "handed_over"
    ENDED = "ended"


# By stage the states of cards that keep a batch there, those that failed among them.
CARDS_OF: Mapping[Stage, frozenset[MakingState]] = {
    Stage.BANK: frozenset(
        {MakingState.AWAITING_BANK, MakingState.AT_BANK, MakingState.ACCOUNT_FAILED}
    ),
    Stage.MAKING: frozenset(
        {
            MakingState.AWAITING_MAKER,
            MakingState.AT_MAKER,
            MakingState.MAKING_FAILED,
            MakingState.AWAITING_DEVICE,
            MakingState.AT_DEVICE,
            MakingState.DEVICE_FAILED,
        }
    ),
    Stage.BRANCH: frozenset({MakingState.MADE, MakingState.AT_BRANCH, MakingState.MADE_AT_ONCE}),
}
_BEFORE_ISSUING = {
    BatchState.IMPORTED: Stage.RELEASE,
    BatchState.RELEASED: Stage.ISSUE,
    BatchState.PAUSED: Stage.ISSUE,
    BatchState.REJECTED: Stage.ENDED,
}


def stage_of(batch: Batch, cards: Mapping[MakingState, int]) -> Stage:
    """cards: how many of the batch are in each state."""
    if batch.state in _BEFORE_ISSUING:
        return _BEFORE_ISSUING[batch.state]
    for stage, states in CARDS_OF.items():
        if any(cards.get(state) for state in states):
            return stage
    return Stage.HANDED_OVER if batch.issued else Stage.ENDED


class BatchCard(BaseModel):
    """One on the board. `cards`: of those that are issued, how many are in each state."""

    batch_id: str
    name: str
    state: BatchState
    stage: Stage
    accepted: int
    refused: int
    issued: int
    cards: dict[MakingState, int]
    proposed_by: str
    created_at: datetime


class BatchBoard(BaseModel):
    """`filed`, `registered`: applications by themselves that wait for a second person, and for a
    batch, counted up to 200. `next_before`: where the next page begins; null at the end."""

    batches: list[BatchCard]
    filed: int
    registered: int
    next_before: str | None


class OrderView(BaseModel):
    """A making order: what one maker makes of the batch."""

    number: int
    state: OrderState
    records: int
    made: int
    failed: int
    created_at: datetime


class BatchProgressView(BaseModel):
    """`rate`: cards a second, by all who issue; null where nobody does. `is_here`: whether this
    console issues it. `failure`: what ended the last try here."""

    state: BatchState
    issued: int
    accepted: int
    rate: float | None
    seconds_left: float | None
    is_here: bool
    failure: str | None
    failure_zh: str | None


class BatchView(BatchCard):
    content_root: str
    file_digest: str
    orders: list[OrderView]
    progress: BatchProgressView
