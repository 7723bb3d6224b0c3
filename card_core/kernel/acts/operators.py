"""Acts on the bureau's operators (经办, 复核, 系统、安全、审计管理员)."""

from dataclasses import dataclass
from typing import ClassVar

from card_core import states
from card_core.errors import (
    AlreadyExistsError,
    InvalidActError,
    NotFoundError,
    WrongStateError,
)
from card_core.kernel import limits
from card_core.kernel.act import DangerousAct, Done, Scene
from card_core.kernel.public_keys import parse_public_key
from card_core.states import ServiceState, Step
from card_core.store import Reader, credentials, operator_factors, operators, sessions
from card_core.store.credentials import SubjectKind
from card_core.store.operator_factors import Factor, FactorKind
from card_core.store.operators import Operator, Role

PASSWORD_HASH_MAX = 256


@dataclass(frozen=True, slots=True, repr=False)
class NewOperator:
    """name: the sign-in name. password_hash: of `card_core.sign_in.hash_password`.

    public_key: of the operator's own SM2 key, 33 or 65 bytes; None: the operator enrols a second
    factor at the first sign-in.
    """

    name: str
    display_name: str
    roles: frozenset[Role]
    password_hash: str
    public_key: bytes | None = None

    def __post_init__(self) -> None:
        limits.check_word("name", self.name)
        limits.check_text("display_name", self.display_name)
        limits.check_text("password_hash", self.password_hash, characters_max=PASSWORD_HASH_MAX)
        check_roles(self.roles)
        if self.public_key is not None:
            parse_public_key("public_key", self.public_key)

    @property
    def point(self) -> bytes | None:
        """The public key in its one stored form, 33 bytes."""
        if self.public_key is None:
            return None
        return parse_public_key("public_key", self.public_key).to_bytes(compressed=True)

    def __repr__(self) -> str:
        return f"NewOperator({self.name!r})"


def check_roles(roles: frozenset[Role]) -> None:
    """At least one, and none that another one excludes. Raises InvalidActError."""
    if not roles:
        raise InvalidActError("roles", "至少选择一个角色", "choose at least one role")
    if operators.exclude_each_other(roles):
        raise InvalidActError(
            "roles",
            "系统管理员、安全管理员、审计管理员须由专人担任，不能兼任其他角色",
            "administrator, security and auditor each stand alone, beside no other role",
        )


def add_operator(scene: Scene, new: NewOperator) -> str:
    """Make the operator and its password; returns its id. Raises AlreadyExistsError."""
    if operators.find_by_name(scene.tx, new.name) is not None:
        raise AlreadyExistsError("operator")
    operator_id = scene.new_id()
    operators.add(scene.tx, operator_id, new.name, new.display_name, new.roles)
    credentials.put(scene.tx, SubjectKind.OPERATOR, operator_id, new.password_hash, scene.now)
    if new.point is not None:
        # One key is one person's: whoever has two names has them under two keys.
        if operator_factors.has_key(scene.tx, new.point):
            raise AlreadyExistsError("operator key")
        factor = Factor(FactorKind.SM2, new.point)
        operator_factors.put(scene.tx, operator_id, factor, scene.now)
    return operator_id


@dataclass(frozen=True, slots=True)
class AddOperator(DangerousAct):
    act: ClassVar[str] = "add_operator"

    operator: NewOperator

    def summary(self, tx: Reader) -> str:
        roles = ", ".join(sorted(self.operator.roles))
        name, point = self.operator.name, self.operator.point
        key = "" if point is None else f", SM2 {point.hex()}"
        return f"新增操作员 {name}（{roles}{key}） / Add operator {name} ({roles}{key})"

    def is_part_of_set_up(self, tx: Reader) -> bool:
        """The first security administrator, where the bureau began before there were any."""
        security = frozenset({Role.SECURITY})
        return self.operator.roles == security and not operators.is_held(tx, Role.SECURITY)

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
        # One at a time, lest two at once leave nobody.
        active = operators.lock_active(scene.tx)
        operator = find_operator(scene, self.name)
        state = states.after(states.SERVICE, "operator", operator.state, Step.SUSPEND)
        _check_left([one.roles for one in active if one.id != operator.id])
        operators.set_state(scene.tx, operator, state)
        sessions.end_all(scene.tx, SubjectKind.OPERATOR, operator.id)
        answer = {"operator_id": operator.id, "state": ServiceState.SUSPENDED.value}
        return Done(answer, f"operator/{operator.id}", answer)


@dataclass(frozen=True, slots=True)
class ChangeRoles(DangerousAct):
    """Give an operator these roles in the place of all others, and end the operator's sessions.

    What the operator proposed in a role that is gone can't be approved any more. Refused where
    nobody would be left to administer and to approve.
    """

    act: ClassVar[str] = "change_roles"

    name: str
    roles: frozenset[Role]

    def __post_init__(self) -> None:
        limits.check_word("name", self.name)
        check_roles(self.roles)

    def summary(self, tx: Reader) -> str:
        roles = ", ".join(sorted(self.roles))
        return f"操作员 {self.name} 的角色改为 {roles} / Operator {self.name} becomes {roles}"

    def apply(self, scene: Scene) -> Done:
        active = operators.lock_active(scene.tx)
        operator = find_operator(scene, self.name)
        if operator.state is not ServiceState.ACTIVE:
            raise WrongStateError("operator", operator.state)
        _check_left([self.roles, *(one.roles for one in active if one.id != operator.id)])
        operators.set_roles(scene.tx, operator, self.roles)
        sessions.end_all(scene.tx, SubjectKind.OPERATOR, operator.id)
        answer = {"operator_id": operator.id, "roles": sorted(self.roles)}
        return Done(answer, f"operator/{operator.id}", answer)


@dataclass(frozen=True, slots=True, repr=False)
class ResetOperator(DangerousAct):
    """For an operator who lost key or password: a password to begin with again, no second factor
    until one is enrolled, no session."""

    act: ClassVar[str] = "reset_operator"

    name: str
    password_hash: str

    def __post_init__(self) -> None:
        limits.check_word("name", self.name)
        limits.check_text("password_hash", self.password_hash, characters_max=PASSWORD_HASH_MAX)

    def __repr__(self) -> str:
        return f"ResetOperator({self.name!r})"

    def summary(self, tx: Reader) -> str:
        return (
            f"重置操作员 {self.name} 的密码和第二因素 / "
            f"Reset password and second factor of operator {self.name}"
        )

    def apply(self, scene: Scene) -> Done:
        operator = find_operator(scene, self.name)
        credentials.put(scene.tx, SubjectKind.OPERATOR, operator.id, self.password_hash, scene.now)
        operator_factors.forget(scene.tx, operator.id, scene.now)
        sessions.end_all(scene.tx, SubjectKind.OPERATOR, operator.id)
        return Done({"operator_id": operator.id}, f"operator/{operator.id}")


def find_operator(scene: Scene, name: str) -> Operator:
    """Raises NotFoundError."""
    operator = operators.find_by_name(scene.tx, name)
    if operator is None:
        raise NotFoundError("operator")
    return operator


def _check_left(roles_of_each: list[frozenset[Role]]) -> None:
    if not operators.can_administer(roles_of_each):
        raise InvalidActError(
            "name",
            "之后将无系统管理员或无安全管理员，请先新增操作员",
            "no administrator or no security administrator would be left; add one first",
        )
