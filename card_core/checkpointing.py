"""Signing checkpoints of the audit log, again and again, in the background of a service."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

from card_core import checkpoint
from card_core.checkpoint import Checkpoint, Head
from card_core.codes import KeyPurpose
from card_core.errors import AlreadyExistsError
from card_core.kernel import Actor, ActorKind, Kernel
from card_core.kernel.acts.checkpoints import KeepCheckpoint
from card_core.signing import SigningKeys
from card_core.store import audit, checkpoints

# Whoever has the audit key, too, can rewrite what is younger than this and than nothing else.
EVERY_SECONDS: Final = 60
_CHECKPOINTING: Final = Actor(ActorKind.SYSTEM, "checkpoints")


class Checkpointer:
    """Signs under the issuer's status key of that instant. Several processes may each have one."""

    def __init__(
        self,
        kernel: Kernel,
        signing_keys: SigningKeys,
        *,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._kernel = kernel
        self._signing_keys = signing_keys
        self._clock = clock
        self._random_bytes = random_bytes

    def round(self) -> bool:
        """Sign and keep a checkpoint, if anything happened since the last one; whether it did.

        Raises CardCoreError, CryptoError.
        """
        with self._kernel.store.read() as tx:
            heads = {chain: Head(*audit.head(tx, chain)) for chain in audit.CHAINS}
            last = checkpoints.latest(tx)
        number = 0 if last is None else last.number
        if last is not None and not _has_moved(Checkpoint.parse(last.content), heads):
            return False
        key = self._signing_keys.current(KeyPurpose.STATUS)
        issuer = self._signing_keys.issuer
        content = Checkpoint(issuer, key.number, number + 1, self._clock(), heads).to_bytes()
        signature = key.signer.sign(checkpoint.to_be_signed(content))
        with suppress(AlreadyExistsError):
            self._kernel.perform(
                KeepCheckpoint(content, signature),
                actor=_CHECKPOINTING,
                request_id=self._random_bytes(16).hex(),
            )
            return True
        return False


def _has_moved(last: Checkpoint, heads: dict[str, Head]) -> bool:
    """Whether there is more than the one event that keeping the last checkpoint made itself."""
    own_events = {KeepCheckpoint.chain: 1}
    return any(
        chain not in last.heads or head.seq > last.heads[chain].seq + own_events.get(chain, 0)
        for chain, head in heads.items()
    )
