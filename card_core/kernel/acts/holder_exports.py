"""The act of giving out all that is kept of a person: it says who did, and holds nothing of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from card_core.errors import NotAllowedError, NotFoundError, RecordMergedError
from card_core.holder_errors import TooManyExportsError
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.actors import ActorKind
from card_core.store import Lock, erasure, holder_changes, holder_exports, holders

# Of one holder by themselves: whoever has a stolen session must not read along.
OWN_EXPORTS_MAX: Final = 3
OWN_EXPORTS_WITHIN: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ExportHolder(Act):
    """Note that a person's data is given out, before it is read (`store.holder_export`).

    A holder gets their own, so often. Answer: holder_id. Raises NotFoundError, also for who was
    erased; RecordMergedError, TooManyExportsError.
    """

    act: ClassVar[str] = "export_holder"

    holder_id: str

    def __post_init__(self) -> None:
        limits.check_id("holder_id", self.holder_id)

    def apply(self, scene: Scene) -> Done:
        if scene.actor.kind is ActorKind.HOLDER and scene.actor.id != self.holder_id:
            raise NotAllowedError
        if not holders.exists(scene.tx, self.holder_id) or erasure.is_erased(
            scene.tx, self.holder_id
        ):
            raise NotFoundError("holder")
        into = holder_changes.merged_into(scene.tx, self.holder_id)
        if into is not None:
            raise RecordMergedError(into)
        if scene.actor.kind is ActorKind.HOLDER:
            _count(scene, self.holder_id)
        answer = {"holder_id": self.holder_id}
        return Done(answer, f"holder/{self.holder_id}", answer)


def _count(scene: Scene, holder_id: str) -> None:
    scene.tx.lock(f"holder_exports/{holder_id}", Lock.OWN)
    since = scene.now - OWN_EXPORTS_WITHIN
    if holder_exports.count_since(scene.tx, holder_id, since) >= OWN_EXPORTS_MAX:
        raise TooManyExportsError
    holder_exports.add(scene.tx, scene.new_id(), holder_id, scene.now)
