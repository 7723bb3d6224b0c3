"""What a service tells of its state when its numbers are asked for (`scan_api.metrics.GAUGES`)."""

from collections.abc import Callable, Mapping

from card_core.fast_store import FastStore
from scan_api.clock_watch import ClockWatch
from scan_api.key_ring import KeyRingCache
from scan_api.scans.writing import ScanWriter
from scan_api.terminals.registry import Registry


def gauges(
    registry: Registry,
    key_ring: KeyRingCache,
    clock: ClockWatch,
    writer: ScanWriter,
    fast: FastStore | None,
) -> Mapping[str, Callable[[], float | None]]:
    """fast: None where no code that only identifies is taken in this process."""
    found: dict[str, Callable[[], float | None]] = {
        "registry_age_seconds": registry.age_seconds,
        "key_ring_age_seconds": key_ring.age_seconds,
        "database_ahead_seconds": clock.database_ahead_seconds,
        "writer_waiting": lambda: writer.waiting,
        "unrecorded_scans": lambda: writer.unrecorded,
    }
    if fast is not None:
        found |= {
            "fast_store_ready": lambda: fast.ready() is None,
            "fast_store_lease_seconds": fast.lease_seconds,
        }
    return found
