"""Acts on designated institutions (定点医药机构), and on whether their terminals (终端) serve.

Stopping is safe, so one person may suspend; starting and starting again take two. How a terminal
comes to its key is in `acts.enrolment`.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from card_core import business_types, states
from card_core.business_types import PLACES
from card_core.errors import AlreadyExistsError, InvalidActError, NotFoundError
from card_core.kernel import limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.content import to_json
from card_core.states import ServiceState, Step
from card_core.store import Lock, Reader, institutions
from card_core.store.institutions import Institution

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


def check_business_types(kind: str, codes: frozenset[str] | None) -> None:
    """Only what institutions of this kind may scan for at all; None for all of that."""
    if codes is not None:
        offered = {one.code for one in business_types.ALL if one.is_offered_at(kind)}
        for code in sorted(codes):
            limits.check_one_of("business_types", code, offered)


@dataclass(frozen=True, slots=True)
class DesignateInstitution(DangerousAct):
    """kind: of `business_types.PLACES`. region: six digits.

    business_types: the codes that its terminals may scan for, None for all of its kind.
    """

    act: ClassVar[str] = "designate_institution"

    code: str
    name: str
    kind: str
    region: str
    business_types: frozenset[str] | None = None

    def __post_init__(self) -> None:
        check_code(self.code)
        limits.check_text("name", self.name)
        limits.check_one_of("kind", self.kind, PLACES)
        limits.check_region("region", self.region)
        check_business_types(self.kind, self.business_types)

    def summary(self, tx: Reader) -> str:
        zh, en = _in_words(self.business_types)
        return (
            f"定点 {self.code} {self.name}（{PLACES[self.kind]}，{self.region}），"
            f"用码业务类型 {zh} / "
            f"Designate {self.code} {self.name} ({self.kind}, {self.region}), business types {en}"
        )

    def apply(self, scene: Scene) -> Done:
        if institutions.institution_by_code(scene.tx, self.code) is not None:
            raise AlreadyExistsError("institution")
        institution_id = scene.new_id()
        new = Institution(
            institution_id,
            self.code,
            self.name,
            self.kind,
            self.region,
            ServiceState.ACTIVE,
            self.business_types,
        )
        institutions.add(scene.tx, new)
        return Done(
            {"institution_id": institution_id},
            f"institution/{institution_id}",
            {
                "code": self.code,
                "kind": self.kind,
                "region": self.region,
                "business_types": to_json(self.business_types),
            },
        )


@dataclass(frozen=True, slots=True)
class ChangeBusinessTypes(DangerousAct):
    """What an institution's terminals may scan for from now on; None for all of its kind."""

    act: ClassVar[str] = "change_business_types"

    code: str
    business_types: frozenset[str] | None

    def __post_init__(self) -> None:
        check_code(self.code)
        if self.business_types is not None:
            for one in sorted(self.business_types):
                limits.check_one_of(
                    "business_types", one, {known.code for known in business_types.ALL}
                )

    def summary(self, tx: Reader) -> str:
        zh, en = _in_words(self.business_types)
        return (
            f"更改定点 {self.code} 的用码业务类型：{zh} / "
            f"Change the business types of institution {self.code}: {en}"
        )

    def apply(self, scene: Scene) -> Done:
        institution = find_institution(scene, self.code, Lock.OWN)
        check_business_types(institution.kind, self.business_types)
        institutions.set_business_types(scene.tx, institution, self.business_types)
        answer = {
            "institution_id": institution.id,
            "business_types": to_json(self.business_types),
        }
        return Done(answer, f"institution/{institution.id}", answer)


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


def find_institution(scene: Scene, code: str, lock: Lock = Lock.SHARED) -> Institution:
    """The institution with this code, locked. Raises NotFoundError."""
    institution = institutions.institution_by_code(scene.tx, code, lock)
    if institution is None:
        raise NotFoundError("institution")
    return institution


def _in_words(codes: frozenset[str] | None) -> tuple[str, str]:
    if codes is None:
        return "该类机构的全部", "all of its kind"
    listed = ", ".join(sorted(codes))
    return listed or "无", listed or "none"


def _move_institution(scene: Scene, code: str, step: Step) -> Done:
    institution = find_institution(scene, code, Lock.OWN)
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
