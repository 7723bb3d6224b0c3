"""Elements of EF05 and EF06 as they stand on the chip (LD/T 32-2015, part 6).

Each is a tag, a length and a value of fixed size. Type `cn`: digits packed two to a byte, to the
left, unused places F. Type `an`: characters, to the left, unused bytes 00; text in GB 18030.
"""

import re
from typing import Final, NamedTuple

from issuance.card_files.errors import ElementError


class Element(NamedTuple):
    """tag: one byte, unique in both files. size: bytes of the value on the chip."""

    file: int
    tag: int
    field: str
    title_zh: str
    size: int


CARD_CLASS: Final = Element(0x05, 0x02, "card_class", "卡的类别", 1)
SPEC_VERSION: Final = Element(0x05, 0x03, "spec_version", "规范版本", 4)
ORGANISATION: Final = Element(0x05, 0x04, "initialising_organisation", "初始化机构编号", 12)
ISSUED_ON: Final = Element(0x05, 0x05, "issued_on", "发卡日期", 4)
EXPIRES_ON: Final = Element(0x05, 0x06, "expires_on", "卡有效期", 4)
CARD_NUMBER: Final = Element(0x05, 0x07, "card_number", "卡号", 9)
NUMBER: Final = Element(0x06, 0x08, "social_security_number", "社会保障号码", 18)
NAME: Final = Element(0x06, 0x09, "name", "姓名", 30)
NAME_CONTINUATION: Final = Element(0x06, 0x4E, "name_continuation", "姓名扩展", 20)
SEX: Final = Element(0x06, 0x0A, "sex", "性别", 1)
ETHNIC_GROUP: Final = Element(0x06, 0x0B, "ethnic_group", "民族", 1)
BIRTHPLACE: Final = Element(0x06, 0x0C, "birthplace", "出生地", 3)
BORN_ON: Final = Element(0x06, 0x0D, "born_on", "出生日期", 4)

# Tag 01, the identification code, is the maker's to write, and comes back in its return file.
IN_ORDER: Final = (
    CARD_CLASS, SPEC_VERSION, ORGANISATION, ISSUED_ON, EXPIRES_ON, CARD_NUMBER,
    NUMBER, NAME, NAME_CONTINUATION, SEX, ETHNIC_GROUP, BIRTHPLACE, BORN_ON,
)  # fmt: skip

ELEMENTS_SIZE_BYTES: Final = sum(2 + element.size for element in IN_ORDER)

_is_hex = re.compile(r"[0-9A-F]*").fullmatch


def head(element: Element) -> bytes:
    """Tag and length, 2 bytes."""
    return bytes((element.tag, element.size))


def packed(element: Element, digits: str) -> bytes:
    """The element with a value of type cn. digits: 0-9, or A-F where the element has them."""
    _, tag, _, _, size = element
    if len(digits) > 2 * size or not _is_hex(digits):
        raise not_fitting(
            element, f"应为最多{2 * size}位数字", f"must be at most {2 * size} digits"
        )
    return b"%c%c%b" % (tag, size, bytes.fromhex(digits.ljust(2 * size, "F")))


def text(element: Element, value: bytes) -> bytes:
    """The element with a value of type an, encoded already and free of zero bytes."""
    _, tag, _, _, size = element
    if len(value) > size:
        raise not_fitting(
            element,
            f"编码后应不超过{size}字节",
            f"must be at most {size} bytes once encoded",
        )
    return b"%c%c%b" % (tag, size, value.ljust(size, b"\x00"))


def split(data: bytes) -> dict[Element, bytes]:
    """The values of all elements, padded as they are. Raises ValueError for any other shape."""
    values, at = {}, 0
    for element in IN_ORDER:
        end = at + 2 + element.size
        if data[at : at + 2] != bytes((element.tag, element.size)):
            raise ValueError("an element is missing, out of order or of another size")
        values[element] = data[at + 2 : end]
        at = end
    if at != len(data):
        raise ValueError("something follows the last element")
    return values


def not_fitting(element: Element, reason_zh: str, reason_en: str) -> ElementError:
    """The refusal of a value for `element`."""
    title = f"{element.title_zh}（EF{element.file:02X} {element.tag:02X}）"
    return ElementError("element_unfit", element.field, title, reason_zh, reason_en)
