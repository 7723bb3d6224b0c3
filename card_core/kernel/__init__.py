"""The kernel's face: hand it an act, who acts, and a request id.

    answer = kernel.perform(ReportTemporaryLoss(card_id), actor=holder, request_id="...")
    proposed = kernel.propose(CancelCard(card_id, reason), actor=maker, request_id="...")
    answer = kernel.approve(
        proposed["approval_id"],
        content_hash=proposed["content_hash"],
        actor=checker,
        request_id="...",
    )

The acts are in `card_core.kernel.acts`, one module a noun; who may do which is one table,
`card_core.kernel.permissions`; the errors are drawn in `card_core.errors`.
"""

from card_core.kernel.act import Act, Answer, DangerousAct
from card_core.kernel.actors import Actor, ActorKind, RequestProof
from card_core.kernel.box_keys import BoxKeyWrap
from card_core.kernel.kernel import Kernel
from card_core.kernel.permissions import is_dangerous

__all__ = [
    "Act",
    "Actor",
    "ActorKind",
    "Answer",
    "BoxKeyWrap",
    "DangerousAct",
    "Kernel",
    "RequestProof",
    "is_dangerous",
]
