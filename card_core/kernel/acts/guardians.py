"""Acts on guardianships (监护关系): an adult holder acts for a holder under 16.

Bound by two people on a document whose number is kept; over by itself on the ward's 16th birthday,
earlier where the guardian or the bureau ends it.
"""

from dataclasses import dataclass
from typing import ClassVar

from card_core import states
from card_core.application_errors import FamilyError
from card_core.applying import GUARDIAN_EVIDENCE, FilingEvidence
from card_core.errors import AlreadyExistsError, InvalidActError, NotFoundError
from card_core.identity import is_at_least
from card_core.identity.age import ADULT_YEARS, GUARDED_UNDER_YEARS
from card_core.kernel import family_bindings, limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.actors import ActorKind
from card_core.kernel.acts.filings import REFERENCE_MAX, today_of
from card_core.kernel.dates import years_later
from card_core.states import BindingState, Step
from card_core.store import (
    Lock,
    Reader,
    erasure,
    guardianships,
    holder_base,
    holder_changes,
)
from card_core.store.guardianships import Guardianship

GUARDIANS_MAX = 4


@dataclass(frozen=True, slots=True, repr=False)
class BindGuardian(DangerousAct):
    """登记监护人. ward_id, guardian_id: of their records.

    evidence, reference: what shows it, and its number. Answer: guardianship_id, ends_on (ISO 8601).
    Raises FamilyError for a ward who is 16 or a guardian who is not an adult.
    """

    act: ClassVar[str] = "bind_guardian"
    names_people: ClassVar[bool] = True

    ward_id: str
    guardian_id: str
    evidence: FilingEvidence
    reference: str

    def __post_init__(self) -> None:
        limits.check_id("ward_id", self.ward_id)
        limits.check_id("guardian_id", self.guardian_id)
        limits.check_text("reference", self.reference, characters_max=REFERENCE_MAX)
        if self.evidence not in GUARDIAN_EVIDENCE:
            raise InvalidActError(
                "evidence", "须为能证明监护关系的材料", "must be one that shows a guardianship"
            )

    def summary(self, tx: Reader) -> str:
        del tx
        return (
            f"登记监护人：记录 {self.guardian_id} 为记录 {self.ward_id} 的监护人"
            f"（{self.evidence.value}） / Bind record {self.guardian_id} as guardian of record "
            f"{self.ward_id} ({self.evidence.value})"
        )

    def apply(self, scene: Scene) -> Done:
        tx, today = scene.tx, today_of(scene)
        holder_base.lock(tx, Lock.SHARED)
        tx.lock(f"guardianships/of/{self.ward_id}", Lock.OWN)
        for holder_id in (self.ward_id, self.guardian_id):
            if holder_changes.merged_into(tx, holder_id) or erasure.is_erased(tx, holder_id):
                raise NotFoundError("holder")
        ward = family_bindings.holder_of(tx, self.ward_id)
        guardian = family_bindings.holder_of(tx, self.guardian_id)
        if not family_bindings.is_guarded(ward, today):
            raise FamilyError(
                "not_a_minor",
                f"已满 {GUARDED_UNDER_YEARS} 周岁，本人办理，不登记监护人",
                f"Whoever is {GUARDED_UNDER_YEARS} acts for themselves and has no guardian here",
            )
        if not is_at_least(ADULT_YEARS, birth_on=guardian.birth_on, today=today):
            raise FamilyError(
                "guardian_not_adult",
                f"监护人须年满 {ADULT_YEARS} 周岁",
                f"A guardian has to be {ADULT_YEARS} or older",
            )
        if guardianships.active_between(tx, ward.id, guardian.id):
            raise AlreadyExistsError("guardianship")
        there = [one for one in guardianships.of_holder(tx, ward.id) if one.is_in_force(today)]
        limits.check_range("ward_id", len(there) + 1, 1, GUARDIANS_MAX)
        bound = Guardianship(
            id=scene.new_id(),
            ward_id=ward.id,
            guardian_id=guardian.id,
            state=BindingState.ACTIVE,
            evidence=self.evidence,
            ends_on=years_later(ward.birth_on, GUARDED_UNDER_YEARS),
            began_at=scene.now,
        )
        guardianships.add(tx, bound, self.reference)
        answer = {"guardianship_id": bound.id, "ends_on": bound.ends_on.isoformat()}
        people = {"ward_id": ward.id, "guardian_id": guardian.id}
        return Done(answer, f"holder/{ward.id}", {**people, "guardianship_id": bound.id})


@dataclass(frozen=True, slots=True)
class EndGuardianship(Act):
    """解除监护登记, by the bureau or the guardian; whatever rests on it ends with it.

    Answer: guardianship_id, state.
    """

    act: ClassVar[str] = "end_guardianship"

    guardianship_id: str

    def __post_init__(self) -> None:
        limits.check_id("guardianship_id", self.guardianship_id)

    def apply(self, scene: Scene) -> Done:
        found = guardianships.get(scene.tx, self.guardianship_id, Lock.OWN)
        if found is None:
            raise NotFoundError("guardianship")
        if scene.actor.kind is ActorKind.HOLDER and found.guardian_id != scene.actor.id:
            raise NotFoundError("guardianship")
        state = states.after(states.BINDING, "guardianship", found.state, Step.END)
        family_bindings.end_guardianship(scene.tx, found.id, scene.now)
        answer = {"guardianship_id": found.id, "state": state.value}
        return Done(answer, f"holder/{found.ward_id}", answer)
