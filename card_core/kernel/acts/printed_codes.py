"""The act by which a holder without a phone has a short code on paper."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from card_core.errors import CardUnusableError, NotAllowedError
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.actors import ActorKind
from card_core.kernel.judging import reason_of_card
from card_core.store import cards, printed_codes
from card_core.store.printed_codes import PrintedCode
from card_core.verdicts import Reason

# From the kiosk to a window in the same town, and through the queue there.
PRINTED_LIFE = timedelta(minutes=30)
_INDEX_CHARACTERS = 64


@dataclass(frozen=True, slots=True, repr=False)
class PrintCode(Act):
    """Keep a printed code of the acting holder, at a service channel; the one before ends.

    index: of `store.printed_codes`; the digits never come here, and no answer has them.
    Answer: valid_until, ISO 8601, UTC. Raises CardUnusableError with the reason that a scan would
    get now.
    """

    act: ClassVar[str] = "print_code"

    index: str

    def __post_init__(self) -> None:
        limits.check_text("index", self.index, characters_max=_INDEX_CHARACTERS)

    def apply(self, scene: Scene) -> Done:
        if scene.actor.kind is not ActorKind.HOLDER or scene.standing.channel is None:
            raise NotAllowedError
        holder_id = scene.actor.id
        card = cards.live_card_of(scene.tx, holder_id)
        if card is None:
            raise CardUnusableError(Reason.CARD_CANCELLED)
        reason = reason_of_card(card, cards.ecard_of(scene.tx, card.id), scene.now)
        if reason is not None:
            raise CardUnusableError(reason)
        valid_until = scene.now + PRINTED_LIFE
        printed_codes.add(scene.tx, PrintedCode(self.index, holder_id, valid_until))
        answer = {"valid_until": valid_until.isoformat()}
        return Done(answer, f"card/{card.id}", {**answer, "card_id": card.id})
