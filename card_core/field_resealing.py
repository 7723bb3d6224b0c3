"""Sealing personal data anew under the next field key, in the background of a service."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from card_core.errors import NotFoundError, TooEarlyError
from card_core.kernel import Actor, ActorKind, Kernel
from card_core.kernel.acts.field_keys import ResealFields
from card_core.store import Reader, field_keys
from card_core.store.field_keys import TABLES, FieldKeyState

EVERY_SECONDS: Final = 5
# A round ends here; the next one goes on where this one was, in whatever process.
STEPS_A_ROUND_MAX: Final = 25
LOOK_AGAIN_AFTER: Final = timedelta(hours=1)
_RESEALING: Final = Actor(ActorKind.SYSTEM, "field-resealing")


class FieldResealer:
    """Several processes may each have one: a step is one transaction under one lock."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._looked_again_at: datetime | None = None

    def round(self) -> int:
        """Take some steps, if a version is on its way out; how many rows were sealed anew.

        Raises CardCoreError.
        """
        resealed = 0
        for _ in range(STEPS_A_ROUND_MAX):
            table = self._next_table()
            if table is None:
                break
            with suppress(TooEarlyError, NotFoundError):
                resealed += self._step(table)
                continue
            break
        return resealed

    def _next_table(self) -> str | None:
        with self._kernel.store.read() as tx:
            known = field_keys.versions(tx)
            if not any(key.state is FieldKeyState.RETIRED for key in known):
                return None
            active = next(key for key in known if key.state is FieldKeyState.ACTIVE)
            through = {
                one.table
                for one in field_keys.progress(tx)
                if one.is_done and one.version == active.version
            }
            if through >= set(TABLES):
                return self._left_behind(tx, active.version - 1)
        return next(table for table in TABLES if table not in through)

    def _left_behind(self, tx: Reader, version: int) -> str | None:
        """A table that was through too early: a process wrote that had not heard of the next
        version. Reads all tables, so not often."""
        now = self._kernel.clock()
        if self._looked_again_at is not None and now < self._looked_again_at + LOOK_AGAIN_AFTER:
            return None
        self._looked_again_at = now
        return next((one for one in field_keys.tables_under(tx, version) if one in TABLES), None)

    def _step(self, table: str) -> int:
        request_id = self._kernel.random_bytes(16).hex()
        answer = self._kernel.perform(ResealFields(table), actor=_RESEALING, request_id=request_id)
        resealed: int = answer["resealed"]
        return resealed
