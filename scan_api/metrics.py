"""What one process counts about its own work, in plain numbers that are summed when somebody asks.

    Metrics()              one for each process; the paths of requests add to it
    Metrics.snapshot()     what it holds, as JSON
    add(snapshots)         the numbers of several processes together
    to_text(snapshots)     Prometheus's text format

Every label comes from a fixed, small set: routes of the application, statuses, reasons, business
types. No path, name, number, code or address is ever a label.

Adding takes no lock. Each number is written by one thread: those of requests and refusals by the
event loop's, those of scans and groups by the thread that commits them.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LATENCY_BOUNDS_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
GROUP_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Snapshot = Mapping[str, Any]


class Histogram:
    """How many values fell under each bound, the last place for those above all; and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


# What is asked for anew whenever somebody looks, of each process apart.
GAUGES: Mapping[str, str] = {
    "scans_running": "Requests of terminals that have a place.",
    "scans_running_max": "How many of them may have one now.",
    "scans_waiting": "Requests of terminals that wait for a place.",
    "scans_waiting_max": "How many of them may wait now.",
    "others_running": "Other requests that have a place.",
    "others_waiting": "Other requests that wait for a place.",
    "writer_waiting": "Scans that wait for their transaction.",
    "unrecorded_scans": "Identified scans that were answered and are not on record yet.",
    "last_group_scans": "Scans of the last transaction that recorded some.",
    "last_group_seconds": "How long it took.",
    "fast_store_ready": "1 where codes that only identify are taken, else 0.",
    "fast_store_lease_seconds": "For how long the lease on the fast store still holds.",
    "registry_age_seconds": "How long ago the terminals were read; -1 for never.",
    "key_ring_age_seconds": "How long ago the issuers' keys were read; -1 for never.",
    "database_ahead_seconds": "How far the database's clock is ahead of this machine's.",
    "resident_bytes": "Memory of the process.",
    "self_tests_passed": "1 where the cryptography is in service, else 0.",
}


class Metrics:
    """The numbers of one process. gauges: of `GAUGES`, by name; None where it is not known now."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str, int], int] = {}
        self._latencies: dict[str, Histogram] = {}
        self._scans: dict[tuple[str, str, str, str], int] = {}
        self._refused: dict[str, int] = {}
        self._groups = Histogram(GROUP_BOUNDS)
        self._commits = Histogram(LATENCY_BOUNDS_SECONDS)
        self._last_group: tuple[int, float] | None = None
        self.gauges: dict[str, Callable[[], float | None]] = {
            "last_group_scans": lambda: self._last_group and self._last_group[0],
            "last_group_seconds": lambda: self._last_group and self._last_group[1],
        }

    def add_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """route: the template, or "none". status: 0 where nothing was answered."""
        key = (method, route, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        histogram = self._latencies.get(route)
        if histogram is None:
            histogram = self._latencies[route] = Histogram(LATENCY_BOUNDS_SECONDS)
        histogram.add(seconds)

    def add_scan(self, outcome: str, reason: str, business_type: str, medium: str) -> None:
        """One verdict. medium: of `card_core.presented.Medium`, "none" for what was not genuine."""
        key = (outcome, reason, business_type, medium)
        self._scans[key] = self._scans.get(key, 0) + 1

    def add_refusal(self, place: str) -> None:
        """One request or connection that was turned away for lack of room."""
        self._refused[place] = self._refused.get(place, 0) + 1

    def add_group(self, scans: int, seconds: float) -> None:
        """One transaction that recorded so many scans, and how long it took."""
        self._groups.add(scans)
        self._commits.add(seconds)
        self._last_group = (scans, seconds)

    def snapshot(self) -> Snapshot:
        """All numbers now. Another thread may ask: a number that it misses is in the next one."""
        return {
            "requests": [[*key, value] for key, value in list(self._requests.items())],
            "scans": [[*key, value] for key, value in list(self._scans.items())],
            "refused": [[key, value] for key, value in list(self._refused.items())],
            "latencies": [
                [route, list(one.counts), one.total] for route, one in list(self._latencies.items())
            ],
            "groups": [["", list(self._groups.counts), self._groups.total]],
            "commits": [["", list(self._commits.counts), self._commits.total]],
            "gauges": [
                ["", name, float(value)]
                for name, read in list(self.gauges.items())
                if (value := read()) is not None
            ],
        }


_COUNTERS = ("requests", "scans", "refused")
_HISTOGRAMS = ("latencies", "groups", "commits")


def add(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Counters and histograms together. Gauges are no sums: they are left out."""
    counters: dict[str, dict[tuple[Any, ...], int]] = {kind: {} for kind in _COUNTERS}
    histograms: dict[str, dict[str, tuple[list[int], float]]] = {kind: {} for kind in _HISTOGRAMS}
    for snapshot in snapshots:
        for kind, counted in counters.items():
            for *labels, value in snapshot[kind]:
                counted[*labels,] = counted.get((*labels,), 0) + value
        for kind, measured in histograms.items():
            for label, counts, total in snapshot[kind]:
                before, before_total = measured.get(label, ([0] * len(counts), 0.0))
                together = [one + other for one, other in zip(before, counts, strict=True)]
                measured[label] = (together, before_total + total)
    return {
        **{
            kind: [[*labels, value] for labels, value in counted.items()]
            for kind, counted in counters.items()
        },
        **{
            kind: [[label, counts, total] for label, (counts, total) in measured.items()]
            for kind, measured in histograms.items()
        },
        "gauges": [],
    }


def to_text(snapshots: Mapping[str, Snapshot], *, past: Snapshot | None = None) -> bytes:
    """The text that Prometheus reads. snapshots: by worker. past: what ended workers counted."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - see below

    # Only the process that is asked for the text needs the library.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(snapshots, past))
    return generate_latest(registry)


class _Collector:
    def __init__(self, snapshots: Mapping[str, Snapshot], past: Snapshot | None) -> None:
        self._snapshots = snapshots
        self._together = add([*snapshots.values(), *([past] if past else [])])

    def collect(self) -> Iterator[Any]:
        from prometheus_client import core  # noqa: PLC0415 - as above

        for kind, (name, text, labels) in _COUNTER_NAMES.items():
            counter = core.CounterMetricFamily(name, text, labels=labels)
            for *values, count in self._together[kind]:
                counter.add_metric([str(value) for value in values], count)
            yield counter
        for kind, (name, text, labels, bounds) in _HISTOGRAM_NAMES.items():
            histogram = core.HistogramMetricFamily(name, text, labels=labels)
            for label, counts, total in self._together[kind]:
                buckets, below = [], 0
                for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
                    below += count
                    buckets.append((bound, below))
                histogram.add_metric([label] if labels else [], buckets, total)
            yield histogram
        gauges: dict[str, Any] = {}
        for worker, snapshot in self._snapshots.items():
            for _, name, value in snapshot["gauges"]:
                if name not in gauges:
                    gauges[name] = core.GaugeMetricFamily(
                        f"sscard_{name}", GAUGES[name], labels=["worker"]
                    )
                gauges[name].add_metric([worker], value)
        yield from gauges.values()


_COUNTER_NAMES = {
    "requests": (
        "sscard_requests",
        "Requests answered, by route template; status 0 got no answer.",
        ["method", "route", "status"],
    ),
    "scans": (
        "sscard_scans",
        "Verdicts.",
        ["outcome", "reason", "business_type", "medium"],
    ),
    "refused": ("sscard_refused", "Turned away for lack of room.", ["place"]),
}
_HISTOGRAM_NAMES: Mapping[str, tuple[str, str, list[str], tuple[float, ...]]] = {
    "latencies": (
        "sscard_request_seconds",
        "From the head of a request to its answer.",
        ["route"],
        LATENCY_BOUNDS_SECONDS,
    ),
    "groups": ("sscard_group_scans", "Scans recorded by one transaction.", [], GROUP_BOUNDS),
    "commits": (
        "sscard_group_seconds",
        "One transaction that records scans.",
        [],
        LATENCY_BOUNDS_SECONDS,
    ),
}
