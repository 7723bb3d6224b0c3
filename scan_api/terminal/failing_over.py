"""One desk for both: the service is asked first, and without it the terminal judges by itself.

A code whose question left and got no answer may be spent. It gets no yes here, whatever comes: it
is noted on disk before the question leaves, and cleared only by an answer.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from card_core.store.terminal_journal import SeenBeforeError
from card_core.verdicts import Reason
from scan_api.code_parts import code_name
from scan_api.terminal.client import TerminalClient, new_request_id
from scan_api.terminal.errors import (
    OutcomeUnknownError,
    RequestRefusedError,
    ServiceAwayError,
)
from scan_api.terminal.offline_desk import Asked, OfflineDesk

LEFT_ALONE_SECONDS: Final = 10.0
"""After a failure; so that a queue does not wait out a time-out at every scan."""


class FailingOver:
    """What the counter's page asks, in place of a `TerminalClient`. Safe in many threads.

    client: with one attempt a scan. monotonic: seconds.
    """

    def __init__(
        self, client: TerminalClient, desk: OfflineDesk, *, monotonic: Callable[[], float]
    ) -> None:
        self._client, self._desk = client, desk
        self._monotonic = monotonic
        self._left_alone_until = float("-inf")
        # One question at a time: what it notes of a code is cleared by nobody else meanwhile.
        self._asking = threading.Lock()

    def describe(self) -> dict[str, Any]:
        """Who this terminal is, by the service or as it said last, and what it carries.

        Raises: TerminalError.
        """
        now = self._desk.clock.now()
        try:
            if self._is_left_alone():
                raise ServiceAwayError
            described = self._client.describe()
        except ServiceAwayError:
            kept = self._desk.carried.view.terminal
            if not kept:
                raise
            return {**kept, "offline": True, **self._carrying(now)}
        self.learn_time(described)
        self._desk.carried.take_terminal(described)
        return {**described, "offline": False, **self._carrying(self._desk.clock.now())}

    def learn_time(self, described: dict[str, Any]) -> None:
        at = datetime.fromisoformat(described["server_time"])
        self._desk.clock.learn(at.timestamp())

    def scan(
        self,
        code: str,
        business_type: str,
        *,
        request_id: str | None = None,
        amount_fen: int | None = None,
        operator: str | None = None,
        department: str | None = None,
    ) -> dict[str, Any]:
        """A verdict, online or offline; as `TerminalClient.scan`. Raises: TerminalError."""
        asked = Asked(code, business_type, request_id or new_request_id(), amount_fen)
        if self._desk.journal.find(asked.request_id) is not None:
            return self._desk.judge(asked)
        if not self._is_left_alone():
            try:
                return self._ask(asked, operator, department)
            except ServiceAwayError:
                self._leave_alone()
        if self._desk.journal.is_asked_by(code_name(code), asked.request_id):
            # The same question goes on being asked; its answer will come from the service.
            raise OutcomeUnknownError
        return self._desk.judge(asked)

    def _ask(self, asked: Asked, operator: str | None, department: str | None) -> dict[str, Any]:
        name, journal = code_name(asked.code), self._desk.journal
        with self._asking:
            try:
                is_new = journal.begin_asking(name, asked.request_id, self._desk.clock.timestamp())
            except SeenBeforeError:
                # It was accepted here offline and is not handed in yet: the service can't know.
                return self._desk.judge(asked)
            try:
                verdict = self._client.scan(
                    asked.code,
                    asked.business_type,
                    request_id=asked.request_id,
                    amount_fen=asked.amount_fen,
                    operator=operator,
                    department=department,
                )
            except OutcomeUnknownError:
                self._leave_alone()
                raise
            except (ServiceAwayError, RequestRefusedError):
                if is_new:
                    journal.settle_asking(name, is_spent=False)
                raise
            spent = verdict["outcome"] == "accepted" or verdict["reason"] == Reason.ALREADY_USED
            if spent or is_new or journal.is_asked_by(name, asked.request_id):
                journal.settle_asking(name, is_spent=spent)
        return {**verdict, "offline": False}

    def heard(self) -> None:
        """The service answered somebody: it need not be left alone."""
        self._left_alone_until = float("-inf")

    def _leave_alone(self) -> None:
        self._left_alone_until = self._monotonic() + LEFT_ALONE_SECONDS

    def _is_left_alone(self) -> bool:
        return self._monotonic() < self._left_alone_until

    def _carrying(self, now: datetime) -> dict[str, Any]:
        standing = self._desk.standing(now)
        lists = self._desk.carried.view.lists
        ages = [now - held.head.issued_at for (_, ends), held in lists.items() if ends > now]
        return {
            "bundle_age_seconds": standing.bundle_age_seconds,
            # of the oldest list that a code may meet from now on
            "list_age_seconds": max(0, int(max(ages).total_seconds())) if ages else None,
            "degraded": standing.is_stale,
            "clock_offset_seconds": standing.clock_offset_seconds,
            "clock_set_back": self._desk.clock.is_set_back,
            "pending": self._desk.journal.count_pending(),
        }
