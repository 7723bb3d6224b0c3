"""The act of ending a visit; its steps are scans (`card_core.kernel.scan_groups`)."""

from dataclasses import dataclass
from typing import ClassVar

from card_core import states
from card_core.errors import NotFoundError
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.states import Step
from card_core.store import Lock, visits


@dataclass(frozen=True, slots=True)
class EndVisit(Act):
    """结束就诊, by the holder whose visit it is: from its commit on no step of it is taken.

    Answer: visit_id, state.
    """

    act: ClassVar[str] = "end_visit"

    visit_id: str

    def __post_init__(self) -> None:
        limits.check_id("visit_id", self.visit_id)

    def apply(self, scene: Scene) -> Done:
        visit = visits.get(scene.tx, self.visit_id, Lock.OWN)
        if visit is None or visit.holder_id != scene.actor.id:
            raise NotFoundError("visit")
        state = states.after(states.VISIT, "visit", visit.state, Step.END)
        visits.set_state(scene.tx, visit.id, state)
        answer = {"visit_id": visit.id, "state": state.value}
        return Done(answer, f"card/{visit.card_id}", {**answer, "card_id": visit.card_id})
