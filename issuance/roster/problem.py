"""What can be wrong with a row beyond its single values, which `card_core.identity` judges."""

from typing import Final, NamedTuple

from card_core.identity import Problem

CELL_CHARS_MAX: Final = 500


class FieldProblem(NamedTuple):
    """A problem and the title of the column that it stands in."""

    field: str
    problem: Problem


MISSING: Final = Problem("value_missing", "此项未填写，请补填", "This value is missing; fill it in")
FORMULA: Final = Problem(
    "formula_cell",
    "单元格是公式，不能导入：请改为直接填写内容",
    "The cell holds a formula, which can't be imported; type the content instead",
)
CELL_TOO_LONG: Final = Problem(
    "cell_too_long",
    f"单元格内容超过{CELL_CHARS_MAX}个字符，请检查引号和列是否错位",
    f"The cell has more than {CELL_CHARS_MAX} characters; check the quotation marks and whether "
    "columns have shifted",
)
ROW_SHIFTED: Final = Problem(
    "row_shifted",
    "该行的列数多于表头，内容可能错位：含逗号的内容请用英文双引号括起",
    "The row has more columns than the header and may have shifted; put quotation marks around "
    "text with commas",
)
CERTIFICATE_UNKNOWN: Final = Problem(
    "certificate_unknown",
    "证件类型不支持：请填写居民身份证、居民户口簿、港澳台居民居住证或外国人永久居留身份证",
    "This kind of document is not supported; enter 居民身份证, 居民户口簿, 港澳台居民居住证 or "
    "外国人永久居留身份证",
)
CERTIFICATE_MISMATCH: Final = Problem(
    "certificate_mismatch",
    "证件类型与证件号码不符，请核对是哪一种证件",
    "The kind of document does not fit the number; check which document it is",
)
NUMBER_ROUNDED: Final = Problem(
    "number_rounded",
    "证件号码被表格软件当作数字，后几位已丢失：请把该列设为文本格式后重新填写",
    "The spreadsheet took the number for a quantity and its last digits are lost; set the column "
    "to text and enter it again",
)
NUMBER_COUNTY_UNKNOWN: Final = Problem(
    "number_county_unknown",
    "证件号码前六位不在现有县级行政区划代码表中，请留意核对；不因此退回",
    "The first six digits are no county in the table; have a look, this alone refuses no row",
)
SEX_UNKNOWN: Final = Problem(
    "sex_unknown", "性别应填写“男”或“女”", "The sex has to be 男 (male) or 女 (female)"
)
SEX_MISMATCH: Final = Problem(
    "sex_mismatch",
    "性别与证件号码不符，请核对两项",
    "The sex does not fit the number; check both",
)
BIRTH_UNREADABLE: Final = Problem(
    "birth_unreadable",
    "出生日期无法识别，请按“1965-10-30”的形式填写",
    "The birth date can't be read; write it like 1965-10-30",
)
BIRTH_IMPOSSIBLE: Final = Problem(
    "birth_impossible",
    "出生日期在日历上不存在，请对照证件核对",
    "The birth date is not in the calendar; compare it with the document",
)
BIRTH_MISMATCH: Final = Problem(
    "birth_mismatch",
    "出生日期与证件号码不符，请核对两项",
    "The birth date does not fit the number; check both",
)
ADDRESS_CHARACTER: Final = Problem(
    "address_character",
    "地址含有控制字符或不可见字符，请重新填写",
    "The address has control or invisible characters; enter it again",
)
REGION_SHAPE: Final = Problem(
    "region_shape",
    "行政区划不对：请填写6位数字代码",
    "The region has to be a code of 6 digits",
)
REGION_UNKNOWN: Final = Problem(
    "region_unknown",
    "行政区划代码不在现有代码表中，请留意核对；不因此退回",
    "The region is not in the table; have a look, this alone refuses no row",
)
KIND_UNSUPPORTED: Final = Problem(
    "kind_unsupported",
    "名册只受理“新申领”，补领、换领请到窗口办理",
    "A roster is for new applications (新申领) only; replacements are made at the counter",
)
BANK_UNKNOWN: Final = Problem(
    "bank_unknown",
    "发卡银行代码不在合作银行中，请填写三位银行代码",
    "The bank is not one of the issuing banks; enter its three-digit code",
)
BRANCH_SHAPE: Final = Problem(
    "branch_shape",
    "领卡网点应为3至20位数字或字母的网点编码",
    "The place to collect the card has to be a code of 3 to 20 digits or letters",
)
GUARDIAN_REQUIRED: Final = Problem(
    "guardian_required",
    "未满16周岁须填写监护人姓名和证件号码",
    "For somebody under 16 the guardian's name and number are needed",
)
GUARDIAN_INCOMPLETE: Final = Problem(
    "guardian_incomplete",
    "监护人姓名和证件号码须同时填写或同时留空",
    "The guardian's name and number go together: fill in both or neither",
)
GUARDIAN_NOT_ADULT: Final = Problem(
    "guardian_not_adult",
    "监护人须年满18周岁，请核对监护人证件号码",
    "The guardian has to be 18 or older; check the guardian's number",
)


def doubled(first_row: int) -> Problem:
    """The person already stands in an accepted row."""
    return Problem(
        "duplicate_in_roster",
        f"与第{first_row}行是同一人，每人只保留一行",
        f"The same person as in row {first_row}; keep one row for each person",
    )
