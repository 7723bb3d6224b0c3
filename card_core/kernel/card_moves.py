"""What every act on a card does: lock it, move it by the table, end it with its e-card."""

from datetime import datetime
from typing import Any

from card_core import states
from card_core.errors import NotFoundError
from card_core.kernel.act import Done, Scene
from card_core.kernel.actors import ActorKind
from card_core.kernel.dates import SHANGHAI
from card_core.states import CardState, ECardState, Step
from card_core.store import Lock, Reader, card_dates, cards, guardianships, sessions
from card_core.store.card_dates import CardDate
from card_core.store.cards import Card, ECard
from card_core.store.credentials import SubjectKind


def lock_card(scene: Scene, card_id: str) -> Card:
    """The card, locked; a holder sees only its own, another's is as good as none.

    Raises NotFoundError.
    """
    card = cards.get(scene.tx, card_id, Lock.OWN)
    if card is None:
        raise NotFoundError("card")
    if scene.actor.kind is ActorKind.HOLDER and card.holder_id != scene.actor.id:
        raise NotFoundError("card")
    return card


def lock_card_in_care(scene: Scene, card_id: str) -> tuple[Card, dict[str, str]]:
    """As `lock_card`, also for the guardian of the card's holder while that is in force.

    Beside the card: under which guardianship, for the audit event. Raises NotFoundError, the same
    for a card that never was, a stranger's, and one whose holder the actor guards no more.
    """
    card = cards.get(scene.tx, card_id, Lock.OWN)
    if card is None:
        raise NotFoundError("card")
    if scene.actor.kind is not ActorKind.HOLDER or card.holder_id == scene.actor.id:
        return card, {}
    # Behind the card, as where a death or a merge ends it; locked, so that it ends before or after.
    bound = guardianships.active_between(scene.tx, card.holder_id, scene.actor.id)
    bound = bound and guardianships.get(scene.tx, bound.id, Lock.SHARED)
    if bound is None or not bound.is_in_force(scene.now.astimezone(SHANGHAI).date()):
        raise NotFoundError("card")
    return card, {"guardianship_id": bound.id}


def move(
    scene: Scene,
    card: Card,
    step: Step,
    detail: dict[str, Any] | None = None,
    *,
    loss_lapses_at: datetime | None = None,
) -> Done:
    """Take a locked card to where the table leads. Raises WrongStateError."""
    state = states.after(states.CARD, "card", card.state, step)
    cards.set_state(scene.tx, card, state, loss_lapses_at=loss_lapses_at)
    if step is Step.ACTIVATE:
        note_date(scene, card.id, CardDate.ACTIVATED)
    elif state is CardState.CANCELLED:
        note_date(scene, card.id, CardDate.CANCELLED)
    answer: dict[str, Any] = {"card_id": card.id, "card_state": state.value}
    return Done(answer, f"card/{card.id}", {**answer, "from": card.state.value, **(detail or {})})


def end(scene: Scene, card: Card, step: Step, detail: dict[str, Any] | None = None) -> Done:
    """`move` to the end, with the e-card and the holder's sessions. Raises WrongStateError."""
    states.after(states.CARD, "card", card.state, step)
    ecard = cards.ecard_of(scene.tx, card.id)
    if ecard.state is not ECardState.CANCELLED:
        move_ecard(scene, card, ecard, Step.CANCEL)
    end_sessions(scene, card)
    return move(scene, card, step, detail)


def move_ecard(
    scene: Scene, card: Card, ecard: ECard, step: Step, *, sign_number: str | None = None
) -> Done:
    """Take the e-card of a locked card to where the tables lead. Raises WrongStateError."""
    state = states.after_of_ecard(card.state, ecard.state, step)
    cards.set_ecard_state(scene.tx, ecard, state, sign_number=sign_number)
    if step is Step.ACTIVATE:
        note_date(scene, card.id, CardDate.ECARD_ACTIVATED)
    answer: dict[str, Any] = {"card_id": card.id, "ecard_state": state.value}
    return Done(answer, f"card/{card.id}", {**answer, "from": ecard.state.value})


def note_date(scene: Scene, card_id: str, what: CardDate) -> None:
    """Note that this happened to the card today, for figures and retention."""
    card_dates.note(scene.tx, (card_id,), what, scene.now.astimezone(SHANGHAI).date())


def end_sessions(scene: Scene, card: Card) -> None:
    """Sign the holder out everywhere."""
    sessions.end_all(scene.tx, SubjectKind.HOLDER, card.holder_id)


def named_card(tx: Reader, card_id: str) -> Card:
    """For the summary of an act that is proposed. Raises NotFoundError."""
    card = cards.get(tx, card_id)
    if card is None:
        raise NotFoundError("card")
    return card
