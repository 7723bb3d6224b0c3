"""Acts on card makers (卡商): who gets holders' data and keys takes two people to say."""

import re
from dataclasses import dataclass
from typing import ClassVar

from card_core import states
from card_core.errors import AlreadyExistsError, InvalidActError, NotFoundError
from card_core.kernel import limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.public_keys import parse_public_key
from card_core.states import ServiceState, Step
from card_core.store import Lock, Reader, Transaction, makers
from card_core.store.makers import Maker
from crypto import sm3

_CODE = re.compile(r"[0-9A-Z]{1,16}")


def check_maker_code(value: str) -> None:
    """As files name a maker. Raises InvalidActError."""
    if not _CODE.fullmatch(value):
        raise InvalidActError(
            "code", "应为 1 至 16 位数字或大写字母", "must be 1 to 16 of 0-9 and A-Z"
        )


def find_maker(tx: Transaction, code: str, lock: Lock = Lock.SHARED) -> Maker:
    """The maker with this code, locked. Raises NotFoundError."""
    maker = makers.by_code(tx, code, lock)
    if maker is None:
        raise NotFoundError("maker")
    return maker


@dataclass(frozen=True, slots=True)
class RegisterMaker(DangerousAct):
    """public_key: 33 or 65 bytes, SEC 1; maker files are encrypted to it."""

    act: ClassVar[str] = "register_maker"

    code: str
    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        check_maker_code(self.code)
        limits.check_text("name", self.name)
        parse_public_key("public_key", self.public_key)

    def summary(self, tx: Reader) -> str:
        print_of = _fingerprint(self.public_key)
        return (
            f"登记卡商 {self.code} {self.name}，公钥指纹 {print_of} / "
            f"Register card maker {self.code} {self.name}, key fingerprint {print_of}"
        )

    def apply(self, scene: Scene) -> Done:
        if makers.by_code(scene.tx, self.code) is not None:
            raise AlreadyExistsError("maker")
        maker_id = scene.new_id()
        point = parse_public_key("public_key", self.public_key).to_bytes(compressed=True)
        makers.add(scene.tx, Maker(maker_id, self.code, self.name, point, ServiceState.ACTIVE))
        detail = {"code": self.code, "key": _fingerprint(self.public_key)}
        return Done({"maker_id": maker_id}, f"maker/{maker_id}", detail)


@dataclass(frozen=True, slots=True)
class ChangeMakerKey(DangerousAct):
    """Files that are written from now on are for this key; those that are out stay as they are."""

    act: ClassVar[str] = "change_maker_key"

    code: str
    public_key: bytes

    def __post_init__(self) -> None:
        check_maker_code(self.code)
        parse_public_key("public_key", self.public_key)

    def summary(self, tx: Reader) -> str:
        print_of = _fingerprint(self.public_key)
        return (
            f"更换卡商 {self.code} 的公钥，指纹 {print_of} / "
            f"Change the key of card maker {self.code}, fingerprint {print_of}"
        )

    def apply(self, scene: Scene) -> Done:
        maker = find_maker(scene.tx, self.code, Lock.OWN)
        point = parse_public_key("public_key", self.public_key).to_bytes(compressed=True)
        makers.set_key(scene.tx, maker, point)
        answer = {"maker_id": maker.id, "key": _fingerprint(self.public_key)}
        return Done(answer, f"maker/{maker.id}", answer)


@dataclass(frozen=True, slots=True)
class SuspendMaker(Act):
    """Nothing is ordered from it or written for it until it is reinstated."""

    act: ClassVar[str] = "suspend_maker"

    code: str

    def __post_init__(self) -> None:
        check_maker_code(self.code)

    def apply(self, scene: Scene) -> Done:
        return _move(scene, self.code, Step.SUSPEND)


@dataclass(frozen=True, slots=True)
class ReinstateMaker(DangerousAct):
    act: ClassVar[str] = "reinstate_maker"

    code: str

    def __post_init__(self) -> None:
        check_maker_code(self.code)

    def summary(self, tx: Reader) -> str:
        return f"恢复卡商 {self.code} / Reinstate card maker {self.code}"

    def apply(self, scene: Scene) -> Done:
        return _move(scene, self.code, Step.REINSTATE)


def _move(scene: Scene, code: str, step: Step) -> Done:
    maker = find_maker(scene.tx, code, Lock.OWN)
    state = states.after(states.SERVICE, "maker", maker.state, step)
    makers.set_state(scene.tx, maker, state)
    answer = {"maker_id": maker.id, "state": state.value}
    return Done(answer, f"maker/{maker.id}", answer)


def _fingerprint(public_key: bytes) -> str:
    """16 hexadecimal digits of SM3 over the compressed key: the key name in the maker file."""
    point = parse_public_key("public_key", public_key).to_bytes(compressed=True)
    return sm3.digest(point).hex()[:16]
