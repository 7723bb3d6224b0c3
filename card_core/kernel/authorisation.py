"""Who the actor is now, and whether the table lets it: read anew in each act's transaction.

The rows are locked against change until the act commits, so that after a suspension is answered
no act of whoever was suspended commits any more.
"""

from dataclasses import replace

from card_core.errors import NotAllowedError, SamePersonError
from card_core.kernel.act import Act, Scene, Standing
from card_core.kernel.actors import Actor, ActorKind
from card_core.kernel.permissions import CHANNEL_RIGHTS, RULES, Rule
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
    """Raises NotAllowedError for whoever is unknown or not active, or acts at such a channel."""
    if actor.channel_id is None:
        return _read_who(tx, actor)
    # In the order in which a channel's own acts lock: the machine, then whoever is before it.
    at = _channel_standing(tx, actor.channel_id)
    return replace(_read_who(tx, actor), channel=at.channel, institution=at.institution)


def check_may_perform(scene: Scene, act: type[Act]) -> None:
    """By the table of the actor, and by that of the channel at which it acts."""
    rule, channel, roles = RULES[act], scene.standing.channel, scene.standing.roles
    if channel is not None:
        if CHANNEL_RIGHTS[channel].get(act) is not scene.actor.kind:
            raise NotAllowedError
        # What a clerk does there is the table's to say; a maker's rights end at the bureau's door.
        roles = rule.roles if Role.CLERK in roles else frozenset()
    if scene.actor.kind not in rule.others and not roles & rule.roles:
        raise NotAllowedError


def _read_who(tx: Transaction, actor: Actor) -> Standing:
    match actor.kind:
        case ActorKind.OPERATOR:
            return Standing(roles=_operator_roles(tx, actor.id))
        case ActorKind.TERMINAL:
            return _terminal_standing(tx, actor.id)
        case ActorKind.CHANNEL:
            return _channel_standing(tx, actor.id)
        case ActorKind.HOLDER:
            holder_base.lock_record(tx, actor.id, Lock.SHARED)
            if not holders.exists(tx, actor.id) or holder_changes.merged_into(tx, actor.id):
                raise NotAllowedError
        case ActorKind.SYSTEM:
            pass
        case ActorKind.ISSUER:
            raise NotAllowedError  # it scans (`scan_groups`), and does nothing else
    return Standing()


def check_may_propose(scene: Scene, rule: Rule) -> None:
    _check_at_no_channel(scene)
    if not scene.standing.roles & rule.roles:
        raise NotAllowedError


def check_may_approve(scene: Scene, rule: Rule, maker_id: str) -> None:
    """Another operator than the maker, in whatever session, with an approver's role; and the maker
    must still be active and still have a role that may propose it."""
    _check_at_no_channel(scene)
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
    _check_at_no_channel(scene)
    if scene.actor.kind is not ActorKind.OPERATOR:
        raise NotAllowedError
    if scene.actor.id != maker_id and not scene.standing.roles & rule.approvers:
        raise NotAllowedError


def _check_at_no_channel(scene: Scene) -> None:
    """What takes two people is prepared and approved at the bureau."""
    if scene.standing.channel is not None:
        raise NotAllowedError


def _operator_roles(tx: Transaction, operator_id: str) -> frozenset[Role]:
    operator = operators.lock_shared(tx, operator_id)
    if operator is None or operator.state is not ServiceState.ACTIVE:
        raise NotAllowedError
    return operator.roles


def _terminal_standing(tx: Transaction, terminal_id: str) -> Standing:
    standing = _machine_standing(tx, terminal_id)
    if standing.channel is not None:
        raise NotAllowedError
    return standing


def _channel_standing(tx: Transaction, channel_id: str) -> Standing:
    standing = _machine_standing(tx, channel_id)
    if standing.channel is None:
        raise NotAllowedError
    return standing


def _machine_standing(tx: Transaction, terminal_id: str) -> Standing:
    terminal = institutions.get_terminal(tx, terminal_id, Lock.SHARED)
    if terminal is None or terminal.state is not ServiceState.ACTIVE:
        raise NotAllowedError
    institution = institutions.get_institution(tx, terminal.institution_id, Lock.SHARED)
    if institution is None or institution.state is not ServiceState.ACTIVE:
        raise NotAllowedError
    return Standing(terminal=terminal, institution=institution, channel=terminal.channel)
