"""What one process knows of the rows that decide: versions, from the audit log, and faults.

An old row put back fits its HMAC. The audit log notes each change's version, and a process that
follows the log (`audit.follow`) refuses a row that is older than what it has read there, or than
what it has committed itself.

A transaction must not hold a row that it read a moment ago against a change that was committed
since. So what is noted gets a new edition each time, and a transaction goes by the edition from
before it began: all that is in it was committed then, and whatever it reads is as new.
"""

import threading
from collections.abc import Collection, Sequence
from typing import Final

# About 200 bytes each; those that were noted first go first.
NOTED_MAX: Final = 50_000
TAMPERED_MAX: Final = 1_000

_Key = tuple[str, str]


class Integrity:
    """Safe in many threads. edition: grows with what is noted."""

    def __init__(self) -> None:
        self.edition = 0
        self._noting = threading.Lock()
        self._noted: dict[_Key, tuple[int, int]] = {}
        self._tampered: set[_Key] = set()

    def note(self, changes: Collection[tuple[str, str, int]]) -> None:
        """changes: committed ones: table, row id and version of each."""
        if not changes:
            return
        with self._noting:
            edition = self.edition + 1
            for table, row_id, version in changes:
                if version > self._noted.get((table, row_id), (0, 0))[0]:
                    self._noted[table, row_id] = (version, edition)
            while len(self._noted) > NOTED_MAX:
                del self._noted[next(iter(self._noted))]
            # Last: what a transaction goes by is complete.
            self.edition = edition

    def is_older(self, table: str, row_id: str, version: int, edition: int) -> bool:
        """Whether the log had noted a later version by this edition."""
        noted, since = self._noted.get((table, row_id), (0, 0))
        return version < noted and since <= edition

    def tell(self, table: str, row_id: str, *, is_sound: bool) -> None:
        """A row was read, and found to be what the product made of it, or not."""
        if not is_sound:
            if len(self._tampered) < TAMPERED_MAX:
                self._tampered.add((table, row_id))
        elif self._tampered:
            self._tampered.discard((table, row_id))

    def tell_all(self, table: str, row_ids: Sequence[str], sound: Sequence[bool]) -> None:
        """As `tell`, of each of these rows."""
        if self._tampered or not all(sound):
            for row_id, is_sound in zip(row_ids, sound, strict=True):
                self.tell(table, row_id, is_sound=is_sound)

    def tampered_rows(self) -> int:
        """How many rows were refused and have not been found sound again; TAMPERED_MAX at most."""
        return len(self._tampered)
