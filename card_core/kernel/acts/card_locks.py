"""Acts that take a card out of use and put it back: lock and unlock it, seal and unseal it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from card_core.kernel import card_moves, limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.acts.cards import Evidence
from card_core.states import Step
from card_core.store import Reader


class SealReason(StrEnum):
    """封存原因."""

    ENLISTED = "enlisted"
    LONG_UNUSED = "long_unused"
    BY_ORDER = "by_order"


@dataclass(frozen=True, slots=True)
class LockCard(Act):
    """应用锁定: the chip has locked itself after too many wrong PINs, and the window notes it."""

    act: ClassVar[str] = "lock_card"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        return card_moves.move(scene, card_moves.lock_card(scene, self.card_id), Step.LOCK)


@dataclass(frozen=True, slots=True)
class UnlockCard(Act):
    """应用解锁: the PIN was reset at a window, with the holder's identity document."""

    act: ClassVar[str] = "unlock_card"

    card_id: str
    evidence: Evidence

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        card = card_moves.lock_card(scene, self.card_id)
        return card_moves.move(scene, card, Step.UNLOCK, {"evidence": self.evidence.value})


@dataclass(frozen=True, slots=True)
class SealCard(DangerousAct):
    """封存: no use of the card until it is unsealed."""

    act: ClassVar[str] = "seal_card"

    card_id: str
    reason: SealReason

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def summary(self, tx: Reader) -> str:
        number = card_moves.named_card(tx, self.card_id).card_number
        return f"封存卡 {number} / Seal card {number} ({self.reason.value})"

    def apply(self, scene: Scene) -> Done:
        card = card_moves.lock_card(scene, self.card_id)
        return card_moves.move(scene, card, Step.SEAL, {"reason": self.reason.value})


@dataclass(frozen=True, slots=True)
class UnsealCard(DangerousAct):
    """解除封存."""

    act: ClassVar[str] = "unseal_card"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def summary(self, tx: Reader) -> str:
        number = card_moves.named_card(tx, self.card_id).card_number
        return f"解除封存卡 {number} / Unseal card {number}"

    def apply(self, scene: Scene) -> Done:
        return card_moves.move(scene, card_moves.lock_card(scene, self.card_id), Step.UNSEAL)
