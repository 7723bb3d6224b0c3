"""Scans that two issuers have a part in: one whose terminal scans, one whose card it is."""

from dataclasses import dataclass
from typing import Any

from card_core.business_types import PLACES
from card_core.codes import CheckedCode, ForWhom, Presence
from card_core.kernel import limits
from card_core.presented import Medium
from card_core.states import ServiceState
from card_core.store.institutions import Institution, Terminal
from card_core.verdicts import Reason

ISSUER_MAX = 0xFFFF
INSTITUTION_CODE_MAX = 20
SERIAL_NUMBER_SIZE_BYTES = 8


@dataclass(frozen=True, slots=True)
class AskingInstitution:
    """Who scans our holder's code at another issuer's place, in that issuer's words.

    issuer: the one that asks; it vouches for its institution and terminal. terminal: the serial
    number, 8 bytes. Raises InvalidActError for fields out of their limits.
    """

    issuer: int
    code: str
    name: str
    kind: str
    terminal: bytes

    def __post_init__(self) -> None:
        limits.check_range("issuer", self.issuer, 1, ISSUER_MAX)
        limits.check_text("institution_code", self.code, characters_max=INSTITUTION_CODE_MAX)
        limits.check_text("institution_name", self.name)
        limits.check_one_of("institution_kind", self.kind, PLACES)
        limits.check_size("terminal", self.terminal, SERIAL_NUMBER_SIZE_BYTES)

    @property
    def terminal_id(self) -> str:
        """In the place of a row id: there is no row of ours for it."""
        return f"peer-{self.issuer}-{self.terminal.hex()}"

    @property
    def institution_id(self) -> str:
        """Of this institution alone: its pseudonyms of holders are no other one's."""
        return f"peer-{self.issuer}-{self.code}"

    def serving(self) -> tuple[Terminal, Institution]:
        """As what a receipt names. There are no such rows, and nothing authenticates by them."""
        active = ServiceState.ACTIVE
        return (
            Terminal(self.terminal_id, self.terminal, self.institution_id, b"", active),
            Institution(self.institution_id, self.code, self.name, self.kind, "", active),
        )


@dataclass(frozen=True, slots=True, repr=False)
class JudgedElsewhere:
    """What the issuer of a holder said of the code: steps 7 and 8 were its own.

    holder: by its own table of views, None where it refused; receipt, pseudonym: its own, for the
    scanning institution; the rest as in an answer to a scan. checked: the code, as we found it.
    """

    issuer: int
    reason: Reason
    medium: Medium | None
    presence: Presence | None
    for_whom: ForWhom | None
    card_state: str | None
    holder: dict[str, Any] | None
    receipt: str | None = None
    pseudonym: str | None = None
    checked: CheckedCode | None = None
