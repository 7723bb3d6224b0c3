"""The act of giving out all that is kept of a person: it says who did, and holds nothing of it."""

from dataclasses import dataclass
from typing import ClassVar

from card_core.errors import NotAllowedError, NotFoundError, RecordMergedError
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.actors import ActorKind
from card_core.store import holder_changes, holders


@dataclass(frozen=True, slots=True)
class ExportHolder(Act):
    """Note that a person's data is given out, before it is read (`store.holder_export`).

    A holder gets their own. Answer: holder_id. Raises NotFoundError, RecordMergedError.
    """

    act: ClassVar[str] = "export_holder"

    holder_id: str

    def __post_init__(self) -> None:
        limits.check_id("holder_id", self.holder_id)

    def apply(self, scene: Scene) -> Done:
        if scene.actor.kind is ActorKind.HOLDER and scene.actor.id != self.holder_id:
            raise NotAllowedError
        if not holders.exists(scene.tx, self.holder_id):
            raise NotFoundError("holder")
        into = holder_changes.merged_into(scene.tx, self.holder_id)
        if into is not None:
            raise RecordMergedError(into)
        answer = {"holder_id": self.holder_id}
        return Done(answer, f"holder/{self.holder_id}", answer)
