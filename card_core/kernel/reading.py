"""Whether the table lets an operator read something that no act answers."""

from card_core.errors import NotAllowedError
from card_core.kernel.actors import Actor, ActorKind
from card_core.kernel.permissions import READERS, Reading
from card_core.states import ServiceState
from card_core.store import Reader, operators


def check_may_read(tx: Reader, actor: Actor, what: Reading) -> None:
    """Raises NotAllowedError for whoever is no operator, not active, or has none of the roles."""
    operator = operators.get(tx, actor.id) if actor.kind is ActorKind.OPERATOR else None
    if (
        operator is None
        or operator.state is not ServiceState.ACTIVE
        or not operator.roles & READERS[what]
    ):
        raise NotAllowedError
