"""A clock that is off, for a process of its own: libfaketime, from Debian."""

from pathlib import Path

from servers import debian

_LIBRARY = "faketime/libfaketime.so.1"


def false_clock(seconds: int) -> dict[str, str]:
    """The environment of a process whose clock is ahead by so many seconds; negative: behind.

    Clocks that only count on are left alone.
    """
    return {
        "LD_PRELOAD": str(_library()),
        "FAKETIME": f"{seconds:+d}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _library() -> Path:
    found = next(Path("/usr/lib").glob(f"*/{_LIBRARY}"), None)
    if found is None:
        debian.install("libfaketime", consequence="the tests of false clocks did not run")
        found = next(Path("/usr/lib").glob(f"*/{_LIBRARY}"), None)
    if found is None:
        debian.unavailable("Debian's package libfaketime brought no library")
    return found
