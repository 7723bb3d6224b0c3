"""The check of the person (本人核验): whoever sees that somebody is who they claim to be.

A face seen by a provider of the bureau's choice, usually; what a provider is asked and what it
says stands here, how it is reached does not. `SimulatedPersonCheck` sees nobody: it is for
demonstrations, and says so.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

SIMULATED: Final = "simulated"
DIGITS: Final = 4
TYPED_MAX: Final = 16


class Outcome(StrEnum):
    """undecided: the person has not finished, or nobody can say; it is as good as no."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, repr=False)
class Started:
    """What a provider answers to the begin of a check.

    reference: its own word for this check, 1 to 200 printable characters. message_zh, message_en:
    what the person is told to do, at most 200 characters each. digits: how many digits the person
    is to type, or None. address: where the person goes on, https, or None.
    """

    reference: str
    message_zh: str
    message_en: str
    digits: int | None = None
    address: str | None = None


class PersonCheck(Protocol):
    """A provider. name: for the audit log, at most 32 characters. is_simulated: it sees nobody."""

    name: str
    is_simulated: bool

    def start(self, name: str, social_security_number: str) -> Started:
        """Begin a check of whoever claims to be this person, known here or not.

        Raises PersonCheckUnavailableError.
        """

    def result(self, reference: str, typed: str) -> Outcome:
        """What came of it. typed: by the person, where digits were asked for; else empty.

        Raises PersonCheckUnavailableError.
        """


class SimulatedPersonCheck:
    """Shows a number that the person repeats: whoever reads can pass. For demonstrations alone."""

    name = SIMULATED
    is_simulated = True

    def __init__(self, *, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes

    def start(self, name: str, social_security_number: str) -> Started:
        del name, social_security_number
        number = f"{int.from_bytes(self._random_bytes(8)) % 10**DIGITS:0{DIGITS}d}"
        return Started(
            number,
            f"这是演示用的模拟核验，不看人脸。请照着输入这个数：{number}",
            f"This check is simulated, for a demonstration: nobody looks at your face. "
            f"Type this number: {number}",
            digits=DIGITS,
        )

    def result(self, reference: str, typed: str) -> Outcome:
        same = hmac.compare_digest(reference.encode(), typed.encode("utf-8", "surrogatepass"))
        return Outcome.PASSED if same else Outcome.FAILED
