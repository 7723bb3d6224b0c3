"""Figures for the people who answer for cards (统计): how many were issued, handed out, activated.

A card counts under the region, the bank and the month in which it was issued, whatever happens to
it later: so the share of a month's cards that was handed out is that month's share, and grows.

No row shows fewer than SMALL cards (防止由小数目推知个人). Of the rows that one row is broken down
into, those under SMALL go together as OTHER; where these are still too few the least of the
others joins them; OTHER is not broken down further. Where there are fewer than SMALL cards
altogether, nothing is shown. The days to hand-over of fewer than SMALL cards are left out.
What this rule does not keep from anybody: differences between figures of different days, and
between breakdowns by different things, which people compare who may read both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from typing import Final

SMALL: Final = 10
OTHER: Final = "other"
# What a row holds where it isn't broken down by a thing.
ALL: Final = "all"
# The bank of cards that were taken over, whose stock's rows are sealed.
NO_BANK: Final = "none"


class Dimension(StrEnum):
    """By what figures are broken down, one after the other in this order."""

    REGION = "region"
    BANK = "bank"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Tally:
    """Cards that have all of this in common, as the store counts them.

    month: as 2026-07, of the date of issue. taken_over: from a bureau's card stock. days: from
    application to hand-over, whole days in Shanghai; None where one of the two is not known.
    """

    region: str
    bank: str
    month: str
    taken_over: bool
    handed_over: bool
    activated: bool
    ecard_activated: bool
    cancelled: bool
    days: int | None
    count: int


@dataclass(slots=True)
class Counts:
    """Of issued cards, those that were handed out and activated, cancelled ones among them.

    taken_over: cards from before this service, in no other count but the e-cards'.
    ecards_activated: of all, issued and taken over. days_median, days_p95: from application to
    hand-over, by nearest rank, so that each is a card's own; None where too few are known.
    """

    issued: int = 0
    taken_over: int = 0
    handed_over: int = 0
    activated: int = 0
    ecards_activated: int = 0
    cancelled: int = 0
    _cards_by_days: dict[int, int] = field(default_factory=dict, repr=False)

    @property
    def all_cards(self) -> int:
        return self.issued + self.taken_over

    @property
    def handed_over_rate(self) -> float | None:
        return _rate(self.handed_over, self.issued)

    @property
    def activated_rate(self) -> float | None:
        return _rate(self.activated, self.issued)

    @property
    def ecards_activated_rate(self) -> float | None:
        return _rate(self.ecards_activated, self.all_cards)

    @property
    def days_median(self) -> int | None:
        return self._days_at(50)

    @property
    def days_p95(self) -> int | None:
        return self._days_at(95)

    def add(self, tally: Tally) -> None:
        count = tally.count
        self.ecards_activated += count * tally.ecard_activated
        if tally.taken_over:
            self.taken_over += count
            return
        self.issued += count
        self.handed_over += count * tally.handed_over
        self.activated += count * tally.activated
        self.cancelled += count * tally.cancelled
        if tally.days is not None:
            self._cards_by_days[tally.days] = self._cards_by_days.get(tally.days, 0) + count

    def _days_at(self, percent: int) -> int | None:
        days = sorted(self._cards_by_days)
        reached = list(accumulate(self._cards_by_days[one] for one in days))
        if not reached or reached[-1] < SMALL:
            return None
        rank = -(-reached[-1] * percent // 100)
        return next(one for one, cards in zip(days, reached, strict=True) if cards >= rank)


@dataclass(frozen=True, slots=True)
class Row:
    """region, bank, month: a value, ALL or OTHER."""

    region: str
    bank: str
    month: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Figures:
    """by: in the order of Dimension. total: None where there are fewer than SMALL cards. rows: in
    the order of their values, OTHER last; none where there is no breakdown or no total."""

    by: tuple[Dimension, ...]
    total: Counts | None
    rows: tuple[Row, ...]


def figures(tallies: Sequence[Tally], by: Iterable[Dimension] = ()) -> Figures:
    wanted = set(by)
    dimensions = tuple(one for one in Dimension if one in wanted)
    total = counted(tallies)
    if total.all_cards < SMALL:
        return Figures(dimensions, None, ())
    rows = tuple(_rows(tallies, dimensions, {})) if dimensions else ()
    return Figures(dimensions, total, rows)


def counted(tallies: Iterable[Tally]) -> Counts:
    counts = Counts()
    for tally in tallies:
        counts.add(tally)
    return counts


def _rows(
    tallies: Sequence[Tally], dimensions: tuple[Dimension, ...], above: dict[str, str]
) -> Iterator[Row]:
    """Of at least SMALL cards. above: the values of the dimensions that are broken down already."""
    if not dimensions:
        yield Row(**{one.value: above.get(one, ALL) for one in Dimension}, counts=counted(tallies))
        return
    first, *rest = dimensions
    groups: dict[str, list[Tally]] = {}
    for tally in tallies:
        groups.setdefault(getattr(tally, first.value), []).append(tally)
    sizes = {value: sum(one.count for one in group) for value, group in groups.items()}
    small = too_small(sizes)
    for value in sorted(groups.keys() - small):
        yield from _rows(groups[value], tuple(rest), {**above, first: value})
    if small:
        others = [tally for value in small for tally in groups[value]]
        yield from _rows(others, (), {**above, **dict.fromkeys(dimensions, OTHER)})


def too_small(sizes: Mapping[str, int]) -> set[str]:
    """The groups that go together as OTHER: those under SMALL, and the next ones until there are
    enough in them. sizes: of each group."""
    together: set[str] = set()
    count = 0
    for size, value in sorted((size, value) for value, size in sizes.items()):
        if size >= SMALL and (not together or count >= SMALL):
            break
        together.add(value)
        count += size
    return together


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
