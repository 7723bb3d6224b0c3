"""The act on checkpoints of the audit log: keep one that is signed.

It is signed first and kept afterwards, unlike what terminals carry: a checkpoint that nobody kept
says nothing untrue, since it names events that are committed.
"""

from dataclasses import dataclass
from typing import ClassVar

from card_core import checkpoint
from card_core.checkpoint import Checkpoint, CheckpointRefusedError
from card_core.codes import KeyPurpose, key_life
from card_core.errors import AlreadyExistsError, InvalidActError
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.store import audit, checkpoints, issuers
from card_core.store.checkpoints import SignedCheckpoint


@dataclass(frozen=True, slots=True)
class KeepCheckpoint(Act):
    """Keep the next checkpoint, whose heads are in the log and whose signature verifies.

    content, signature: as in `card_core.checkpoint`. Answer: checkpoint_number.
    Raises AlreadyExistsError where another process kept one of this number.
    """

    act: ClassVar[str] = "keep_checkpoint"

    content: bytes
    signature: bytes

    def __post_init__(self) -> None:
        limits.check_range("content", len(self.content), 1, checkpoint.TEXT_BYTES_MAX)
        limits.check_size("signature", self.signature, 64)

    def apply(self, scene: Scene) -> Done:
        checkpoints.lock(scene.tx)
        new = self._verified(scene)
        last = checkpoints.latest(scene.tx)
        if new.number != (0 if last is None else last.number) + 1:
            raise AlreadyExistsError("checkpoint")
        for chain, head in new.heads.items():
            if not audit.holds(scene.tx, chain, head):
                raise InvalidActError("content", "与审计链不符", "does not fit the audit log")
        checkpoints.add(
            scene.tx, SignedCheckpoint(new.number, new.at, self.content, self.signature)
        )
        answer = {"checkpoint_number": new.number}
        return Done(answer, f"checkpoint/{new.number}", answer)

    def _verified(self, scene: Scene) -> Checkpoint:
        """By the own issuer's status key that it names, while that signs."""
        try:
            claimed = Checkpoint.parse(self.content)
            own = issuers.own(scene.tx)
            key = issuers.get_key(scene.tx, claimed.issuer, claimed.key_number, KeyPurpose.STATUS)
            if key is None or own is None or own.number != claimed.issuer:
                raise CheckpointRefusedError
            if not key_life.signs_at(key, scene.now):
                raise CheckpointRefusedError
            return checkpoint.verify(self.content, self.signature, key.public_key)
        except CheckpointRefusedError:
            raise InvalidActError(
                "signature", "签名与公钥不符", "does not fit the registered key"
            ) from None
