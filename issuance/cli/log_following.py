"""Following the audit log while a process serves, so that no old row put back is believed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from card_core.errors import AuditChainError, CardCoreError
from card_core.store import Store, audit
from scan_api.repeating import repeated

# So long an old row can pass after a change that another process made.
FOLLOW_SECONDS = 0.5

_log = logging.getLogger("sscard.integrity")


class LogFollower:
    """Reads on from where it was; tells the log once when that begins to fail."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._after: int | None = None
        self._failing = ""

    def round(self) -> None:
        """What fails is told and tried again next time; what is known stays known."""
        try:
            with self._store.read() as tx:
                self._after = audit.follow(tx, self._after)
        except CardCoreError as error:
            if error.code != self._failing:
                level = logging.ERROR if isinstance(error, AuditChainError) else logging.WARNING
                _log.log(level, '{"event": "log_not_followed", "error": "%s"}', error.code)
            self._failing = error.code
        else:
            self._failing = ""


@contextmanager
def following_log(store: Store) -> Iterator[None]:
    """Read it at once and then every FOLLOW_SECONDS, until the block ends."""
    follower = LogFollower(store)
    follower.round()
    with repeated(
        follower.round,
        every_seconds=FOLLOW_SECONDS,
        name="audit log",
        failure="log_not_followed",
        log=_log,
    ):
        yield
