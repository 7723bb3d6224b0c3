"""Acts on the bureau's operators (经办, 复核, 管理员, 审计)."""

from dataclasses import dataclass
from typing import ClassVar

from card_core import states
from card_core.errors import AlreadyExistsError, InvalidActError, NotFoundError
from card_core.kernel import limits
from card_core.kernel.act import DangerousAct, Done, Scene
from card_core.states import ServiceState, Step
from card_core.store import Reader, credentials, operators, sessions
from card_core.store.credentials import SubjectKind
from card_core.store.operators import Role

PASSWORD_HASH_MAX = 256


@dataclass(frozen=True, slots=True, repr=False)
class NewOperator:
    """name: the sign-in name. password_hash: of `card_core.sign_in.hash_password`."""

    name: str
    display_name: str
    roles: frozenset[Role]
    password_hash: str

    def __post_init__(self) -> None:
        limits.check_word("name", self.name)
        limits.check_text("display_name", self.display_name)
        limits.check_text("password_hash", self.password_hash, characters_max=PASSWORD_HASH_MAX)
        if not self.roles:
            raise InvalidActError("roles", "至少选择一个角色", "choose at least one role")

    def __repr__(self) -> str:
        return f"NewOperator({self.name!r})"


def add_operator(scene: Scene, new: NewOperator) -> str:
    """Make the operator and its password; returns its id. Raises AlreadyExistsError."""
    if operators.find_by_name(scene.tx, new.name) is not None:
        raise AlreadyExistsError("operator")
    operator_id = scene.new_id()
    operators.add(scene.tx, operator_id, new.name, new.display_name, new.roles)
    credentials.put(scene.tx, SubjectKind.OPERATOR, operator_id, new.password_hash, scene.now)
    return operator_id


@dataclass(frozen=True, slots=True)
class AddOperator(DangerousAct):
    act: ClassVar[str] = "add_operator"

    operator: NewOperator

    def summary(self, tx: Reader) -> str:
        roles = ", ".join(sorted(self.operator.roles))
        name = self.operator.name
        return f"新增操作员 {name}（{roles}） / Add operator {name} ({roles})"

    def apply(self, scene: Scene) -> Done:
        operator_id = add_operator(scene, self.operator)
        detail = {"operator_id": operator_id, "roles": sorted(self.operator.roles)}
        return Done({"operator_id": operator_id}, f"operator/{operator_id}", detail)


@dataclass(frozen=True, slots=True)
class SuspendOperator(DangerousAct):
    """End an operator's sessions and let it act no more.

    Refused where nobody would be left to administer and to approve.
    """

    act: ClassVar[str] = "suspend_operator"

    name: str

    def __post_init__(self) -> None:
        limits.check_word("name", self.name)

    def summary(self, tx: Reader) -> str:
        return f"停用操作员 {self.name} / Suspend operator {self.name}"

    def apply(self, scene: Scene) -> Done:
        # One suspension at a time, lest two at once leave nobody.
        active = operators.lock_active(scene.tx)
        operator = operators.find_by_name(scene.tx, self.name)
        if operator is None:
            raise NotFoundError("operator")
        state = states.after(states.SERVICE, "operator", operator.state, Step.SUSPEND)
        if not operators.can_administer([one.roles for one in active if one.id != operator.id]):
            raise InvalidActError(
                "name",
                "停用后将无人可管理和复核，请先新增操作员",
                "nobody would be left to administer and approve; add an operator first",
            )
        operators.set_state(scene.tx, operator, state)
        sessions.end_all(scene.tx, SubjectKind.OPERATOR, operator.id)
        answer = {"operator_id": operator.id, "state": ServiceState.SUSPENDED.value}
        return Done(answer, f"operator/{operator.id}", answer)
