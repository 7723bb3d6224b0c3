"""Acts for life events (人生事件), made of other acts as `card_core.life_events` says.

All parts happen in the transaction of the one request, or none of them: whatever a part refuses,
the event refuses. The audit log has one event, whose detail lists the parts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from card_core.application import Application
from card_core.errors import ApplicantsRefusedError, InvalidActError, WrongStateError
from card_core.kernel import card_moves, limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.acts.batches import ImportRoster
from card_core.kernel.acts.card_locks import UnlockCard, UnsealCard
from card_core.kernel.acts.cards import (
    ActivateCard,
    CancelCard,
    CancelReason,
    Evidence,
    WithdrawTemporaryLoss,
)
from card_core.kernel.acts.devices import RemoveDevice
from card_core.kernel.dates import SHANGHAI, years_later
from card_core.life_events import APPLYING, SERVING, LifeEvent, Part
from card_core.store import Reader, devices
from card_core.store.cards import Card


@dataclass(frozen=True, slots=True, repr=False)
class ApplyForLifeEvent(Act):
    """Open the applications of all who are named, or of nobody, and propose their batch's release.

    applications: rows that a roster's checks accepted. Answer: of ImportRoster, and `event`.
    Raises ApplicantsRefusedError where anybody may not apply; InvalidActError for too many people,
    or one who is too young or has no guardian.
    """

    act: ClassVar[str] = "apply_for_life_event"

    event: LifeEvent
    name: str
    file_digest: bytes
    applications: tuple[Application, ...]

    def __post_init__(self) -> None:
        if self.event not in APPLYING:
            raise _other_event()
        applying = APPLYING[self.event]
        limits.check_range("applications", len(self.applications), 1, applying.people_max)
        if applying.needs_guardian and any(
            one.guardian_number is None for one in self.applications
        ):
            raise InvalidActError("applications", "须有监护人", "must each have a guardian")

    def apply(self, scene: Scene) -> Done:
        age_min = APPLYING[self.event].age_min
        today = scene.now.astimezone(SHANGHAI).date()
        if any(years_later(one.birth_on, age_min) > today for one in self.applications):
            raise InvalidActError(
                "applications", f"须年满 {age_min} 周岁", f"must each be {age_min} or older"
            )
        done = ImportRoster(self.name, self.file_digest, self.applications, 0).apply(scene)
        refused = done.answer["refused"]
        if refused:
            raise ApplicantsRefusedError([(one["row"], one["code"]) for one in refused])
        event = {"event": self.event.value}
        return replace(done, answer=done.answer | event, detail=done.detail | event)


@dataclass(frozen=True, slots=True)
class ServeLifeEvent(Act):
    """Do what an event without dangerous parts means for a card.

    Answer: card_id, event, card_state, and `parts`, the words of the acts that were done.
    Raises WrongStateError for a state that the event has no parts for.
    """

    act: ClassVar[str] = "serve_life_event"

    event: LifeEvent
    card_id: str

    def __post_init__(self) -> None:
        if self.event not in SERVING or SERVING[self.event].is_dangerous:
            raise _other_event()
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        return _serve(scene, self.event, self.card_id)


@dataclass(frozen=True, slots=True)
class DecideLifeEvent(DangerousAct):
    """As ServeLifeEvent, for an event that a second person approves."""

    act: ClassVar[str] = "decide_life_event"

    event: LifeEvent
    card_id: str

    def __post_init__(self) -> None:
        if self.event not in SERVING or not SERVING[self.event].is_dangerous:
            raise _other_event()
        limits.check_id("card_id", self.card_id)

    def summary(self, tx: Reader) -> str:
        card = card_moves.named_card(tx, self.card_id)
        serving = SERVING[self.event]
        words = ", ".join(_parts(self.event, card)) or "-"
        return (
            f"{serving.zh}：卡 {card.card_number}，{words} / "
            f"{serving.en}: card {card.card_number}, {words}"
        )

    def apply(self, scene: Scene) -> Done:
        return _serve(scene, self.event, self.card_id)


def _other_event() -> InvalidActError:
    return InvalidActError("event", "该事件不以此方式办理", "is not one that is done in this way")


def _parts(event: LifeEvent, card: Card) -> Sequence[Part]:
    try:
        return SERVING[event].parts[card.state]
    except KeyError:
        raise WrongStateError("card", card.state) from None


def _serve(scene: Scene, event: LifeEvent, card_id: str) -> Done:
    card = card_moves.lock_card(scene, card_id)
    parts = []
    for part in _parts(event, card):
        for act in _acts_of(scene.tx, part, card):
            done = act.apply(scene)
            parts.append({"act": act.act, "subject": done.subject, **done.detail})
    now = card_moves.named_card(scene.tx, card.id)
    common = {"card_id": card.id, "event": event.value, "card_state": now.state.value}
    words = [part["act"] for part in parts]
    return Done({**common, "parts": words}, f"card/{card.id}", {**common, "parts": parts})


def _acts_of(tx: Reader, part: Part, card: Card) -> Iterator[Act]:
    match part:
        case Part.ACTIVATE_CARD:
            yield ActivateCard(card.id, Evidence.IDENTITY_DOCUMENT)
        case Part.WITHDRAW_TEMPORARY_LOSS:
            yield WithdrawTemporaryLoss(card.id)
        case Part.UNLOCK_CARD:
            yield UnlockCard(card.id, Evidence.IDENTITY_DOCUMENT)
        case Part.UNSEAL_CARD:
            yield UnsealCard(card.id)
        case Part.CANCEL_CARD:
            yield CancelCard(card.id, CancelReason.DEATH)
        case Part.REMOVE_DEVICE:
            yield from (RemoveDevice(device.id) for device in devices.of_holder(tx, card.holder_id))
