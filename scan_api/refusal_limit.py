"""How often in a minute somebody may be refused before they are told to wait.

A scanner that reads rubbish, or somebody who guesses, must not fill the scan table or learn by
trying. Counted in this process alone and forgotten when it ends: a limit on noise, not on anything
that decides.
"""

import threading
from collections import deque
from collections.abc import Hashable
from datetime import datetime, timedelta

REFUSALS_MAX = 10
WINDOW = timedelta(seconds=60)
# Whoever makes up names by the million pushes out the oldest, and fills nothing.
NAMES_MAX = 20_000


class RefusalLimit:
    """A sliding window for each name: a terminal, or what somebody claimed and from where."""

    def __init__(self, *, names_max: int = NAMES_MAX, refusals_max: int = REFUSALS_MAX) -> None:
        self._lock = threading.Lock()
        self._refusals_max = refusals_max
        self._names_max = names_max
        self._refused_at: dict[Hashable, deque[datetime]] = {}

    def take(self, name: Hashable, now: datetime) -> int:
        """Count one refusal. Returns 0, or the seconds to wait when the window is full (then
        nothing is counted)."""
        with self._lock:
            refused_at = self._refused_at.pop(name, None) or deque(maxlen=self._refusals_max)
            while len(self._refused_at) >= self._names_max:
                del self._refused_at[next(iter(self._refused_at))]
            self._refused_at[name] = refused_at
            # A clock that was set back would leave entries in the future: they count no more.
            while refused_at and not now - WINDOW < refused_at[0] <= now:
                refused_at.popleft()
            if len(refused_at) < self._refusals_max:
                refused_at.append(now)
                return 0
            remaining = refused_at[0] + WINDOW - now
        return int(remaining.total_seconds()) + 1
