"""The bank pre-opening file (银行预开户文件): for whom the bank opens an account on which card.

number|card number|document|social security number|name|sex|birth date|ethnic group|mobile|
address|guardian's name|guardian's number
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import BinaryIO, Final

from card_core.identity import IdentityNumber, NumberKind, Problem
from issuance.card_files import columns
from issuance.card_files.charset import Charset
from issuance.card_files.columns import Column, RowProblem, optional, printable, shaped
from issuance.card_files.row_header import RowHeader
from issuance.card_files.row_layout import Layout, RowError
from issuance.card_files.row_reading import RowFile, open_row_file
from issuance.card_files.row_writing import encode_row, write_row_file

ADDRESS_CHARACTERS_MAX: Final = 200


class Document(StrEnum):
    """Which document the holder's number stands on."""

    RESIDENT = "1"  # 居民身份证, 居民户口簿
    RESIDENCE_PERMIT = "2"  # 港澳台居民居住证
    FOREIGN_PERMANENT = "3"  # 外国人永久居留身份证


_DOCUMENTS: Final = {
    NumberKind.RESIDENT: Document.RESIDENT,
    NumberKind.RESIDENCE_PERMIT: Document.RESIDENCE_PERMIT,
    NumberKind.FOREIGN_PERMANENT: Document.FOREIGN_PERMANENT,
    NumberKind.FOREIGN_PERMANENT_OLD: Document.FOREIGN_PERMANENT,
}


@dataclass(frozen=True, slots=True, repr=False)
class AccountRequest:
    """One account to open. number: going up in the file, and the return names it.

    sex: 1 or 2 (GB/T 2261.1). ethnic_group: GB/T 3304, None where there is none. phone: mobile, 11
    digits. The guardian is there for everybody under 16.
    """

    number: int
    card_number: str
    social_security_number: str
    name: str
    sex: str
    born_on: date
    ethnic_group: str | None
    phone: str
    address: str
    guardian_name: str | None
    guardian_number: str | None

    def __repr__(self) -> str:
        return f"AccountRequest(number={self.number})"

    def cells(self) -> tuple[str, ...]:
        """The row's fields, in the order of the file. Raises ElementError for the number."""
        return (
            str(self.number),
            self.card_number,
            _document_of(self.social_security_number),
            self.social_security_number,
            self.name,
            self.sex,
            f"{self.born_on:%Y%m%d}",
            self.ethnic_group or "",
            self.phone,
            self.address,
            self.guardian_name or "",
            self.guardian_number or "",
        )

    def check(self, charset: Charset = Charset.GB18030) -> None:
        """Whether the row can be written, for who would rather know before the file is begun.

        Raises ElementError.
        """
        encode_row(LAYOUT, charset, self.cells())


def write_bank_opening(
    file: BinaryIO, header: RowHeader, requests: Iterable[AccountRequest]
) -> bytes:
    """As `write_row_file`."""
    return write_row_file(file, LAYOUT, header, (one.cells() for one in requests))


def open_bank_opening(file: BinaryIO) -> RowFile[AccountRequest]:
    """As `open_row_file`."""
    return open_row_file(file, LAYOUT)


_HOLDER: Final = Column("social_security_number", "社会保障号码", columns.identity_number)


def _document_of(number: str) -> str:
    _HOLDER.check(number)
    return _DOCUMENTS[IdentityNumber(number).kind].value


def _make(cells: tuple[str, ...]) -> AccountRequest:
    number, card_number, document, holder, name, sex, born_on, ethnic, phone, *rest = cells
    address, guardian_name, guardian_number = rest
    if _document_of(holder) != document:
        raise RowError(RowProblem("document", "证件类型", _DOCUMENT_DIFFERS))
    if bool(guardian_name) != bool(guardian_number):
        raise RowError(RowProblem("guardian_name", "监护人姓名", _GUARDIAN_HALF))
    return AccountRequest(
        number=int(number),
        card_number=card_number,
        social_security_number=holder,
        name=name,
        sex=sex,
        born_on=date.fromisoformat(born_on),
        ethnic_group=ethnic or None,
        phone=phone,
        address=address,
        guardian_name=guardian_name or None,
        guardian_number=guardian_number or None,
    )


_DOCUMENT_DIFFERS: Final = Problem(
    "document_differs", "与社会保障号码的种类不符", "is not the kind of the social security number"
)
_GUARDIAN_HALF: Final = Problem(
    "guardian_half",
    "监护人姓名和证件号码应同时填写或同时为空",
    "the guardian's name and number are there together or not at all",
)

LAYOUT: Final = Layout(
    "SSCBANKOPEN",
    "银行预开户文件",
    "bank pre-opening file",
    (
        columns.NUMBER,
        columns.CARD_NUMBER,
        Column("document", "证件类型", shaped("[123]", "应为 1、2 或 3", "must be 1, 2 or 3")),
        _HOLDER,
        columns.NAME,
        Column("sex", "性别", shaped("[12]", "应为 1 或 2", "must be 1 or 2")),
        Column("born_on", "出生日期", columns.date_digits),
        Column("ethnic_group", "民族", optional(columns.ethnic_code)),
        columns.PHONE,
        Column("address", "通讯地址", printable(ADDRESS_CHARACTERS_MAX)),
        Column("guardian_name", "监护人姓名", optional(columns.NAME.problem_of)),
        Column("guardian_number", "监护人证件号码", optional(columns.identity_number)),
    ),
    _make,
)
