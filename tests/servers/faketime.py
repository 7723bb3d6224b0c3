"""Debian's libfaketime, for processes whose clock is off."""

from pathlib import Path

from servers import debian

LIBRARY = "faketime/libfaketime.so.1"


def libfaketime() -> Path:
    """What such a process preloads; installs it first where it is absent."""
    found = next(Path("/usr/lib").glob(f"*/{LIBRARY}"), None)
    if found is None:
        debian.install("libfaketime", consequence="the tests of false clocks did not run")
        found = next(Path("/usr/lib").glob(f"*/{LIBRARY}"), None)
    if found is None:
        debian.unavailable("Debian's package libfaketime brought no library")
    return found
