"""An application for a card (申领), as checked input: what an import may store without doubt."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from card_core.identity import IdentityNumber, Sex


class ApplicationKind(StrEnum):
    """What is applied for. A roster brings new ones; the others are the counter's, with the card
    that they follow at hand."""

    NEW = "new"  # 新申领
    REPLACEMENT = "replacement"  # 补卡
    EXCHANGE = "exchange"  # 换卡


class Application(NamedTuple):
    """One checked row of a roster; a named tuple, as a roster has a million of them.

    row: from 1, without the header. ethnic_code: GB/T 3304, None for foreigners who have none.
    region: six digits, where the household is registered. bank, branch: the codes of the bank and
    of the place that hands the card out. The guardian is there for everybody under 16.
    """

    row: int
    number: IdentityNumber
    name: str
    sex: Sex
    birth_on: date
    ethnic_code: str | None
    phone: str
    address: str
    region: str
    kind: ApplicationKind
    bank: str
    branch: str
    guardian_name: str | None
    guardian_number: IdentityNumber | None

    def __repr__(self) -> str:
        return f"Application(row={self.row})"
