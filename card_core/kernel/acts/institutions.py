"""Acts on designated institutions (定点医药机构) and their terminals (终端).

Stopping is safe, so one person may suspend; starting and starting again take two.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from card_core import states
from card_core.business_types import PLACES
from card_core.errors import AlreadyExistsError, InvalidActError, NotFoundError
from card_core.kernel import limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.public_keys import parse_public_key
from card_core.states import ServiceState, Step
from card_core.store import Lock, Reader, institutions
from card_core.store.institutions import Institution, Terminal

SERIAL_NUMBER_SIZE_BYTES = 8
_CODE = re.compile(r"[A-Z0-9]{6,20}")


def check_code(value: str) -> None:
    """Hospitals have H, region and 5 digits, pharmacies P; other kinds of place have their own."""
    if not _CODE.fullmatch(value):
        raise InvalidActError(
            "code", "应为 6 至 20 个大写字母或数字", "must be 6 to 20 of A-Z and 0-9"
        )


def check_serial_number(value: bytes) -> None:
    limits.check_size("serial_number", value, SERIAL_NUMBER_SIZE_BYTES)
    if value == bytes(SERIAL_NUMBER_SIZE_BYTES):
        # In a code it means any terminal.
        raise InvalidActError("serial_number", "不能全为零", "must not be all zeros")


@dataclass(frozen=True, slots=True)
class DesignateInstitution(DangerousAct):
    """kind: of `business_types.PLACES`. region: six digits."""

    act: ClassVar[str] = "designate_institution"

    code: str
    name: str
    kind: str
    region: str

    def __post_init__(self) -> None:
        check_code(self.code)
        limits.check_text("name", self.name)
        limits.check_one_of("kind", self.kind, PLACES)
        limits.check_region("region", self.region)

    def summary(self, tx: Reader) -> str:
        return (
            f"定点 {self.code} {self.name} / "
            f"Designate {self.code} {self.name} ({self.kind}, {self.region})"
        )

    def apply(self, scene: Scene) -> Done:
        if institutions.institution_by_code(scene.tx, self.code) is not None:
            raise AlreadyExistsError("institution")
        institution_id = scene.new_id()
        new = Institution(
            institution_id, self.code, self.name, self.kind, self.region, ServiceState.ACTIVE
        )
        institutions.add(scene.tx, new)
        return Done(
            {"institution_id": institution_id},
            f"institution/{institution_id}",
            {"code": self.code, "kind": self.kind, "region": self.region},
        )


@dataclass(frozen=True, slots=True)
class SuspendInstitution(Act):
    """None of its terminals can scan until it is reinstated."""

    act: ClassVar[str] = "suspend_institution"

    code: str

    def __post_init__(self) -> None:
        check_code(self.code)

    def apply(self, scene: Scene) -> Done:
        return _move_institution(scene, self.code, Step.SUSPEND)


@dataclass(frozen=True, slots=True)
class ReinstateInstitution(DangerousAct):
    act: ClassVar[str] = "reinstate_institution"

    code: str

    def __post_init__(self) -> None:
        check_code(self.code)

    def summary(self, tx: Reader) -> str:
        return f"恢复定点 {self.code} / Reinstate institution {self.code}"

    def apply(self, scene: Scene) -> Done:
        return _move_institution(scene, self.code, Step.REINSTATE)


@dataclass(frozen=True, slots=True)
class EnrolTerminal(DangerousAct):
    """serial_number: 8 bytes, not all zeros. public_key: the terminal's own SM2 key, SEC 1."""

    act: ClassVar[str] = "enrol_terminal"

    serial_number: bytes
    institution_code: str
    public_key: bytes

    def __post_init__(self) -> None:
        check_serial_number(self.serial_number)
        check_code(self.institution_code)
        parse_public_key("public_key", self.public_key)

    def summary(self, tx: Reader) -> str:
        serial, code, key = self.serial_number.hex(), self.institution_code, self.public_key.hex()
        return f"登记终端 {serial}（{code}）/ Enrol terminal {serial} at {code}, key {key}"

    def apply(self, scene: Scene) -> Done:
        institution = _institution(scene, self.institution_code)
        if institutions.terminal_by_serial(scene.tx, self.serial_number) is not None:
            raise AlreadyExistsError("terminal")
        terminal_id = scene.new_id()
        public_key = parse_public_key("public_key", self.public_key).to_bytes(compressed=True)
        new = Terminal(
            terminal_id, self.serial_number, institution.id, public_key, ServiceState.ACTIVE
        )
        institutions.add_terminal(scene.tx, new)
        return Done(
            {"terminal_id": terminal_id, "institution_id": institution.id},
            f"terminal/{terminal_id}",
            {"serial_number": self.serial_number.hex(), "institution_id": institution.id},
        )


@dataclass(frozen=True, slots=True)
class SuspendTerminal(Act):
    act: ClassVar[str] = "suspend_terminal"

    serial_number: bytes

    def __post_init__(self) -> None:
        check_serial_number(self.serial_number)

    def apply(self, scene: Scene) -> Done:
        return _move_terminal(scene, self.serial_number, Step.SUSPEND)


@dataclass(frozen=True, slots=True)
class ReinstateTerminal(DangerousAct):
    act: ClassVar[str] = "reinstate_terminal"

    serial_number: bytes

    def __post_init__(self) -> None:
        check_serial_number(self.serial_number)

    def summary(self, tx: Reader) -> str:
        serial = self.serial_number.hex()
        return f"恢复终端 {serial} / Reinstate terminal {serial}"

    def apply(self, scene: Scene) -> Done:
        return _move_terminal(scene, self.serial_number, Step.REINSTATE)


def _institution(scene: Scene, code: str, lock: Lock = Lock.SHARED) -> Institution:
    institution = institutions.institution_by_code(scene.tx, code, lock)
    if institution is None:
        raise NotFoundError("institution")
    return institution


def _move_institution(scene: Scene, code: str, step: Step) -> Done:
    institution = _institution(scene, code, Lock.OWN)
    state = states.after(states.SERVICE, "institution", institution.state, step)
    institutions.set_state(scene.tx, institution, state)
    answer = {"institution_id": institution.id, "state": state.value}
    return Done(answer, f"institution/{institution.id}", answer)


def _move_terminal(scene: Scene, serial_number: bytes, step: Step) -> Done:
    terminal = institutions.terminal_by_serial(scene.tx, serial_number, Lock.OWN)
    if terminal is None:
        raise NotFoundError("terminal")
    state = states.after(states.SERVICE, "terminal", terminal.state, step)
    institutions.set_terminal_state(scene.tx, terminal, state)
    answer = {"terminal_id": terminal.id, "state": state.value}
    return Done(answer, f"terminal/{terminal.id}", answer)
