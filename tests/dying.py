"""Dying by SIGKILL at a chosen place of the work on a database, for workers that tests kill."""

import os
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from card_core.store import Reader


def die_at(place: int) -> None:
    """From now on count statements and commits, and die before this one."""
    left = place

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
    # What scans run goes past SQLAlchemy's events.
    for name in ("run", "run_many"):
        setattr(Reader, name, _counted(getattr(Reader, name), count))


def _counted(method: Callable[..., Any], count: Callable[[], None]) -> Callable[..., Any]:
    def counted(*arguments: Any) -> Any:
        count()
        return method(*arguments)

    return counted
