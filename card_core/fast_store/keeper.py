"""Keeps the lease on the epoch, in a thread of its own, and asks for a new epoch in doubt.

Every turn does one step:

    1  read the row, and take a lease from before the reading on
    2  look at the servers; they must be those that the row names, masters, and not evict
    3  in doubt: close the epoch
    4  closed: make the first buckets under a new name, and open the next epoch with it
    5  open, and the buckets last no longer than half their time: ask for more, and make them

Several workers do this side by side. Of those that close or open one succeeds, by the row's
number; of those that ask for more buckets one is granted them.
"""

import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from card_core.errors import FastStoreError, StoreError
from card_core.fast_store import layout
from card_core.fast_store.lease import Lease
from card_core.fast_store.readiness import Hindrance
from card_core.fast_store.servers import Survey
from card_core.kernel import Actor, ActorKind, Answer, Kernel
from card_core.kernel.act import Act
from card_core.kernel.acts.epochs import LEASE_SECONDS, CloseEpoch, GrantBuckets, OpenEpoch
from card_core.store import epochs
from card_core.store.epochs import Epoch

TURN_SECONDS = 0.5
TROUBLED_TURN_SECONDS = 0.2
# Whoever wakes the keeper again and again does not keep it from everything else.
PAUSE_SECONDS = 0.05
# Between one reading of the database's clock and the next, more than this is a step back.
STEP_BACK_SECONDS = 1.0
ACTOR = Actor(ActorKind.SYSTEM, "fast_store")

_log = logging.getLogger("sscard.fast_store")


class Backing(Protocol):
    """Where the marks are: Redis servers, or this process."""

    def survey(self) -> Survey: ...

    def forget(self) -> None: ...

    def make_buckets(self, name: str, since: int, until: int, *, now: float) -> None: ...

    def close(self) -> None: ...


class Keeper:
    """lease: the one in force, None without; whoever uses it looks at its end first.

    monotonic: seconds that never go back, and go on while a process is stopped. hindrance: why
    there is no use in asking, None if there is.
    """

    def __init__(self, kernel: Kernel, backing: Backing, *, monotonic: Callable[[], float]) -> None:
        self.lease: Lease | None = None
        self.hindrance: Hindrance | None = Hindrance.STARTING
        self._kernel = kernel
        self._backing = backing
        self._monotonic = monotonic
        self._told: Hindrance | None = None
        self._doubted: tuple[int, str] | None = None
        self._seen = 0  # the highest number of an epoch
        self._reached = 0.0  # the latest time that was ever reckoned, Unix seconds
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="fast-store-keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and the lease. The epoch stays open: others may be using it."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.lease = None
        self._backing.close()

    def wake(self) -> None:
        self._wake.set()

    def lease_seconds(self) -> float | None:
        """For how long the lease still holds; None without one."""
        lease = self.lease
        return None if lease is None else max(0.0, lease.ends_at - self._monotonic())

    def doubt(self, number: int, cause: str) -> None:
        """Stop using an epoch at once, and close it for everybody soon. From any thread."""
        lease = self.lease
        if lease is not None and lease.number == number:
            self._doubted = (number, cause)
            self.lease = None
            self._wake.set()

    def turn(self) -> bool:
        """One step. True if there is another one to do at once. Raises StoreError."""
        read_at = self._monotonic()
        with self._kernel.store.read() as tx:
            database_at = epochs.database_time(tx).timestamp()
            epoch = epochs.get(tx)
        self._reckon(epoch, read_at, database_at)
        try:
            survey = self._backing.survey()
        except FastStoreError:
            self.hindrance = Hindrance.AWAY
            survey = None
        cause = self._why_doubt(epoch, survey, database_at)
        if cause is not None:
            self._close(epoch, cause)
            return True
        if survey is None or epoch is None:
            return False
        newer = epoch.is_open and epoch.layout > layout.LAYOUT
        self.hindrance = Hindrance.NEWER_PROGRAM if newer else survey.hindrance
        if self.hindrance is not None:
            return False
        if not epoch.is_open:
            return self._open(epoch, survey, database_at)
        if epoch.made_until - database_at < layout.MADE_AHEAD_SECONDS / 2:
            self._extend(epoch, database_at)
        return False

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            again = False
            try:
                again = self.turn()
            except StoreError as error:
                self.hindrance = Hindrance.NO_LEASE
                _log.debug("no lease: %s", error.code)
            except FastStoreError as error:
                self.hindrance = Hindrance.AWAY
                _log.debug("%s", error)
            except Exception:  # noqa: BLE001 - a thread that ended would never give a lease again
                _log.exception("the keeper failed")
            self._tell()
            self._stop.wait(PAUSE_SECONDS)
            if not again:
                well = self.hindrance is None
                turn_seconds = TURN_SECONDS if well else TROUBLED_TURN_SECONDS
                self._wake.wait(turn_seconds - PAUSE_SECONDS)

    def _tell(self) -> None:
        """Tell the log, once, why codes that only identify are refused, and when it is over."""
        hindrance = self.hindrance
        if hindrance is self._told or hindrance is Hindrance.STARTING:
            return
        if hindrance is None:
            _log.warning('{"event": "fast_store_usable"}')
        else:
            told = {"cause": hindrance.value, "zh": hindrance.text_zh, "en": hindrance.text_en}
            _log.warning(json.dumps({"event": "fast_store_hindered", **told}, ensure_ascii=False))
        self._told = hindrance

    def _reckon(self, epoch: Epoch | None, read_at: float, database_at: float) -> None:
        old = self.lease
        if old is not None:
            until = min(self._monotonic(), old.ends_at)
            self._reached = max(self._reached, until + old.ahead_seconds)
        number = 0 if epoch is None else epoch.number
        if number < self._seen:  # another database, or this one restored
            self._doubted = (number, "row_went_back")
        self._seen = number
        if epoch is None or not epoch.is_open or epoch.layout != layout.LAYOUT:
            self.lease = None
            return
        self.lease = Lease.of(epoch, read_at=read_at, database_at=database_at)
        if self._doubted is not None and self._doubted[0] == number:
            self.lease = None  # looked at last, so that a doubt that comes now is not passed over

    def _why_doubt(
        self, epoch: Epoch | None, survey: Survey | None, database_at: float
    ) -> str | None:
        """A word for the log, None where nothing is wrong."""
        if epoch is None:
            return "first" if survey is not None and survey.hindrance is None else None
        if not epoch.is_open or epoch.layout > layout.LAYOUT:
            return None
        if self._doubted is not None and self._doubted[0] == epoch.number:
            return self._doubted[1]
        causes = {
            "layout": epoch.layout < layout.LAYOUT,
            "database_clock": max(database_at, epoch.not_before)
            < self._reached - STEP_BACK_SECONDS,
            "not_made": database_at >= epoch.made_until,
            "evicts": survey is not None and survey.hindrance is Hindrance.EVICTS,
            "nodes": survey is not None
            and survey.hindrance is None
            and survey.nodes != epoch.nodes,
        }
        return next((cause for cause, is_so in causes.items() if is_so), None)

    def _close(self, epoch: Epoch | None, cause: str) -> None:
        number = 0 if epoch is None else epoch.number
        self.lease = None
        answer = self._perform(CloseEpoch(number, layout.LAYOUT, cause))
        self._backing.forget()
        self._doubted = None
        if answer["closed"]:
            _log.warning("epoch %d closed: %s", number, cause)

    def _open(self, epoch: Epoch, survey: Survey, database_at: float) -> bool:
        name = self._kernel.random_bytes(8).hex()
        since = int(database_at)
        until = since + layout.MADE_AHEAD_SECONDS
        until -= until % layout.BUCKET_SECONDS
        self._backing.make_buckets(name, since, until, now=database_at)
        reached = self._reached
        if reached > database_at + STEP_BACK_SECONDS:
            reached += LEASE_SECONDS  # other workers may have reckoned a little further
        act = OpenEpoch(
            number=epoch.number,
            layout=layout.LAYOUT,
            name=name,
            nodes=tuple(sorted(survey.nodes)),
            made_until=until,
            not_after=datetime.fromtimestamp(reached, UTC),
        )
        answer = self._perform(act)
        if answer["opened"]:
            _log.warning("epoch %d opened", epoch.number)
        return True

    def _extend(self, epoch: Epoch, database_at: float) -> None:
        until = epoch.made_until + layout.MADE_AHEAD_SECONDS
        until -= until % layout.BUCKET_SECONDS
        answer = self._perform(GrantBuckets(epoch.number, epoch.made_until, until))
        if not answer["granted"]:
            return
        try:
            self._backing.make_buckets(epoch.name or "", epoch.made_until, until, now=database_at)
        except FastStoreError:
            # The right is used up: nobody else makes them now.
            self.doubt(epoch.number, "buckets")

    def _perform(self, act: Act) -> Answer:
        request_id = self._kernel.random_bytes(16).hex()
        return self._kernel.perform(act, actor=ACTOR, request_id=request_id)
