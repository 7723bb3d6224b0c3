"""Acts on making at once (即时制卡): blank cards, and orders to the device of a branch.

A branch's device is a maker with its own key (`acts.makers`); its record is prepared, signed and
answered as any maker's (`acts.making`, `acts.maker_returns`). What differs: an order is one card,
which two people decided when the application was accepted, and each order holds one blank card of
the branch until it is answered. Blanks come and are written off by two people; none is ever lost
from the count.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import ClassVar

from card_core.errors import ContentChangedError, NotFoundError, WrongStateError
from card_core.kernel import blank_stock, limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.acts.banking import lock_batch, refuse_while_preparing
from card_core.kernel.acts.making import place_order
from card_core.states import MakingState
from card_core.store import Lock, Reader, blank_cards, makings
from card_core.store.blank_cards import Blanks

BLANKS_MAX = 100_000
BRANCH_MAX = 20


class SpoilReason(StrEnum):
    """Why blank cards are written off (作废)."""

    DAMAGED = "damaged"
    FAULTY = "faulty"
    RETURNED = "returned"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class ReceiveBlanks(DangerousAct):
    """空白卡入库: two people have counted them. Answer: the branch's counts."""

    act: ClassVar[str] = "receive_blanks"

    branch: str
    count: int

    def __post_init__(self) -> None:
        limits.check_text("branch", self.branch, characters_max=BRANCH_MAX)
        limits.check_range("count", self.count, 1, BLANKS_MAX)

    def summary(self, tx: Reader) -> str:
        del tx
        return (
            f"网点 {self.branch}：空白卡入库 {self.count} 张 / "
            f"Branch {self.branch}: {self.count} blank cards came in"
        )

    def apply(self, scene: Scene) -> Done:
        before = blank_cards.of(scene.tx, self.branch, Lock.OWN)
        limits.check_range("count", before.received + self.count, 1, 1_000 * BLANKS_MAX)
        return _counts(blank_stock.move(scene.tx, before, received=self.count, on_hand=self.count))


@dataclass(frozen=True, slots=True)
class SpoilBlanks(DangerousAct):
    """空白卡作废: two people have seen that these are not to be made any more.

    on_hand: how many there were by the count when it was proposed; another number at the approval
    is ContentChangedError. Answer: the branch's counts. Raises NoBlankCardsError.
    """

    act: ClassVar[str] = "spoil_blanks"

    branch: str
    count: int
    reason: SpoilReason
    on_hand: int

    def __post_init__(self) -> None:
        limits.check_text("branch", self.branch, characters_max=BRANCH_MAX)
        limits.check_range("count", self.count, 1, BLANKS_MAX)
        limits.check_range("on_hand", self.on_hand, 0, 1_000 * BLANKS_MAX)

    def summary(self, tx: Reader) -> str:
        del tx
        return (
            f"网点 {self.branch}：在库 {self.on_hand} 张空白卡中作废 {self.count} 张"
            f"（{self.reason.value}） / Branch {self.branch}: write off {self.count} of "
            f"{self.on_hand} blank cards ({self.reason.value})"
        )

    def apply(self, scene: Scene) -> Done:
        before = blank_cards.of(scene.tx, self.branch, Lock.OWN)
        if before.on_hand != self.on_hand:
            raise ContentChangedError
        return _counts(blank_stock.move(scene.tx, before, on_hand=-self.count, spoiled=self.count))


@dataclass(frozen=True, slots=True)
class OrderAtOnce(Act):
    """Have the device of the card's branch make one card, of one blank.

    maker: the device's code. Answer: order_id and the others of OrderMaking. Raises
    NoBlankCardsError where the branch has none; WrongStateError for a card that is not to be made
    at once, or whose order is under way.
    """

    act: ClassVar[str] = "order_at_once"

    card_id: str
    maker: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)
        limits.check_text("maker", self.maker, characters_max=BRANCH_MAX)

    def apply(self, scene: Scene) -> Done:
        making = makings.get(scene.tx, self.card_id)
        if making is None:
            raise NotFoundError("making")
        batch = lock_batch(scene.tx, making.batch_id)
        refuse_while_preparing(scene.tx, batch)
        positions = makings.positions_in(
            scene.tx, batch.id, frozenset({MakingState.AWAITING_DEVICE})
        )
        if positions != [making.position]:
            raise WrongStateError("making", making.state)
        before = blank_cards.of(scene.tx, making.branch, Lock.OWN)
        blank_stock.move(scene.tx, before, on_hand=-1, in_device=1)
        done = place_order(scene, batch, self.maker, positions)
        return Done(done.answer, done.subject, {**done.detail, "branch": making.branch})


def _counts(blanks: Blanks) -> Done:
    answer = asdict(blanks)
    return Done(answer, f"branch/{blanks.branch}", answer)
