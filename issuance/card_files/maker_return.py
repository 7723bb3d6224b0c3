"""The maker's return file (卡商回盘文件): which cards were made, with which chips, which not.

number|card number|outcome|identification code|reset information|reason
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


class MakerReason(StrEnum):
    """Why no card was made (制卡失败原因)."""

    CHIP_FAULT = "01"  # 芯片故障
    KEYS_UNWRITABLE = "02"  # 密钥写入失败
    DATA_UNWRITABLE = "03"  # 社保数据写入失败
    BANK_UNWRITABLE = "04"  # 金融数据写入失败
    AUTHENTICATION_FAILED = "05"  # 内部认证验证不通过
    CHARACTER_UNPRINTABLE = "06"  # 姓名用字无法印制
    PHOTO_UNUSABLE = "07"  # 照片缺失或不合格
    PRINTING_FAULT = "08"  # 印制不合格
    OTHER = "99"  # 其他


@dataclass(frozen=True, slots=True, repr=False)
class CardOutcome:
    """Of the record with this number and card: made, with both codes, or the failure.

    card_identification_code: 24 hexadecimal digits, capital. card_reset_information: the 13
    historical bytes of the ATR, 26 hexadecimal digits, capital.
    """

    number: int
    card_number: str
    card_identification_code: str | None
    card_reset_information: str | None
    failure: MakerReason | None

    def __repr__(self) -> str:
        return f"CardOutcome(number={self.number})"

    def cells(self) -> tuple[str, ...]:
        """The row's fields, in the order of the file."""
        return (
            str(self.number),
            self.card_number,
            outcomes.DONE if self.failure is None else outcomes.FAILED,
            self.card_identification_code or "",
            self.card_reset_information or "",
            self.failure or "",
        )


def write_maker_return(file: BinaryIO, header: RowHeader, results: Iterable[CardOutcome]) -> bytes:
    """As `write_row_file`."""
    return write_row_file(file, LAYOUT, header, (one.cells() for one in results))


def open_maker_return(file: BinaryIO) -> RowFile[CardOutcome]:
    """As `open_row_file`."""
    return open_row_file(file, LAYOUT)


_CODE: Final = Column(
    "card_identification_code",
    "卡识别码",
    optional(
        shaped(
            "[0-9]{6}[0-9A-Fa-f]{18}([Ff]{8})?",
            "应为24位十六进制数，以六位地区代码开头，其后可有8个F",
            "must be 24 hexadecimal digits, the first six a region, with or without eight F behind",
        )
    ),
)
_RESET: Final = Column(
    "card_reset_information",
    "卡复位信息",
    optional(shaped("[0-9A-Fa-f]{26}", "应为26位十六进制数", "must be 26 hexadecimal digits")),
)


def _make(cells: tuple[str, ...]) -> CardOutcome:
    number, card_number, outcome, code, reset, reason = cells
    outcomes.check_outcome(outcome, reason, [(_CODE, code), (_RESET, reset)], MakerReason)
    return CardOutcome(
        int(number),
        card_number,
        code[:24].upper() or None,
        reset.upper() or None,
        MakerReason(reason) if reason else None,
    )


LAYOUT: Final = Layout(
    "SSCCARDBACK",
    "卡商回盘文件",
    "maker return file",
    (columns.NUMBER, columns.CARD_NUMBER, columns.OUTCOME, _CODE, _RESET, outcomes.REASON),
    _make,
)
