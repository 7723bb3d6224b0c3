"""What the terminal does in the background: keep what it carries fresh, hand in what it did."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Final

from card_core.kernel.acts.offline_scans import RECORDS_MAX
from card_core.status_list import StatusListError
from scan_api.repeating import repeated
from scan_api.terminal.carried import ListName
from scan_api.terminal.client import Fetched, TerminalClient
from scan_api.terminal.errors import RequestRefusedError
from scan_api.terminal.failing_over import FailingOver
from scan_api.terminal.offline_desk import OfflineDesk

EVERY_SECONDS: Final = 30.0
"""Twice within the minute in which a loss has to be known at a terminal that is connected."""

# These answers say that the terminal is none of the service's any more, and it stops by itself.
_SHUT_OUT = frozenset({"terminal_suspended", "institution_suspended", "not_authenticated"})

_log = logging.getLogger("sscard.terminal")


class Rounds:
    """client: the same service as the desk's. failing_over: hears that the service is there."""

    def __init__(
        self, client: TerminalClient, desk: OfflineDesk, failing_over: FailingOver
    ) -> None:
        self._client, self._desk = client, desk
        self._failing_over = failing_over

    def round(self) -> None:
        """Learn the time, refresh what is carried, hand in. What was done before a failure stays.

        Raises: TerminalError, BundleError, StatusListError, OSError;
        what the journal's disk refuses.
        """
        journal, carried, clock = self._desk.journal, self._desk.carried, self._desk.clock
        journal.keep_time(clock.to_keep())
        try:
            self._contact()
        except RequestRefusedError as error:
            self._obey(error)
            raise
        self._failing_over.heard()
        journal.keep_time(clock.to_keep())
        self._hand_in()
        carried.drop_old(clock.now())
        journal.drop_old(clock.timestamp())
        self._refresh()

    @contextmanager
    def running(self, every_seconds: float = EVERY_SECONDS) -> Iterator[None]:
        """A round at once and then every so often, while the block runs."""
        with repeated(
            self.round,
            every_seconds=every_seconds,
            name="rounds",
            failure="round_failed",
            log=_log,
            at_once=True,
        ):
            yield

    def _contact(self) -> None:
        described = self._client.describe()
        self._desk.clock.learn(datetime.fromisoformat(described["server_time"]).timestamp())
        self._desk.carried.take_terminal(described)

    def _obey(self, error: RequestRefusedError) -> None:
        if error.code in _SHUT_OUT:
            self._desk.carried.take_terminal({})

    def _refresh(self) -> None:
        """A list that can't be believed leaves the others: each is told, the first is raised."""
        bundle = self._desk.carried.take_bundle(self._fetch("/v1/terminal/bundle").data)
        failure: StatusListError | None = None
        for one in bundle.content.status_lists:
            name = (one.issuer, one.day_ends_at)
            try:
                self._refresh_list(name)
            except RequestRefusedError as error:
                # The day of an old bundle may be swept, another issuer's list may not have come.
                if error.code != "not_found":
                    raise
            except StatusListError as error:
                _log.warning(
                    '{"event": "list_refused", "issuer": %d, "error": "%s"}', one.issuer, error.code
                )
                failure = failure or error
        if failure is not None:
            raise failure

    def _refresh_list(self, name: ListName) -> None:
        """An update of the list that is held, or the whole list where that does not fit."""
        issuer, day_ends_at = name
        carried, now = self._desk.carried, self._desk.clock.now
        target = f"/v1/terminal/status-lists/{issuer}/{int(day_ends_at.timestamp())}"
        held = carried.view.lists.get(name)
        if held is not None:
            with suppress(StatusListError):
                update = self._fetch(f"{target}?have={held.head.version}")
                carried.take_list(update.data, name, now())
                return
        carried.take_list(self._fetch(target).data, name, now())

    def _fetch(self, target: str) -> Fetched:
        fetched = self._client.fetch(target)
        self._desk.clock.learn(fetched.service_seconds)
        return fetched

    def _hand_in(self) -> None:
        """Every record stays until the service has said what became of it."""
        while pending := self._desk.journal.pending(RECORDS_MAX):
            outcomes = self._client.upload(pending)
            known = {one.record.request_id for one in pending} & outcomes.keys()
            if not known:
                return
            self._desk.journal.note_outcomes({name: outcomes[name] for name in known})
