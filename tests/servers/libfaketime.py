"""A false clock for a child process, which can be set while it runs (Debian's libfaketime)."""

from pathlib import Path

from servers import debian

LIBRARY = "faketime/libfaketime.so.1"


class FalseClock:
    """environment: for the process whose clock it is. Waiting is by the monotonic clock, which
    nobody sets.

    While one thread reads the file anew, once in a thousand times another one is shown the right
    time, so it is read once a second. (The package's library for several threads has a lock around
    each look, with which a service does not come to be ready.)
    """

    def __init__(self, directory: Path, *, hours: int = 0, seconds: int = 0) -> None:
        self._file = directory / "clock"
        self.step(hours, seconds)
        self.environment = {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, hours: int, seconds: int = 0) -> None:
        """Set it so far off the machine's, in one moment; it is seen within a second."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{3600 * hours + seconds:+d}\n")
        new.replace(self._file)


def _library() -> Path:
    found = next(Path("/usr/lib").glob(f"*/{LIBRARY}"), None)
    if found is None:
        debian.install("libfaketime", consequence="the tests of false clocks did not run")
        found = next(Path("/usr/lib").glob(f"*/{LIBRARY}"), None)
    if found is None:
        debian.unavailable("Debian's package libfaketime brought no library")
    return found
