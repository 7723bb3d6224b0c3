"""Who the actor is now, and whether the table lets it: read anew in each act's transaction.

The rows are locked against change until the act commits, so that after a suspension is answered
no act of whoever was suspended commits any more.
"""

from card_core.errors import NotAllowedError, SamePersonError
from card_core.kernel.act import Scene, Standing
from card_core.kernel.actors import Actor, ActorKind
from card_core.kernel.permissions import Rule
from card_core.states import ServiceState
from card_core.store import (
    Lock,
    Transaction,
    holder_base,
    holder_changes,
    holders,
    institutions,
    operators,
)
from card_core.store.operators import Role


def read_actor(tx: Transaction, actor: Actor) -> Standing:
    """Raises NotAllowedError for whoever is unknown or not active."""
    match actor.kind:
        case ActorKind.OPERATOR:
            return Standing(roles=_operator_roles(tx, actor.id))
        case ActorKind.TERMINAL:
            return _terminal_standing(tx, actor.id)
        case ActorKind.HOLDER:
            holder_base.lock_record(tx, actor.id, Lock.SHARED)
            if not holders.exists(tx, actor.id) or holder_changes.merged_into(tx, actor.id):
                raise NotAllowedError
        case ActorKind.SYSTEM:
            pass
        case ActorKind.ISSUER:
            raise NotAllowedError  # it scans (`scan_groups`), and does nothing else
    return Standing()


def check_may_perform(scene: Scene, rule: Rule) -> None:
    if scene.actor.kind not in rule.others and not scene.standing.roles & rule.roles:
        raise NotAllowedError


def check_may_propose(scene: Scene, rule: Rule) -> None:
    if not scene.standing.roles & rule.roles:
        raise NotAllowedError


def check_may_approve(scene: Scene, rule: Rule, maker_id: str) -> None:
    """Another operator than the maker, in whatever session, with an approver's role; and the maker
    must still be active and still have a role that may propose it."""
    if scene.actor.kind is not ActorKind.OPERATOR:
        raise NotAllowedError
    if scene.actor.id == maker_id:
        raise SamePersonError
    if not scene.standing.roles & rule.approvers:
        raise NotAllowedError
    if not _operator_roles(scene.tx, maker_id) & rule.roles:
        raise NotAllowedError


def check_may_reject(scene: Scene, rule: Rule, maker_id: str) -> None:
    """An approver, or the maker, who may take its own proposal back."""
    if scene.actor.kind is not ActorKind.OPERATOR:
        raise NotAllowedError
    if scene.actor.id != maker_id and not scene.standing.roles & rule.approvers:
        raise NotAllowedError


def _operator_roles(tx: Transaction, operator_id: str) -> frozenset[Role]:
    operator = operators.lock_shared(tx, operator_id)
    if operator is None or operator.state is not ServiceState.ACTIVE:
        raise NotAllowedError
    return operator.roles


def _terminal_standing(tx: Transaction, terminal_id: str) -> Standing:
    terminal = institutions.get_terminal(tx, terminal_id, Lock.SHARED)
    if terminal is None or terminal.state is not ServiceState.ACTIVE:
        raise NotAllowedError
    institution = institutions.get_institution(tx, terminal.institution_id, Lock.SHARED)
    if institution is None or institution.state is not ServiceState.ACTIVE:
        raise NotAllowedError
    return Standing(terminal=terminal, institution=institution)
