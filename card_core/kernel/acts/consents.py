"""A holder consents to a use of their data, or takes that back; what rested on it ends with it."""

from dataclasses import dataclass
from typing import ClassVar

from card_core.data_uses import RULES, DataUse, Ground
from card_core.errors import InvalidActError
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.acts.devices import RemoveDevice
from card_core.store import consents, devices, family_members
from card_core.store.consents import ConsentState


@dataclass(frozen=True, slots=True)
class SetConsent(Act):
    """同意或撤回同意 of the acting holder, for a use that rests on consent.

    Withdrawn for relatives, nobody but a guardian shows the e-card any more; for the phone, every
    phone is removed. The same again changes nothing. Answer: data_use, given, changed_at (ISO 8601,
    UTC), ended: how many bindings or phones went.
    """

    act: ClassVar[str] = "set_consent"

    data_use: DataUse
    given: bool

    def __post_init__(self) -> None:
        if RULES[self.data_use].ground is not Ground.CONSENT:
            raise InvalidActError(
                "data_use", "该用途不以同意为依据", "is a use that does not rest on consent"
            )

    def apply(self, scene: Scene) -> Done:
        holder_id = scene.actor.id
        state = ConsentState.GIVEN if self.given else ConsentState.WITHDRAWN
        consent = consents.put(scene.tx, holder_id, self.data_use, state, scene.now)
        ended = 0 if self.given else _end_what_rested_on_it(scene, self.data_use)
        answer = {
            "data_use": self.data_use.value,
            "given": self.given,
            "changed_at": consent.changed_at.isoformat(),
            "ended": ended,
        }
        return Done(answer, f"holder/{holder_id}", answer)


def _end_what_rested_on_it(scene: Scene, data_use: DataUse) -> int:
    """How many bindings or phones went."""
    tx, holder_id = scene.tx, scene.actor.id
    match data_use:
        case DataUse.FAMILY_SHOWING:
            ended = 0
            while resting := family_members.resting_on_consent(tx, holder_id):
                for member in resting:
                    family_members.end(tx, member.id, scene.now)
                ended += len(resting)
            return ended
        case DataUse.OFFLINE_PHONE:
            phones = devices.of_holder(tx, holder_id)
            for phone in phones:
                RemoveDevice(phone.id).apply(scene)
            return len(phones)
    return 0
