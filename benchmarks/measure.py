"""Times of many calls beside each other, fair to all: interleaved, medians, one core."""

import os
import statistics
from collections.abc import Callable, Mapping
from time import perf_counter

ROUNDS = 9
SLICE_SECONDS = 0.03


def pin_to_one_core() -> None:
    """Keep to one core, where the system lets a process choose."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def microseconds(calls: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the microseconds of one call of each, the median of several rounds.

    In each round every contender has its slice, one after the other, so that what else the
    machine does meets all of them. Only ratios within one run mean anything.
    """
    repeats = {name: _repeats(call) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(_seconds(call, repeats[name]) / repeats[name] * 1e6)
    return {name: round(statistics.median(values), 3) for name, values in times.items()}


def _seconds(call: Callable[[], object], repeats: int) -> float:
    start = perf_counter()
    for _ in range(repeats):
        call()
    return perf_counter() - start


def _repeats(call: Callable[[], object]) -> int:
    """How many calls fill a slice; these calls warm up, too."""
    repeats = 1
    while (seconds := _seconds(call, repeats)) < SLICE_SECONDS / 4:
        repeats *= 2
    return max(1, round(repeats * SLICE_SECONDS / seconds))
