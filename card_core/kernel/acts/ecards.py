"""Acts on an e-card alone; what becomes of it with its card is `states.ECARD_UNDER`."""

from dataclasses import dataclass
from typing import ClassVar

from card_core.kernel import card_moves, limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.states import Step
from card_core.store import Reader, cards


@dataclass(frozen=True, slots=True)
class SuspendECard(Act):
    """电子社保卡停用, by the holder or at a window; the chip card stays in use.

    It signs the holder out everywhere, as the phone may be in other hands.
    """

    act: ClassVar[str] = "suspend_ecard"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        done = _move(scene, self.card_id, Step.SUSPEND)
        card_moves.end_sessions(scene, card_moves.lock_card(scene, self.card_id))
        return done


@dataclass(frozen=True, slots=True)
class ResumeECard(Act):
    """电子社保卡恢复, at a window with the holder's identity document."""

    act: ClassVar[str] = "resume_ecard"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        return _move(scene, self.card_id, Step.RESUME)


@dataclass(frozen=True, slots=True)
class CancelECard(DangerousAct):
    """电子社保卡注销, for good: the holder's next card brings the next e-card."""

    act: ClassVar[str] = "cancel_ecard"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def summary(self, tx: Reader) -> str:
        number = card_moves.named_card(tx, self.card_id).card_number
        return f"注销卡 {number} 的电子社保卡 / Cancel the e-card of card {number}"

    def apply(self, scene: Scene) -> Done:
        done = _move(scene, self.card_id, Step.CANCEL)
        card_moves.end_sessions(scene, card_moves.lock_card(scene, self.card_id))
        return done


def _move(scene: Scene, card_id: str, step: Step) -> Done:
    card = card_moves.lock_card(scene, card_id)
    return card_moves.move_ecard(scene, card, cards.ecard_of(scene.tx, card.id), step)
