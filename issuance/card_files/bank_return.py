"""The bank's return file (银行回盘文件): which accounts were opened, and which were not, and why.

number|card number|outcome|last digits of the account|reason
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final

from issuance.card_files import columns, outcomes
from issuance.card_files.columns import Column, optional, shaped
from issuance.card_files.row_header import RowHeader
from issuance.card_files.row_layout import Layout
from issuance.card_files.row_reading import RowFile, open_row_file
from issuance.card_files.row_writing import write_row_file


class BankReason(StrEnum):
    """Why no account was opened (开户失败原因)."""

    IDENTITY_UNCONFIRMED = "01"  # 姓名与证件号码联网核查不一致
    DOCUMENT_EXPIRED = "02"  # 证件已过有效期
    ACCOUNTS_TOO_MANY = "03"  # 个人账户数超限
    PHONE_UNCONFIRMED = "04"  # 手机号码核验不通过
    DATA_INCOMPLETE = "05"  # 开户信息不全
    GUARDIAN_UNCONFIRMED = "06"  # 监护人信息核验不通过
    CARD_NUMBER_TAKEN = "07"  # 该卡号已开户
    DECLINED = "08"  # 银行按风险管理规定不予开户
    OTHER = "99"  # 其他


@dataclass(frozen=True, slots=True, repr=False)
class AccountOutcome:
    """Of the request with this number and card. Exactly one of the last two is there.

    account_last_digits: 4 digits; the whole number stays with the bank.
    """

    number: int
    card_number: str
    account_last_digits: str | None
    failure: BankReason | None

    def __repr__(self) -> str:
        return f"AccountOutcome(number={self.number})"

    def cells(self) -> tuple[str, ...]:
        """The row's fields, in the order of the file."""
        outcome = outcomes.DONE if self.failure is None else outcomes.FAILED
        account, reason = self.account_last_digits or "", self.failure or ""
        return (str(self.number), self.card_number, outcome, account, reason)


def write_bank_return(
    file: BinaryIO, header: RowHeader, results: Iterable[AccountOutcome]
) -> bytes:
    """As `write_row_file`."""
    return write_row_file(file, LAYOUT, header, (one.cells() for one in results))


def open_bank_return(file: BinaryIO) -> RowFile[AccountOutcome]:
    """As `open_row_file`."""
    return open_row_file(file, LAYOUT)


_ACCOUNT: Final = Column(
    "account_last_digits",
    "银行账号末四位",
    optional(shaped("[0-9]{4}", "应为4位数字", "must be four digits")),
)


def _make(cells: tuple[str, ...]) -> AccountOutcome:
    number, card_number, outcome, account, reason = cells
    outcomes.check_outcome(outcome, reason, [(_ACCOUNT, account)], BankReason)
    return AccountOutcome(
        int(number), card_number, account or None, BankReason(reason) if reason else None
    )


LAYOUT: Final = Layout(
    "SSCBANKBACK",
    "银行回盘文件",
    "bank return file",
    (columns.NUMBER, columns.CARD_NUMBER, columns.OUTCOME, _ACCOUNT, outcomes.REASON),
    _make,
)
