"""Figures of scans (扫码统计): how many at each hour of the last day, and why some were refused.

The rule of `card_core.figures` holds: no group of fewer than SMALL is shown by itself; such hours
and such reasons go together as OTHER. Scans that terminals recorded offline are not among them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from card_core.figures import OTHER, SMALL, too_small
from card_core.verdicts import Reason

HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class ScanTally:
    """hour: as 2026-07-01T08, in Shanghai. reason: `accepted`, or why not."""

    hour: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class ScanFigures:
    """since: aware. scans, refused: how many; None where they are fewer than SMALL. by_hour,
    by_reason: in the order of time, and the most frequent first; OTHER last."""

    since: datetime
    scans: int | None
    refused: int | None
    by_hour: tuple[tuple[str, int], ...]
    by_reason: tuple[tuple[str, int], ...]


def first_hour(now: datetime) -> datetime:
    """When the hours that are shown begin: the present one is the last."""
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)


def scan_figures(tallies: Sequence[ScanTally], since: datetime) -> ScanFigures:
    hours: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for tally in tallies:
        hours[tally.hour] += tally.count
        if tally.reason != Reason.ACCEPTED.value:
            reasons[tally.reason] += tally.count
    by_hour, by_reason = _together(hours), _together(reasons)
    return ScanFigures(
        since,
        _shown(hours),
        _shown(reasons),
        tuple(sorted(by_hour.items(), key=lambda one: (one[0] == OTHER, one[0]))),
        tuple(sorted(by_reason.items(), key=lambda one: (one[0] == OTHER, -one[1], one[0]))),
    )


def _shown(counts: Counter[str]) -> int | None:
    return counts.total() if counts.total() >= SMALL else None


def _together(counts: Counter[str]) -> dict[str, int]:
    """Nothing where all are fewer than SMALL."""
    if counts.total() < SMALL:
        return {}
    small = too_small(counts)
    shown = {value: count for value, count in counts.items() if value not in small}
    return shown | ({OTHER: sum(counts[value] for value in small)} if small else {})
