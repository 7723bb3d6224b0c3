"""Enrolment codes (登记码): what a terminal shows once to have its key enrolled.

    7KQMX-2VTNC-9RZ4D-WH3SP

Twenty characters, 100 random bits. The first group names the code, so that it is found, and so that
wrong guesses count against it only for somebody who knows that group; the other 75 bits are the
secret. What is kept is a keyed digest, bound to the terminal's serial number.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from card_core.errors import InvalidActError
from card_core.store import FieldCipher

# Crockford's base32: no I, L, O or U, which are misread. Of all codes that people type.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS = 4
GROUP_CHARACTERS = 5
_RANDOM_BYTES = 13
_CODE = re.compile(rf"[{ALPHABET}]{{{_GROUPS * GROUP_CHARACTERS}}}")
READ_AS = str.maketrans("ILO", "110", " -")


@dataclass(frozen=True, slots=True, repr=False)
class EnrolmentCode:
    """text: 20 characters without hyphens."""

    text: str

    @property
    def name(self) -> str:
        """The first group."""
        return self.text[:GROUP_CHARACTERS]

    def digest(self, cipher: FieldCipher, serial_number: bytes) -> bytes:
        """What the database keeps; 32 bytes."""
        return cipher.keyed_digest([b"enrolment code", serial_number, self.text.encode()])

    def __str__(self) -> str:
        """In groups, as people read it."""
        starts = range(0, len(self.text), GROUP_CHARACTERS)
        return "-".join(self.text[start : start + GROUP_CHARACTERS] for start in starts)


def make(random_bytes: Callable[[int], bytes]) -> EnrolmentCode:
    bits = int.from_bytes(random_bytes(_RANDOM_BYTES))
    count = _GROUPS * GROUP_CHARACTERS
    return EnrolmentCode("".join(ALPHABET[bits >> 5 * at & 31] for at in range(count)))


def parse(typed: str) -> EnrolmentCode:
    """Read a code as people type it: any case, hyphens and spaces or none, O for 0, I and L for 1.

    Raises InvalidActError.
    """
    text = typed[: 4 * _GROUPS * GROUP_CHARACTERS].upper().translate(READ_AS)
    if not _CODE.fullmatch(text):
        raise InvalidActError(
            "enrolment_code",
            "应为 20 个字母或数字，如 7KQMX-2VTNC-9RZ4D-WH3SP",
            "must be 20 letters and digits, such as 7KQMX-2VTNC-9RZ4D-WH3SP",
        )
    return EnrolmentCode(text)
