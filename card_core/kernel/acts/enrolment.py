"""Acts by which a terminal (终端) comes to its key, changes it, and loses it.

Two people approve that a terminal may be enrolled; the one-time code that they let out is all that
the terminal then needs to bring its own key. A key that is still there vouches for the next one; a
key that is lost is replaced by enrolling anew. Ending a key takes one person, and works at once.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from card_core.errors import AlreadyExistsError, InvalidActError, NotAllowedError, NotFoundError
from card_core.kernel import limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.acts.institutions import check_code, check_serial_number, find_institution
from card_core.kernel.enrolment_codes import GROUP_CHARACTERS
from card_core.kernel.public_keys import parse_public_key
from card_core.service_channels import PLACES, ChannelKind
from card_core.states import ServiceState
from card_core.store import Lock, Reader, enrolments, institutions
from card_core.store.enrolments import Enrolment
from card_core.store.institutions import Terminal

CODE_LIFE = timedelta(hours=24)
FAILURES_MAX = 5
KEY_OVERLAP = timedelta(hours=24)
_DIGEST_SIZE_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class PrepareEnrolment(DangerousAct):
    """Let a terminal bring its key once, by the code whose keyed digest this is.

    serial_number: 8 bytes, not all zeros. code_name, code_digest: of `enrolment_codes`; the code
    itself never comes here. It is good for CODE_LIFE from the approval on, and a code let out
    earlier for the same terminal ends. A terminal that is enrolled already gets another key by it.
    channel: the kind of service channel that it is to be; None for a terminal, which scans. What is
    one of them never becomes the other.
    """

    act: ClassVar[str] = "prepare_enrolment"

    serial_number: bytes
    institution_code: str
    code_name: str
    code_digest: bytes
    channel: ChannelKind | None = None

    def __post_init__(self) -> None:
        check_serial_number(self.serial_number)
        check_code(self.institution_code)
        limits.check_text("code_name", self.code_name, characters_max=GROUP_CHARACTERS)
        limits.check_size("code_digest", self.code_digest, _DIGEST_SIZE_BYTES)

    def summary(self, tx: Reader) -> str:
        serial, code, name = self.serial_number.hex(), self.institution_code, self.code_name
        again = institutions.terminal_by_serial(tx, self.serial_number) is not None
        zh, en = ("更换已登记终端的密钥", "Replace the key of") if again else ("登记终端", "Enrol")
        noun = "terminal"
        if self.channel is not None:
            zh, noun = zh.replace("终端", "服务渠道"), f"service channel ({self.channel.value})"
        return (
            f"{zh} {serial}（{code}），登记码 {name}-… / "
            f"{en} {noun} {serial} at {code}, code {name}-…"
        )

    def apply(self, scene: Scene) -> Done:
        institution = find_institution(scene, self.institution_code)
        if self.channel is not None:
            limits.check_one_of("institution_kind", institution.kind, PLACES[self.channel])
        terminal = institutions.terminal_by_serial(scene.tx, self.serial_number, Lock.SHARED)
        known = None if terminal is None else (terminal.institution_id, terminal.channel)
        if known not in {None, (institution.id, self.channel)}:
            raise AlreadyExistsError("terminal")
        for earlier in enrolments.open_of(scene.tx, self.serial_number, scene.now):
            enrolments.end(scene.tx, earlier, scene.now)
        ends_at = scene.now + CODE_LIFE
        new = Enrolment(
            scene.new_id(),
            self.serial_number,
            institution.id,
            self.code_name,
            self.code_digest,
            0,
            ends_at,
            channel=self.channel,
        )
        enrolments.add(scene.tx, new)
        detail = {"serial_number": self.serial_number.hex(), "institution_id": institution.id}
        detail |= {} if self.channel is None else {"channel": self.channel.value}
        answer = {"enrolment_id": new.id, "ends_at": ends_at.isoformat()}
        return Done(answer, f"enrolment/{new.id}", {**detail, **answer})


@dataclass(frozen=True, slots=True)
class WithdrawEnrolment(Act):
    """End the codes that are let out for this terminal and that nobody has used."""

    act: ClassVar[str] = "withdraw_enrolment"

    serial_number: bytes

    def __post_init__(self) -> None:
        check_serial_number(self.serial_number)

    def apply(self, scene: Scene) -> Done:
        found = enrolments.open_of(scene.tx, self.serial_number, scene.now)
        if not found:
            raise NotFoundError("enrolment")
        for one in found:
            enrolments.end(scene.tx, one, scene.now)
        detail = {"serial_number": self.serial_number.hex(), "ended": len(found)}
        return Done({"ended": len(found)}, f"enrolment/{found[0].id}", detail)


@dataclass(frozen=True, slots=True, repr=False)
class EnrolTerminal(Act):
    """Use an enrolment code: the terminal gets this key, and any earlier key of it ends.

    code_digest: the keyed digest of what was presented. public_key: SEC 1; that its private half
    is there is proved before.
    Answer: outcome `enrolled` with terminal_id, the same again for the same key; or `refused`
    for a wrong, used or expired code, told apart by nothing. A wrong one is counted.
    """

    act: ClassVar[str] = "enrol_terminal"

    serial_number: bytes
    code_name: str
    code_digest: bytes
    public_key: bytes

    def __post_init__(self) -> None:
        check_serial_number(self.serial_number)
        limits.check_text("code_name", self.code_name, characters_max=GROUP_CHARACTERS)
        limits.check_size("code_digest", self.code_digest, _DIGEST_SIZE_BYTES)
        parse_public_key("public_key", self.public_key)

    def apply(self, scene: Scene) -> Done:
        named = enrolments.find(scene.tx, self.serial_number, self.code_name)
        if named is None:
            raise NotFoundError("enrolment")
        enrolment = enrolments.lock(scene.tx, named.id)
        if enrolment is None:
            raise NotFoundError("enrolment")
        is_right = hmac.compare_digest(enrolment.code_digest, self.code_digest)
        if enrolment.failures >= FAILURES_MAX or scene.now >= enrolment.ends_at:
            return self._refused(enrolment, enrolment.failures)
        if not is_right:
            return self._refused(enrolment, enrolments.count_failure(scene.tx, enrolment))
        public_key = parse_public_key("public_key", self.public_key).to_bytes(compressed=True)
        if enrolment.public_key is not None:
            return self._used_before(scene, enrolment, public_key)
        terminal = self._take_in(scene, enrolment, public_key)
        enrolments.use(scene.tx, enrolment, public_key)
        detail = {
            "outcome": "enrolled",
            "enrolment_id": enrolment.id,
            "serial_number": self.serial_number.hex(),
            "institution_id": enrolment.institution_id,
            "public_key": public_key.hex(),
        }
        return Done(_enrolled(terminal), f"terminal/{terminal.id}", detail)

    def _take_in(self, scene: Scene, enrolment: Enrolment, public_key: bytes) -> Terminal:
        known = institutions.terminal_by_serial(scene.tx, self.serial_number, Lock.OWN)
        if known is None:
            new = Terminal(
                scene.new_id(),
                self.serial_number,
                enrolment.institution_id,
                public_key,
                ServiceState.ACTIVE,
                channel=enrolment.channel,
            )
            institutions.add_terminal(scene.tx, new)
            return new
        # A suspended terminal stays so: a new key is no reinstatement.
        with_key = replace(
            known,
            public_key=public_key,
            key_ends_at=None,
            previous_key=None,
            previous_key_ends_at=None,
        )
        institutions.set_keys(scene.tx, with_key)
        return with_key

    def _used_before(self, scene: Scene, enrolment: Enrolment, public_key: bytes) -> Done:
        """The terminal asks again because the answer was lost, or somebody found the code."""
        terminal = institutions.terminal_by_serial(scene.tx, self.serial_number, Lock.SHARED)
        if (
            terminal is None
            or not terminal.public_key == enrolment.public_key == public_key
            or _has_ended(terminal, scene)
        ):
            return self._refused(enrolment, enrolment.failures)
        subject, detail = f"terminal/{terminal.id}", {"outcome": "enrolled", "again": True}
        return Done(_enrolled(terminal), subject, {**detail, "enrolment_id": enrolment.id})

    def _refused(self, enrolment: Enrolment, failures: int) -> Done:
        detail = {"outcome": "refused", "enrolment_id": enrolment.id, "failures": failures}
        return Done({"outcome": "refused"}, f"enrolment/{enrolment.id}", detail)


@dataclass(frozen=True, slots=True)
class RotateTerminalKey(Act):
    """The acting terminal's next key, vouched for by its current one; both are good for a while.

    signed_by: the key that signed the request, 33 bytes. The one before the current key vouches
    for nothing any more; a request that comes again after its answer was lost gets that answer.
    Answer: terminal_id, and previous_key_ends_at, KEY_OVERLAP later.
    """

    act: ClassVar[str] = "rotate_terminal_key"

    public_key: bytes
    signed_by: bytes

    def __post_init__(self) -> None:
        parse_public_key("public_key", self.public_key)
        parse_public_key("signed_by", self.signed_by)

    def apply(self, scene: Scene) -> Done:
        acting = scene.standing.terminal
        terminal = acting and institutions.get_terminal(scene.tx, acting.id, Lock.OWN)
        # Whoever holds a key that was revoked a moment ago must not give it a successor.
        if terminal is None or _has_ended(terminal, scene):
            raise NotAllowedError
        public_key = parse_public_key("public_key", self.public_key).to_bytes(compressed=True)
        if public_key == terminal.public_key and terminal.previous_key_ends_at is not None:
            return self._done(terminal, again=True)
        if self.signed_by != terminal.public_key:
            raise NotAllowedError
        if public_key in {terminal.public_key, terminal.previous_key}:
            raise InvalidActError(
                "public_key", "必须是新生成的密钥", "must be a key that was never used before"
            )
        rotated = replace(
            terminal,
            public_key=public_key,
            key_ends_at=None,
            previous_key=terminal.public_key,
            previous_key_ends_at=scene.now + KEY_OVERLAP,
        )
        institutions.set_keys(scene.tx, rotated)
        return self._done(rotated, again=False)

    def _done(self, terminal: Terminal, *, again: bool) -> Done:
        ends_at = terminal.previous_key_ends_at
        answer = {
            "terminal_id": terminal.id,
            "previous_key_ends_at": None if ends_at is None else ends_at.isoformat(),
        }
        detail = {**answer, "public_key": terminal.public_key.hex(), "again": again}
        return Done(answer, f"terminal/{terminal.id}", detail)


@dataclass(frozen=True, slots=True)
class RevokeTerminalKeys(Act):
    """End every key of a terminal now; it serves again when it is enrolled anew."""

    act: ClassVar[str] = "revoke_terminal_keys"

    serial_number: bytes

    def __post_init__(self) -> None:
        check_serial_number(self.serial_number)

    def apply(self, scene: Scene) -> Done:
        terminal = institutions.terminal_by_serial(scene.tx, self.serial_number, Lock.OWN)
        if terminal is None:
            raise NotFoundError("terminal")
        ended = replace(
            terminal, key_ends_at=scene.now, previous_key=None, previous_key_ends_at=None
        )
        institutions.set_keys(scene.tx, ended)
        answer = {"terminal_id": terminal.id, "ended_at": scene.now.isoformat()}
        return Done(answer, f"terminal/{terminal.id}", answer)


def _has_ended(terminal: Terminal, scene: Scene) -> bool:
    return terminal.key_ends_at is not None and scene.now >= terminal.key_ends_at


def _enrolled(terminal: Terminal) -> dict[str, str]:
    return {"outcome": "enrolled", "terminal_id": terminal.id}
