"""Who measures is alone, and nobody waits for ever to be."""

import fcntl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from turns import first_alone, turn

PATIENCE_SECONDS = 20


class Visits:
    """Turns in a folder of its own, each held until it is let go; `inside`: who has one now."""

    def __init__(self, folder: Path) -> None:
        (folder / "turns.py").touch()
        self._folder = folder
        self._changed = threading.Condition()
        self._leaving: set[str] = set()
        self.entered: list[str] = []
        self.inside: set[str] = set()

    def hold(self, name: str) -> None:
        with turn(alone=name.isupper(), folder=self._folder), self._changed:
            assert not any(other.isupper() for other in self.inside), (name, self.inside)
            assert not (name.isupper() and self.inside), (name, self.inside)
            self.entered.append(name)
            self.inside.add(name)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: name in self._leaving, PATIENCE_SECONDS)
            self.inside.remove(name)

    def until_inside(self, *names: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.inside >= set(names), PATIENCE_SECONDS)

    def let_go(self, *names: str) -> None:
        with self._changed:
            self._leaving.update(names)
            self._changed.notify_all()


@pytest.mark.parametrize("first", [("a", "b"), ("A",)])
def test_one_alone_waits_for_all_and_all_wait_for_it(
    tmp_path: Path, first: tuple[str, ...]
) -> None:
    visits = Visits(tmp_path)
    with ThreadPoolExecutor() as threads:
        held = [threads.submit(visits.hold, name) for name in first]
        visits.until_inside(*first)
        held += [threads.submit(visits.hold, name) for name in ("B", "c", "d")]
        visits.let_go("B", "c", "d", *first)
        for one in held:
            one.result(PATIENCE_SECONDS)
    assert sorted(visits.entered) == sorted([*first, "B", "c", "d"])


def test_the_first_is_alone_and_the_others_go_on_together(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    with path.open() as other:
        with first_alone(path), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_SH)
        # Who comes while somebody follows the first is let in, and lets in who comes next.
        with first_alone(path), path.open() as next_one:
            fcntl.flock(next_one, fcntl.LOCK_SH | fcntl.LOCK_NB)
