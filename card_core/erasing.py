"""Erasing what is past its time, again and again, in the background of a service."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from card_core.errors import NotFoundError, RecordMergedError, TamperedRowError
from card_core.holder_errors import NotErasableError
from card_core.kernel import Act, Actor, ActorKind, Kernel
from card_core.kernel.acts.retention import EraseLapsedHolder, ForgetApprovals, ForgetRefused
from card_core.kernel.dates import SHANGHAI
from card_core.retention_policy import RetentionPolicy
from card_core.store import (
    Reader,
    erasure,
    holder_changes,
    issuers,
    refused_rows,
    retention_policies,
)
from card_core.store.paging import PAGE_SIZE_MAX

EVERY_SECONDS: Final = 3600
# A round ends here; the next one goes on.
PAGES_A_ROUND_MAX: Final = 50
STEPS_A_ROUND_MAX: Final = 500
_ERASING: Final = Actor(ActorKind.SYSTEM, "erasing")

_log = logging.getLogger("sscard.erasing")


class Eraser:
    """Several processes may each have one: each act reads anew what is past its time."""

    def __init__(self, kernel: Kernel, *, clock: Callable[[], datetime]) -> None:
        self._kernel = kernel
        self._clock = clock

    def round(self) -> dict[str, int]:
        """Erase what is past its time; how many people, rows that came to nothing, and proposals.

        A person whose rows don't fit their HMAC is logged and does not hold up the others.
        Raises CardCoreError where the database can't be asked.
        """
        with self._kernel.store.read() as tx:
            own = issuers.own(tx)
            policy = RetentionPolicy() if own is None else retention_policies.of(tx, own.number)
        now = self._clock()
        refused_before = now - timedelta(days=policy.refused_days)
        decided_before = now - timedelta(days=policy.approval_days)
        return {
            "people": self._people(policy.holder_days),
            # Looked for first: what finds nothing to do leaves nothing in the log.
            "refused_rows": self._forget(
                ForgetRefused(),
                lambda tx: (
                    refused_rows.is_any(tx, refused_before)
                    or erasure.is_any_filing(tx, refused_before)
                ),
            ),
            "approvals": self._forget(
                ForgetApprovals(), lambda tx: erasure.is_any_approval(tx, decided_before)
            ),
        }

    def _people(self, days: int) -> int:
        erased, after = 0, ""
        before = self._clock().astimezone(SHANGHAI).date() - timedelta(days=days - 1)
        for _ in range(PAGES_A_ROUND_MAX):
            with self._kernel.store.read() as tx:
                found = erasure.lapsed(tx, before, after=after, limit=PAGE_SIZE_MAX)
                people = {holder_changes.record_that_stays(tx, one) for one in found}
            erased += sum(map(self._erase, sorted(people)))
            if len(found) < PAGE_SIZE_MAX:
                break
            after = found[-1]
        return erased

    def _erase(self, holder_id: str) -> bool:
        try:
            self._perform(EraseLapsedHolder(holder_id))
        except (NotErasableError, NotFoundError, RecordMergedError):
            return False  # another of the person's records or cards, or another process
        except TamperedRowError as error:
            _log.error('{"event": "erase_failed", "error": "%s"}', error.code)
            return False
        return True

    def _forget(self, act: Act, is_any: Callable[[Reader], bool]) -> int:
        forgotten = 0
        for _ in range(STEPS_A_ROUND_MAX):
            with self._kernel.store.read() as tx:
                if not is_any(tx):
                    break
            forgotten += self._perform(act)
        return forgotten

    def _perform(self, act: Act) -> int:
        request_id = self._kernel.random_bytes(16).hex()
        answer = self._kernel.perform(act, actor=_ERASING, request_id=request_id)
        count: int = answer.get("forgotten", 0)
        return count
