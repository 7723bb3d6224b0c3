"""Acts that set the bureau up: its issuer number, its first operators, the day's key."""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from card_core.errors import AlreadyExistsError, InvalidActError, NotAllowedError
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.acts.issuer_keys import ISSUER_MAX
from card_core.kernel.acts.operators import NewOperator, add_operator
from card_core.kernel.box_keys import WRAPPED_SIZE_BYTES
from card_core.store import audit, box_keys, issuers, operators


@dataclass(frozen=True, slots=True)
class SetUpIssuer(Act):
    """Fix this bureau's issuer number and the two letters its card numbers begin with, once.

    issuer: 1 to 65535, the number in its codes. card_letters: two capital ASCII letters.
    is_sandbox: the installation is for tests, and makes codes in every condition on demand. No act
    changes that, and the row has an HMAC: a production never becomes a sandbox.
    """

    act: ClassVar[str] = "set_up_issuer"

    issuer: int
    card_letters: str
    name: str
    is_sandbox: bool = False

    def __post_init__(self) -> None:
        limits.check_range("issuer", self.issuer, 1, ISSUER_MAX)
        limits.check_text("name", self.name)
        letters = self.card_letters
        if len(letters) != 2 or not (letters.isascii() and letters.isalpha() and letters.isupper()):
            raise InvalidActError(
                "card_letters", "应为两个大写英文字母", "must be two capital letters A to Z"
            )

    def apply(self, scene: Scene) -> Done:
        if issuers.own(scene.tx) is not None:
            raise AlreadyExistsError("issuer")
        issuers.add(scene.tx, self.issuer, self.card_letters, self.name, is_sandbox=self.is_sandbox)
        audit.begin(scene.tx)
        answer: dict[str, Any] = {"issuer": self.issuer, "card_letters": self.card_letters}
        if self.is_sandbox:
            answer["is_sandbox"] = True
        return Done(answer, f"issuer/{self.issuer}", answer)


@dataclass(frozen=True, slots=True)
class SetUpFirstOperators(Act):
    """The first operators, while there are none: enough of them to approve each other's acts."""

    act: ClassVar[str] = "set_up_first_operators"

    operators: tuple[NewOperator, ...]

    def __post_init__(self) -> None:
        names = {new.name for new in self.operators}
        if len(names) != len(self.operators):
            raise InvalidActError("operators", "登录名重复", "a sign-in name is there twice")
        if not operators.can_administer([new.roles for new in self.operators]):
            raise InvalidActError(
                "operators",
                "至少需要一名系统管理员（administrator）和一名安全管理员（security）",
                "needs an administrator and a security administrator, who approves",
            )

    def apply(self, scene: Scene) -> Done:
        if operators.page(scene.tx, limit=1):
            raise AlreadyExistsError("operator")
        ids = {new.name: add_operator(scene, new) for new in self.operators}
        return Done({"operator_ids": ids}, "operator/first", {"operator_ids": sorted(ids.values())})


@dataclass(frozen=True, slots=True)
class EnsureBoxKey(Act):
    """Keep the day's wrapped box key, unless there is one; either way answer with the one kept."""

    act: ClassVar[str] = "ensure_box_key"

    day: date
    wrapped: bytes

    def __post_init__(self) -> None:
        limits.check_size("wrapped", self.wrapped, WRAPPED_SIZE_BYTES)

    def apply(self, scene: Scene) -> Done:
        if scene.box_key_wrap is None:
            raise NotAllowedError
        scene.box_key_wrap.unwrap(self.day, self.wrapped)
        kept = box_keys.keep(scene.tx, self.day, self.wrapped, scene.now)
        day = self.day.isoformat()
        return Done({"day": day, "wrapped": kept.hex()}, f"box_key/{day}", {"day": day})
