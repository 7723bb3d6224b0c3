"""Whoever is signed in at the channel: one at a time, and forgotten soon.

The session's token is here, in this process, and never in the page. The page ends a session in
which nobody touched it; this is what holds when the page has gone.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from scan_api.kiosk.client import ChannelClient
from scan_api.terminal.errors import TerminalError

# What the page leaves, and its warning, with some seconds to spare: to a person, and to a clerk.
IDLE_SECONDS: Final = 90.0
CLERK_IDLE_SECONDS: Final = 330.0


class NobodyHereError(TerminalError):
    """Nobody is signed in, or no longer."""

    code = "nobody_here"
    title_zh = "本次办理已结束"
    title_en = "Your session has ended"
    detail_zh = "请从头开始。"
    detail_en = "Please start again."


class PersonBefore:
    """At most one session. monotonic: seconds of a clock that nobody sets."""

    def __init__(self, client: ChannelClient, *, monotonic: Callable[[], float]) -> None:
        self._client = client
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._session = ""
        self._touched_at = 0.0
        self._idle_seconds = IDLE_SECONDS

    def arrive(
        self, open_session: Callable[[], dict[str, Any]], *, idle_seconds: float = IDLE_SECONDS
    ) -> dict[str, Any]:
        """Sign in; what the page is told has no token. Raises: TerminalError."""
        self.leave()
        opened = open_session()
        session = opened.pop("session")
        with self._lock:
            self._session, self._touched_at = session, self._monotonic()
            self._idle_seconds = idle_seconds
        return opened

    def session(self) -> str:
        """The session that goes on by this. Raises: NobodyHereError."""
        with self._lock:
            is_over = self._monotonic() - self._touched_at > self._idle_seconds
            if self._session and not is_over:
                self._touched_at = self._monotonic()
                return self._session
        self.leave()
        raise NobodyHereError

    def leave(self) -> None:
        """Forget whoever was here. The service forgets by itself where it can't be told."""
        with self._lock:
            session, self._session = self._session, ""
        if session:
            with suppress(TerminalError):
                self._client.end_session(session)
