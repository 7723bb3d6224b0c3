"""Proposals: what a maker wants done, kept sealed and bound to its hash until another decides."""

from card_core.errors import ContentChangedError, NotFoundError
from card_core.kernel.act import DangerousAct, Scene
from card_core.kernel.content import canonical_bytes, content_hash, from_json, to_json
from card_core.states import ApprovalState
from card_core.store import Lock, Reader, approvals
from card_core.store.approvals import Approval


def propose(scene: Scene, act: DangerousAct) -> Approval:
    """Keep the act until somebody else approves or rejects it."""
    content = to_json(act)
    approval = Approval(
        id=scene.new_id(),
        act=act.act,
        summary=act.summary(scene.tx),
        content_hash=content_hash(act.act, content),
        maker_id=scene.actor.id,
        checker_id=None,
        state=ApprovalState.PENDING,
        created_at=scene.now,
        decided_at=None,
    )
    approvals.add(scene.tx, approval, canonical_bytes(content))
    return approval


def lock(scene: Scene, approval_id: str) -> Approval:
    approval = approvals.get(scene.tx, approval_id, Lock.OWN)
    if approval is None:
        raise NotFoundError("approval")
    return approval


def proposed_act(tx: Reader, approval: Approval, kind: type[DangerousAct]) -> DangerousAct:
    """Build the act from what is stored. Raises ContentChangedError if its hash does not fit."""
    content = approvals.content_of(tx, approval.id)
    if content_hash(approval.act, content) != approval.content_hash:
        raise ContentChangedError
    return from_json(kind, content)
