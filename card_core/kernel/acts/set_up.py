"""Acts that set the bureau up: its issuer number, its keys, its first operators, the day's key."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from card_core.codes import CodeKey, KeyPurpose, KeyState
from card_core.errors import AlreadyExistsError, InvalidActError, NotAllowedError
from card_core.kernel import limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.acts.operators import NewOperator, add_operator
from card_core.kernel.box_keys import WRAPPED_SIZE_BYTES
from card_core.kernel.public_keys import parse_public_key
from card_core.store import Reader, audit, box_keys, issuers, operators

ISSUER_MAX = 0xFFFF
KEY_NUMBER_MAX = 0xFF


@dataclass(frozen=True, slots=True)
class SetUpIssuer(Act):
    """Fix this bureau's issuer number and the two letters its card numbers begin with, once.

    issuer: 1 to 65535, the number in its codes. card_letters: two capital ASCII letters.
    """

    act: ClassVar[str] = "set_up_issuer"

    issuer: int
    card_letters: str
    name: str

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
        issuers.add(scene.tx, self.issuer, self.card_letters, self.name)
        audit.begin(scene.tx)
        answer = {"issuer": self.issuer, "card_letters": self.card_letters}
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
                "至少需要一名管理员，以及另一名可复核的管理员或复核人员",
                "needs an administrator and another administrator or checker to approve",
            )

    def apply(self, scene: Scene) -> Done:
        if operators.page(scene.tx, limit=1):
            raise AlreadyExistsError("operator")
        ids = {new.name: add_operator(scene, new) for new in self.operators}
        return Done({"operator_ids": ids}, "operator/first", {"operator_ids": sorted(ids.values())})


@dataclass(frozen=True, slots=True)
class RegisterIssuerKey(DangerousAct):
    """Trust an issuer's public key (33 or 65 bytes, SEC 1), active at once.

    The system may do it alone for this bureau's own issuer number while that has no key yet.
    """

    act: ClassVar[str] = "register_issuer_key"

    issuer: int
    number: int
    public_key: bytes
    purpose: KeyPurpose = KeyPurpose.CODE_SIGNING

    def __post_init__(self) -> None:
        limits.check_range("issuer", self.issuer, 1, ISSUER_MAX)
        limits.check_range("number", self.number, 0, KEY_NUMBER_MAX)
        parse_public_key("public_key", self.public_key)

    def summary(self, tx: Reader) -> str:
        key = f"{self.issuer}.{self.number}"
        point = parse_public_key("public_key", self.public_key).to_bytes(compressed=True).hex()
        return (
            f"信任发卡机构密钥 {key} / Trust issuer key {key} ({self.purpose.value}), "
            f"公钥 public key {point}"
        )

    def is_part_of_set_up(self, tx: Reader) -> bool:
        own = issuers.own(tx)
        return (
            own is not None
            and own.number == self.issuer
            and not any(
                key.issuer == self.issuer and key.purpose is self.purpose
                for key in issuers.keys(tx)
            )
        )

    def apply(self, scene: Scene) -> Done:
        if issuers.get_key(scene.tx, self.issuer, self.number, self.purpose) is not None:
            raise AlreadyExistsError("issuer key")
        public_key = parse_public_key("public_key", self.public_key)
        key = CodeKey(self.issuer, self.number, public_key, KeyState.ACTIVE, self.purpose)
        issuers.add_key(scene.tx, key)
        answer = {
            "issuer": self.issuer,
            "number": self.number,
            "purpose": self.purpose.value,
            "state": KeyState.ACTIVE.value,
        }
        return Done(answer, f"issuer/{self.issuer}", answer)


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
