"""Importing a roster (导入名册): its rows become a batch, whole or not at all.

The file is checked and stored in one pass, a portion of rows at a time, so that neither this
process nor the database holds a million rows at once. As long as the import is not closed, nobody
sees a batch; one that can't be closed takes back what it has stored, and one whose process died is
taken back by the next import.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType

from card_core.application import Application
from card_core.errors import CardCoreError, ImportUnderWayError
from card_core.kernel import Act, Actor, Answer, Kernel
from card_core.kernel.acts.imports import (
    IMPORT_LASTS,
    IMPORT_ROWS_MAX,
    CloseImport,
    DropImport,
    ImportRows,
    OpenImport,
)
from card_core.states import BatchState
from card_core.store import batches
from issuance.batches import new_request_id
from issuance.errors import BatchError
from issuance.roster import RosterReport, WholeRoster, check_stream, open_roster
from issuance.roster.check import Progress

REFUSED_AT_IMPORT: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "has_live_card": (
            "此人已有未注销的社保卡,请勿重复申领;补领、换领请到窗口办理",
            "This person has a card that is not cancelled; replacements are made at the counter",
        ),
        "has_open_application": (
            "此人已有在办申领,请等该批次办结",
            "This person's application is under way in another batch; wait for it",
        ),
        "record_merged": (
            "该号码的持卡人记录已合并到另一记录，请以现用号码申领；见 sscard holder show",
            "This number's record was merged; apply with the number of the one that stays",
        ),
        "has_stock_card": (
            "此人的存量卡正在接管，请等接管办结",
            "A card that this person has already is being taken over; wait for it",
        ),
        "twice_in_roster": (
            "与前面某行是同一人,每人只保留一行",
            "The same person stands in an earlier row; keep one row for each person",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import. batch_id, approval_id: None where no row was left.

    refused: rows refused against the holders and cards that there are, by code of
    REFUSED_AT_IMPORT.
    """

    batch_id: str | None
    approval_id: str | None
    accepted: int
    refused: Mapping[str, Sequence[int]]


@dataclass(slots=True)
class Import:
    """An import under way, made by `opened_import`. batch_id: None before it has begun.

    refused: as in Imported. Its methods raise KernelError and StoreError.
    """

    kernel: Kernel
    name: str
    actor: Actor
    batch_id: str | None = None
    refused: "dict[str, array[int]]" = field(default_factory=dict)

    def take_file(
        self, path: Path, *, today: date, progress: Progress | None = None
    ) -> RosterReport:
        """Check a roster file and store its good rows. today: the day in Asia/Shanghai.

        Raises RosterFileError; ImportUnderWayError while somebody else imports the same file.
        """
        with open_roster(path) as roster:
            self._begin(roster.digest_hex)
            return check_stream(roster, today=today, take=self._take, progress=progress)

    def take_roster(self, found: WholeRoster) -> None:
        """Store the people of a roster that was checked before."""
        self._begin(found.digest_hex)
        self._take(found.applications)

    def close(self, found: RosterReport) -> Imported:
        """The batch is there, and its release proposed.

        Raises BatchError when no row of the roster itself was good.
        """
        if not found.accepted:
            raise BatchError(
                "no_row_accepted",
                "名册中没有可以受理的行，未建立批次。请按提示修改后重新导入。",
                "No row of the roster was accepted and no batch was made. Correct the rows and "
                "import the roster again.",
            )
        answer = self._perform(CloseImport(self._begun(), len(found.refused)))
        return Imported(answer["batch_id"], answer["approval_id"], answer["accepted"], self.refused)

    def drop(self) -> None:
        """Take back whatever is stored."""
        if self.batch_id is not None:
            _drop(self.kernel, self.batch_id, self.actor)

    def _begin(self, digest_hex: str) -> None:
        file_digest = bytes.fromhex(digest_hex)
        _drop_the_dead(self.kernel, file_digest, self.actor)
        self.batch_id = self._perform(OpenImport(self.name, file_digest))["batch_id"]

    def _take(self, people: Sequence[Application]) -> None:
        for first in range(0, len(people), IMPORT_ROWS_MAX):
            portion = tuple(people[first : first + IMPORT_ROWS_MAX])
            answer = self._perform(ImportRows(self._begun(), portion))
            for one in answer["refused"]:
                self.refused.setdefault(one["code"], array("I")).append(one["row"])

    def _begun(self) -> str:
        if self.batch_id is None:
            raise ValueError("nothing was taken yet")
        return self.batch_id

    def _perform(self, act: Act) -> Answer:
        return self.kernel.perform(act, actor=self.actor, request_id=new_request_id())


@contextmanager
def opened_import(kernel: Kernel, *, name: str, actor: Actor) -> Iterator[Import]:
    """An import that takes everything back unless it is closed within.

    Run again for the same file, also after a crash, it makes no second batch: everybody in the
    first one has an open application.
    """
    importing = Import(kernel, name, actor)
    try:
        yield importing
    except BaseException:
        # What is wrong already is what to tell; the next import drops what can't be dropped now.
        with suppress(CardCoreError):
            importing.drop()
        raise


def import_roster(kernel: Kernel, found: WholeRoster, *, name: str, actor: Actor) -> Imported:
    """Import a roster that was checked before. Raises BatchError, KernelError, StoreError."""
    with opened_import(kernel, name=name, actor=actor) as importing:
        importing.take_roster(found)
        return importing.close(found)


def _drop_the_dead(kernel: Kernel, file_digest: bytes, actor: Actor) -> None:
    """Drop this person's own import of the same file, and what others left long ago."""
    with kernel.store.read() as tx:
        left = batches.not_whole(tx)
    for one in left:
        is_recent = kernel.clock() < one.created_at + IMPORT_LASTS
        may_be_under_way = one.state is BatchState.IMPORTING and is_recent
        if one.maker_id == actor.id and one.file_digest != file_digest and may_be_under_way:
            continue  # their own, of another file
        with suppress(ImportUnderWayError):  # somebody is at it
            _drop(kernel, one.id, actor)


def _drop(kernel: Kernel, batch_id: str, actor: Actor) -> None:
    rows_left = True
    while rows_left:
        answer = kernel.perform(DropImport(batch_id), actor=actor, request_id=new_request_id())
        rows_left = answer["rows_left"] > 0
