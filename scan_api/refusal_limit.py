"""How many worthless codes one terminal may send in a minute.

A scanner that reads rubbish, or somebody who guesses, must not fill the scan table. Counted in this
process alone and forgotten when it ends: a limit on noise, not on anything that decides.
"""

import threading
from collections import deque
from datetime import datetime, timedelta

REFUSALS_MAX = 10
WINDOW = timedelta(seconds=60)


class RefusalLimit:
    """A sliding window for each terminal; only enrolled terminals get one, so it stays small."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refused_at: dict[str, deque[datetime]] = {}

    def take(self, terminal_id: str, now: datetime) -> int:
        """Count one refusal. Returns 0, or the seconds to wait when the window is full (then
        nothing is counted)."""
        with self._lock:
            refused_at = self._refused_at.setdefault(terminal_id, deque())
            # A clock that was set back would leave entries in the future: they count no more.
            while refused_at and not now - WINDOW < refused_at[0] <= now:
                refused_at.popleft()
            if len(refused_at) < REFUSALS_MAX:
                refused_at.append(now)
                return 0
            remaining = refused_at[0] + WINDOW - now
        return int(remaining.total_seconds()) + 1
