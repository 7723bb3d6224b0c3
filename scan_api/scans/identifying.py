"""Codes signed for identifying only: steps 7 and 8 in one round trip to the fast store.

The fast store says whether the code is spent by this request, and hands out the card's sealed
record; the answer leaves at once and its record follows within a second (`writing`). Whatever the
fast store can't say for certain goes to the kernel's group instead, which never accepts such a
code: it judges the card and says `show_new_code`, and that refusal is durable before it is told.
"""

import asyncio
import logging
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from card_core.errors import FastStoreError, InDoubtError, TamperedRowError
from card_core.fast_store import (
    RECORD_KEPT_SECONDS,
    STATE_USABLE,
    FastStore,
    Hindrance,
    NoCard,
    Outcome,
    Refused,
    Repeated,
    Spent,
    Ticket,
    Used,
)
from card_core.kernel import Kernel, card_records, identified
from card_core.kernel.card_records import CardRecord
from card_core.kernel.scan_requests import ScanRequest
from card_core.store.institutions import Institution, Terminal
from card_core.verdicts import Reason
from scan_api.scans.writing import ScanWriter

# One to miss the card, and two for a card that changes while it is loaded.
SPENDS_MAX = 3
STATE_REFUSED = 2
# How long a starting process waits for its fast store before it takes requests without it.
START_SECONDS_MAX = 1.0
START_POLL_SECONDS = 0.02

Serving = tuple[Terminal, Institution]
_Found = tuple[Reason, CardRecord | None]

_log = logging.getLogger("sscard.scans")


class IdentifyDesk:
    """Where codes are scanned that only identify; one a process, in its event loop."""

    def __init__(self, kernel: Kernel, writer: ScanWriter, fast: FastStore) -> None:
        self._kernel = kernel
        self._writer = writer
        self._fast = fast

    async def start(self) -> None:
        """Begin to use the fast store; whether it can be used is not waited for for long."""
        await self._fast.start()
        loop = asyncio.get_running_loop()
        until = loop.time() + START_SECONDS_MAX
        while self._fast.ready() is not None and loop.time() < until:
            await asyncio.sleep(START_POLL_SECONDS)

    async def close(self) -> None:
        await self._fast.close()

    def ready(self) -> Hindrance | None:
        """Why such codes are refused now; None where they are not."""
        return self._fast.ready()

    async def record(self, asked: ScanRequest, serving: Serving, now: datetime) -> bytes:
        """Return the answer as JSON (`card_core.kernel.identified`), with its record on its way.

        asked: with what a code signed for identifying only presents, at one of our terminals.
        Raises: CardCoreError.
        """
        if not self._writer.take_place():
            return await self._writer.submit(asked)
        try:
            content = asked.content()
            digest = identified.request_digest(asked, content)
            found = await self._decide(asked, digest[: identified.TAG_SIZE_BYTES], now)
        except FastStoreError as error:
            _log.debug("identify: %s", error)
            found = None
        except BaseException:
            self._writer.leave_place()
            raise
        if found is None:
            self._writer.leave_place()
            return await self._writer.submit(asked)
        reason, record = found
        kernel = self._kernel
        one = identified.decided(
            asked,
            serving,
            reason,
            record,
            now,
            content=content,
            digest=digest,
            cipher=kernel.store.cipher,
            grants=kernel.grants,
        )
        self._writer.keep(one)
        return one.answer

    async def _decide(self, asked: ScanRequest, tag: bytes, now: datetime) -> _Found | None:
        """The verdict, and the card where it was read; None where it can't be known here.

        Raises FastStoreError, StoreError, ReplayedRequestError.
        """
        presented = asked.presented
        if presented is None or presented.ecard_id is None:
            return None
        ecard_id, minted_at = presented.ecard_id, int(presented.minted_at.timestamp())
        for _ in range(SPENDS_MAX):
            outcome = await self._fast.spend(ecard_id, minted_at, presented.nonce, tag)
            if not isinstance(outcome, NoCard):
                return await self._verdict(asked, ecard_id, outcome, now)
            loaded = await self._load(ecard_id, now)
            if loaded is None or loaded.issuer != presented.issuer:
                return Reason.UNKNOWN_CARD, None
            await self._put(outcome.ticket, ecard_id, loaded, now)
        return None

    async def _verdict(
        self, asked: ScanRequest, ecard_id: int, outcome: Outcome, now: datetime
    ) -> _Found | None:
        match outcome:
            case Spent(sealed):
                record = await self._record(ecard_id, sealed, now)
                if record is None:
                    return Reason.UNKNOWN_CARD, None
                return identified.reason_of_record(asked, record) or Reason.ACCEPTED, record
            case Repeated(sealed):
                return await self._repeated(asked, ecard_id, sealed, now)
            case Refused(_, sealed):
                record = await self._record(ecard_id, sealed, now)
                against = record and identified.reason_of_record(asked, record)
                return None if against is None else (against, record)
            case Used():
                return Reason.ALREADY_USED, None
        return None

    async def _repeated(
        self, asked: ScanRequest, ecard_id: int, sealed: bytes, now: datetime
    ) -> _Found | None:
        """The answer of the first time again. Whoever replays a signed request gets none, and a
        card that was lost since gets what is on record of the first time, if anything is."""
        record = await (
            self._record(ecard_id, sealed, now) if sealed else self._load(ecard_id, now)
        )
        if record is None or identified.reason_of_record(asked, record) is not None:
            return None
        if asked.proof is not None:
            await run_in_threadpool(self._kernel.spend_proof, asked.proof, actor=asked.actor)
        return Reason.ACCEPTED, record

    async def _record(self, ecard_id: int, sealed: bytes, now: datetime) -> CardRecord | None:
        """What the fast store has of a card, or its rows where that is not good any more.

        Raises InDoubtError for a record that nobody of ours sealed for this card just now.
        """
        kernel = self._kernel
        views = identified.views_of(kernel.grants)
        try:
            record = card_records.open_(kernel.store.cipher, ecard_id, sealed, views, now)
        except TamperedRowError:
            _log.warning('{"event": "card_record_tampered"}')
            raise InDoubtError("record") from None
        return record or await self._load(ecard_id, now)

    async def _load(self, ecard_id: int, now: datetime) -> CardRecord | None:
        """Raises TamperedRowError, StoreError."""
        kernel = self._kernel

        def read() -> CardRecord | None:
            with kernel.store.read() as tx:
                return card_records.load(tx, ecard_id, identified.views_of(kernel.grants), now)

        return await run_in_threadpool(read)

    async def _put(self, ticket: Ticket, ecard_id: int, record: CardRecord, now: datetime) -> None:
        """It is judged and made for its day, and not kept beyond it."""
        kernel = self._kernel
        views = identified.views_of(kernel.grants)
        await self._fast.put_card(
            ticket,
            record.version,
            STATE_USABLE if record.against is None else STATE_REFUSED,
            card_records.seal(kernel.store.cipher, ecard_id, record, views),
            kept_seconds=max(1, min(RECORD_KEPT_SECONDS, int(record.good_for_seconds(now)))),
        )
