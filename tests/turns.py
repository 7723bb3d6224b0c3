"""Tests that measure have the machine to themselves; all others run beside one another.

`make test` runs tests in several processes. Each test holds a lock that all may share, and one that
is marked `alone` holds it by itself: it waits until those that are under way have ended, and
meanwhile no other begins.

Before that each process collects all tests. In a fresh checkout that means to compile them, with
their assertions, which takes longer than the rest: so one does it first, and leaves it to all.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# What is locked is there anyway, so nothing is left behind; two runs in one checkout take turns.
HERE = Path(__file__).parent


@contextmanager
def turn(*, alone: bool, folder: Path = HERE) -> Iterator[None]:
    """Wait for a turn, and hold it. folder: is locked, and the file `turns.py` in it."""
    with (
        _locked(folder / "turns.py", fcntl.LOCK_EX) as door,
        # The door stays shut behind one who waits to be alone, or others would go on entering.
        _locked(folder, fcntl.LOCK_EX if alone else fcntl.LOCK_SH),
    ):
        fcntl.flock(door, fcntl.LOCK_UN)
        yield


@contextmanager
def first_alone(path: Path = HERE / "conftest.py") -> Iterator[None]:
    """Whoever comes first has what follows to itself; the others wait, and then go on together."""
    with ExitStack() as held:
        try:
            held.enter_context(_locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            held.enter_context(_locked(path, fcntl.LOCK_SH))
        yield


@contextmanager
def _locked(path: Path, how: int) -> Iterator[int]:
    opened = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(opened, how)
        yield opened
    finally:
        os.close(opened)
