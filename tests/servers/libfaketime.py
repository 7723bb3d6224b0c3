"""A false clock for a child process, which can be set while it runs (Debian's libfaketime)."""

from pathlib import Path

from servers import debian

# The one for several threads: in the other one a thread that reads the file again shows all others
# the machine's own time for a moment, about once in a thousand looks.
LIBRARY = "faketime/libfaketimeMT.so.1"


class FalseClock:
    """environment: for the process whose clock it is. Waiting is by the monotonic clock, which
    nobody sets."""

    def __init__(self, directory: Path, *, hours: int = 0, seconds: int = 0) -> None:
        self._file = directory / "clock"
        self.step(hours, seconds)
        self.environment = {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, hours: int, seconds: int = 0) -> None:
        """Set it so far off the machine's, in one moment."""
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
