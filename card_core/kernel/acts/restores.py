"""The act on a database that was put back from a backup."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from card_core.errors import InvalidActError
from card_core.kernel.act import Act, Done, Scene
from card_core.store import epochs, restores


@dataclass(frozen=True, slots=True)
class ResumeFromBackup(Act):
    """Begin anew after a restore: the epoch is raised, and nothing is believed that was issued
    before: codes of every kind, visits, sessions.

    taken_at: when the backup was taken, aware. Answer: restore, its number; epoch.
    """

    act: ClassVar[str] = "resume_from_backup"

    taken_at: datetime

    def __post_init__(self) -> None:
        if self.taken_at.tzinfo is None:
            raise InvalidActError("taken_at", "应带时区", "must have a time zone")

    def apply(self, scene: Scene) -> Done:
        number = restores.add(scene.tx, self.taken_at, scene.now)
        restores.forget_what_was_issued(scene.tx)
        epoch = epochs.lock(scene.tx)
        layout = 1 if epoch is None else epoch.layout
        answer = {"restore": number, "epoch": epochs.close(scene.tx, epoch, layout)}
        detail = {**answer, "taken_at": self.taken_at.isoformat()}
        return Done(answer, f"restore/{number}", detail)
