"""Acts that take accepted applications in: into a batch as a roster's rows, or to be made at once.

The card that a replacement or an exchange follows ends here: from now on the next one is made. A
batch that is rejected leaves its people without an application, who then apply anew.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from card_core import states
from card_core.application import Application, ApplicationKind
from card_core.application_errors import ApplicationRefusedError
from card_core.applying import MakingMode
from card_core.errors import InvalidActError, TamperedRowError
from card_core.kernel import approvals, card_moves, limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.acts import batches as batch_acts
from card_core.kernel.acts.filings import application_of, lock_filing
from card_core.kernel.filing_checks import Applicant, check_eligible
from card_core.states import FilingState, MakingState, Step
from card_core.store import Lock, cards, filings, holder_base
from card_core.store.filings import Filing

# As many as one chunk has cards: the act is short, and a window's day has fewer.
TAKEN_IN_MAX = batch_acts.CHUNK_SIZE

_ENDS = {ApplicationKind.REPLACEMENT: Step.REPLACE, ApplicationKind.EXCHANGE: Step.EXCHANGE}
_NO_FILE = bytes(32)


@dataclass(frozen=True, slots=True)
class BatchFilings(Act):
    """入批次: make a batch of the oldest accepted applications, and propose its release.

    count_max: how many at most. One whose person may not have the card any more is refused by
    itself; the answer lists those as {"row", "code"}, `row` counted from 1 over what was looked
    at. Answer: as of ImportRoster; where nothing is left, `batch_id` is None.
    """

    act: ClassVar[str] = "batch_filings"

    name: str
    count_max: int = TAKEN_IN_MAX

    def __post_init__(self) -> None:
        limits.check_text("name", self.name)
        limits.check_range("count_max", self.count_max, 1, TAKEN_IN_MAX)

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        holder_base.lock(tx, Lock.SHARED)
        filings.lock(tx, Lock.OWN)
        taken: list[tuple[Filing, Application]] = []
        refused: list[dict[str, Any]] = []
        for row, filing in enumerate(self._waiting(scene), 1):
            try:
                application, applicant = _still_eligible(scene, filing)
            except ApplicationRefusedError as error:
                refused.append({"row": row, "code": error.code})
                _refuse(scene, filing, error.code)
                continue
            _end_old_card(scene, applicant, application.kind)
            taken.append((filing, application._replace(row=row)))
        answer: dict[str, Any] = {
            "batch_id": None,
            "approval_id": None,
            "content_hash": None,
            "accepted": len(taken),
            "refused": refused,
            "chunks": min(len(taken), 1),
        }
        detail: dict[str, Any] = {"accepted": len(taken), "refused": len(refused)}
        if not taken:
            return Done(answer, "batch/none", detail)
        good = [application for _, application in taken]
        batch = batch_acts.store_batch(scene, self.name, _NO_FILE, good, len(refused))
        for filing, _ in taken:
            _take_in(scene, filing, batch.id)
        release = batch_acts.ReleaseBatch(batch.id, batch.content_root)
        approval = approvals.propose(scene, release)
        proposed = {"approval_id": approval.id, "content_hash": approval.content_hash}
        answer |= {"batch_id": batch.id, **proposed}
        detail |= {"content_root": batch.content_root.hex(), **proposed}
        return Done(answer, f"batch/{batch.id}", detail)

    def _waiting(self, scene: Scene) -> list[Filing]:
        found: list[Filing] = []
        while len(found) < self.count_max:
            page = filings.page(
                scene.tx,
                FilingState.ACCEPTED,
                mode=MakingMode.BATCH,
                after=found[-1].id if found else "",
            )
            found += page
            if not page:
                break
        return found[: self.count_max]


@dataclass(frozen=True, slots=True)
class IssueAtOnce(Act):
    """即时制卡: give an accepted application its card number, in a batch of one; the card is then
    made by the device of its branch (`acts.at_once`).

    Two people have decided it: who filed it and who accepted it. Answer: card_id, card_number,
    batch_id. Raises ApplicationRefusedError where the person may not have it any more.
    """

    act: ClassVar[str] = "issue_at_once"

    filing_id: str

    def __post_init__(self) -> None:
        limits.check_id("filing_id", self.filing_id)

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        holder_base.lock(tx, Lock.SHARED)
        filings.lock(tx, Lock.SHARED)
        filing = lock_filing(tx, self.filing_id)
        states.after(states.FILING, "application", filing.state, Step.TAKE_IN)
        if filing.mode is not MakingMode.AT_ONCE or filing.checker_id is None:
            raise InvalidActError("filing_id", "不是即时制卡的申领", "is not to be made at once")
        application, applicant = _still_eligible(scene, filing)
        ended = _end_old_card(scene, applicant, application.kind)
        row = application._replace(row=1)
        name = f"即时制卡 {filing.id[-8:]}"
        batch = batch_acts.issue_at_once(scene, name, row, None, making=MakingState.AWAITING_DEVICE)
        _take_in(scene, filing, batch.id)
        (card,) = cards.page(tx, batch_id=batch.id)
        answer = {"card_id": card.id, "card_number": card.card_number, "batch_id": batch.id}
        return Done(answer, f"card/{card.id}", {**answer, **ended, "filing_id": filing.id})


def _still_eligible(scene: Scene, filing: Filing) -> tuple[Application, Applicant]:
    application = application_of(scene.tx, filing.id)
    applicant = check_eligible(scene.tx, application, filing.mode, is_filed=True)
    return application, applicant


def _end_old_card(scene: Scene, applicant: Applicant, kind: ApplicationKind) -> dict[str, Any]:
    """What ended, for the audit log."""
    step = _ENDS.get(kind)
    if step is None:
        return {}
    if applicant.card is None:
        raise TamperedRowError("cards", applicant.holder_id or "")
    card = card_moves.lock_card(scene, applicant.card.id)
    card_moves.end(scene, card, step)
    return {"old_card_id": card.id}


def _take_in(scene: Scene, filing: Filing, batch_id: str) -> None:
    state = states.after(states.FILING, "application", filing.state, Step.TAKE_IN)
    filings.decide(scene.tx, filing, state, scene.now, batch_id=batch_id)


def _refuse(scene: Scene, filing: Filing, code: str) -> None:
    state = states.after(states.FILING, "application", filing.state, Step.REFUSE)
    filings.decide(scene.tx, filing, state, scene.now, refusal=code)
