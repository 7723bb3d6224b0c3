"""What comes of spending: one of five, or FastStoreAwayError, or InDoubtError."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to put a card's record, from the moment at which it was missed.

    A load that takes longer than LOAD_SECONDS_MAX, or that began under another epoch, is not kept:
    what it has read may have changed since, and the mark of that change may be forgotten.
    epoch: its name. missed_at_ms: by the clock of the server that missed it.
    """

    ecard_id: int
    epoch: bytes
    missed_at_ms: int


@dataclass(frozen=True, slots=True, repr=False)
class Spent:
    """The code was fresh and is used now. sealed: the card's record as it was put."""

    sealed: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Repeated:
    """The code was used by this very request before. sealed: empty if the card is not loaded."""

    sealed: bytes


@dataclass(frozen=True, slots=True)
class Used:
    """The code was used by another request."""


@dataclass(frozen=True, slots=True, repr=False)
class Refused:
    """The card may not be used; nothing was spent. state: the byte that was put, 2 to 255."""

    state: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class NoCard:
    """The card's record is not loaded, or is out of date; nothing was spent."""

    ticket: Ticket


Outcome = Spent | Repeated | Used | Refused | NoCard
