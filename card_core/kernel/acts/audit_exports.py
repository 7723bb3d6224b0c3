"""That the audit log was taken out of the house, which is itself in the log."""

from dataclasses import dataclass
from typing import ClassVar

from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene

EVENTS_MAX = 1 << 53
DIGEST_SIZE_BYTES = 32


@dataclass(frozen=True, slots=True)
class ExportAuditLog(Act):
    """Note an export before it is handed over. events: how many are in it. digest: SM3 of the
    file, by which the file can be told from another later."""

    act: ClassVar[str] = "export_audit_log"

    events: int
    digest: bytes

    def __post_init__(self) -> None:
        limits.check_range("events", self.events, 0, EVENTS_MAX)
        limits.check_size("digest", self.digest, DIGEST_SIZE_BYTES)

    def apply(self, scene: Scene) -> Done:
        answer = {"events": self.events, "digest": self.digest.hex()}
        return Done(answer, f"operator/{scene.actor.id}", answer)
