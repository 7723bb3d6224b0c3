"""Acts on applications made one by one (申领单), at a window or online.

    FileApplication   an operator enters it with the applicant at the window, or a holder applies
                      for their own next card, or for a child's card as guardian
    AcceptFiling      another person has checked it
    RefuseFiling      or refuses it, with a reason
    WithdrawFiling    whoever applied wants it no more

An application comes here checked as a roster's row is. What becomes of one that is accepted is in
`acts.taking_in`. Nothing of an applicant is written into the holder base before the card is made.
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from card_core import applying, states
from card_core.application import Application, ApplicationKind
from card_core.applying import Channel, FilingEvidence, MakingMode, RefusalReason
from card_core.errors import InvalidActError, NotAllowedError, NotFoundError, SamePersonError
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.actors import ActorKind
from card_core.kernel.content import canonical_bytes, from_json, to_json
from card_core.kernel.dates import SHANGHAI
from card_core.kernel.filing_checks import check_eligible, check_guardian, refused
from card_core.states import FilingState, Step
from card_core.store import Lock, Reader, Transaction, filings, holder_base, holders
from card_core.store.filings import Filing

REFERENCE_MAX = 64
# How many applications of one holder may wait: their own, and a few children's.
OPEN_MAX = 5


@dataclass(frozen=True, slots=True, repr=False)
class FileApplication(Act):
    """申领受理. mode: whether the card is made at once or in a batch.

    evidence, reference: what was seen and the number of it; for somebody under 16 what shows the
    guardian. A holder shows nothing: whoever checks it does.
    Answer: filing_id, and its state: `accepted` where no second person is asked.
    Raises ApplicationRefusedError, whose code says why this person may not have it; of a child for
    whom a holder applies that is asked when it is accepted. NotAllowedError where a holder applies
    for somebody else than themselves or a child of theirs.
    """

    act: ClassVar[str] = "file_application"

    application: Application
    mode: MakingMode
    evidence: FilingEvidence | None = None
    reference: str | None = None

    def __post_init__(self) -> None:
        if self.reference is not None:
            limits.check_text("reference", self.reference, characters_max=REFERENCE_MAX)

    def apply(self, scene: Scene) -> Done:
        tx, today = scene.tx, today_of(scene)
        holder_base.lock(tx, Lock.SHARED)
        filings.lock(tx, Lock.OWN)
        application = self.application
        channel, is_wards = _channel_of(scene), False
        if scene.actor.kind is ActorKind.HOLDER:
            channel, is_wards = Channel.ONLINE, self._is_wards(scene, today)
        else:
            if self.evidence is None:
                raise InvalidActError("evidence", "须注明查验的证件", "must say what was seen")
            check_guardian(application, self.evidence, self.reference, today=today)
        if not is_wards:
            check_eligible(tx, application, self.mode, is_filed=False)
        # What is known of a child is for whoever has shown that they are the guardian: until then
        # nothing of it is even looked up. What stands against it, the window tells.
        elif filings.has_open_one(tx, scene.actor.id, application.number.text):
            raise refused(applying.OPEN_APPLICATION)
        needs = applying.needs_check(application, channel, self.mode, today=today)
        filing = Filing(
            id=scene.new_id(),
            number_index=holders.index_of(tx, application.number.text),
            kind=application.kind,
            channel=channel,
            mode=self.mode,
            state=FilingState.FILED if needs else FilingState.ACCEPTED,
            filed_by=scene.actor.id,
            checker_id=None,
            evidence=self.evidence,
            refusal=None,
            batch_id=None,
            filed_at=scene.now,
            decided_at=None,
        )
        filings.add(tx, filing, canonical_bytes(to_json(application)), self.reference)
        answer = {"filing_id": filing.id, "state": filing.state.value}
        kinds = {"kind": filing.kind.value, "channel": channel.value, "mode": self.mode.value}
        return Done(answer, f"filing/{filing.id}", answer | kinds)

    def _is_wards(self, scene: Scene, today: date) -> bool:
        """Whether a holder applies as the guardian of somebody under 16, and not for themselves.

        Raises NotAllowedError for anybody else's.
        """
        if self.evidence is not None or self.reference is not None:
            raise NotAllowedError
        own = holders.identity_of(scene.tx, scene.actor.id)
        application = self.application
        guardian = application.guardian_number
        is_own = application.number.text == own.social_security_number
        is_ward = (
            applying.is_guarded(application, today)
            and guardian is not None
            and guardian.text == own.social_security_number
            and application.guardian_name == own.name
            and application.kind is ApplicationKind.NEW
        )
        if not (is_own or is_ward):
            raise NotAllowedError
        if filings.count_open_by(scene.tx, scene.actor.id) >= OPEN_MAX:
            raise InvalidActError(
                "application", f"在办申领最多 {OPEN_MAX} 件", f"at most {OPEN_MAX} may be open"
            )
        return not is_own


@dataclass(frozen=True, slots=True)
class AcceptFiling(Act):
    """复核受理, by another person than whoever entered it. Raises SamePersonError.

    evidence, reference: given for an application that came online; kept with it.
    Answer: filing_id, state.
    """

    act: ClassVar[str] = "accept_filing"

    filing_id: str
    evidence: FilingEvidence | None = None
    reference: str | None = None

    def __post_init__(self) -> None:
        limits.check_id("filing_id", self.filing_id)
        if self.reference is not None:
            limits.check_text("reference", self.reference, characters_max=REFERENCE_MAX)

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        holder_base.lock(tx, Lock.SHARED)
        filings.lock(tx, Lock.OWN)
        filing = lock_filing(tx, self.filing_id)
        state = states.after(states.FILING, "application", filing.state, Step.ACCEPT)
        if filing.filed_by == scene.actor.id:
            raise SamePersonError
        application = application_of(tx, filing.id)
        evidence, reference = filing.evidence, filings.reference_of(tx, filing.id)
        if self.evidence is not None:
            if filing.evidence is not None:
                raise InvalidActError(
                    "evidence", "受理时已登记，不能改换", "was noted when it was filed, and stays"
                )
            evidence, reference = self.evidence, self.reference
            filings.keep_evidence(tx, filing, self.evidence, self.reference or "")
        if evidence is None:
            raise InvalidActError("evidence", "须注明查验的证件", "must say what was seen")
        check_guardian(application, evidence, reference, today=today_of(scene))
        check_eligible(tx, application, filing.mode, is_filed=True)
        if filings.has_accepted_one(tx, application.number.text):
            raise refused(applying.OPEN_APPLICATION)
        filings.decide(tx, filing, state, scene.now, checker_id=scene.actor.id)
        return _done(filing, state)


@dataclass(frozen=True, slots=True)
class RefuseFiling(Act):
    """不予受理. Answer: filing_id, state."""

    act: ClassVar[str] = "refuse_filing"

    filing_id: str
    reason: RefusalReason

    def __post_init__(self) -> None:
        limits.check_id("filing_id", self.filing_id)

    def apply(self, scene: Scene) -> Done:
        filing = lock_filing(scene.tx, self.filing_id)
        state = states.after(states.FILING, "application", filing.state, Step.REFUSE)
        more = {"checker_id": scene.actor.id, "refusal": self.reason.value}
        filings.decide(scene.tx, filing, state, scene.now, **more)
        return _done(filing, state, reason=self.reason.value)


@dataclass(frozen=True, slots=True)
class WithdrawFiling(Act):
    """撤回申领, at a window or by the holder who applied. Answer: filing_id, state."""

    act: ClassVar[str] = "withdraw_filing"

    filing_id: str

    def __post_init__(self) -> None:
        limits.check_id("filing_id", self.filing_id)

    def apply(self, scene: Scene) -> Done:
        filing = lock_filing(scene.tx, self.filing_id)
        if scene.actor.kind is ActorKind.HOLDER and filing.filed_by != scene.actor.id:
            raise NotFoundError("application")
        state = states.after(states.FILING, "application", filing.state, Step.WITHDRAW)
        filings.decide(scene.tx, filing, state, scene.now)
        return _done(filing, state)


def today_of(scene: Scene) -> date:
    """The day in Asia/Shanghai, by which ages are counted."""
    return scene.now.astimezone(SHANGHAI).date()


def _channel_of(scene: Scene) -> Channel:
    """Where an operator files."""
    return Channel.WINDOW if scene.standing.channel is None else Channel.HOME_VISIT


def lock_filing(tx: Transaction, filing_id: str) -> Filing:
    """Raises NotFoundError."""
    filing = filings.get(tx, filing_id, Lock.OWN)
    if filing is None:
        raise NotFoundError("application")
    return filing


def application_of(tx: Reader, filing_id: str) -> Application:
    """What was applied for. Raises TamperedRowError."""
    return from_json(Application, json.loads(filings.content_of(tx, filing_id)))


def _done(filing: Filing, state: FilingState, **more: str) -> Done:
    answer = {"filing_id": filing.id, "state": state.value}
    return Done(answer, f"filing/{filing.id}", {**answer, "from": filing.state.value, **more})
