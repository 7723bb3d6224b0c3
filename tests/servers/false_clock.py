"""Debian's libfaketime: a process that starts with it believes another time."""

from pathlib import Path

from servers import debian

_LIBRARY = "faketime/libfaketime.so.1"


def environment(offset: str) -> dict[str, str]:
    """offset: such as "+1h". Waiting is by the monotonic clock, which nobody sets."""
    return {
        "LD_PRELOAD": str(library()),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def library() -> Path:
    """Installs it where it is absent."""
    found = next(Path("/usr/lib").glob(f"*/{_LIBRARY}"), None)
    if found is None:
        debian.install("libfaketime", consequence="the tests of false clocks did not run")
        found = next(Path("/usr/lib").glob(f"*/{_LIBRARY}"), None)
    if found is None:
        debian.unavailable("Debian's package libfaketime brought no library")
    return found
