"""The roster's columns: their titles, and how a file's own order is brought into ours."""

from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from issuance.roster.file_error import COLUMNS_MAX, RosterFileError

NAME: Final = "姓名"
CERTIFICATE: Final = "证件类型"
NUMBER: Final = "证件号码"
SEX: Final = "性别"
ETHNIC_GROUP: Final = "民族"
BIRTH: Final = "出生日期"
PHONE: Final = "手机号码"
ADDRESS: Final = "通讯地址"
REGION: Final = "户籍行政区划"
KIND: Final = "申领类型"
BANK: Final = "发卡银行"
BRANCH: Final = "领卡网点"
GUARDIAN_NAME: Final = "监护人姓名"
GUARDIAN_NUMBER: Final = "监护人证件号码"

# The order in which rows are handed on. A bureau's own columns (序号, 备注) are passed over.
TITLES: Final = (
    NAME,
    CERTIFICATE,
    NUMBER,
    SEX,
    ETHNIC_GROUP,
    BIRTH,
    PHONE,
    ADDRESS,
    REGION,
    KIND,
    BANK,
    BRANCH,
    GUARDIAN_NAME,
    GUARDIAN_NUMBER,
)

Cells = tuple[str, ...]


class Header:
    """Where each of TITLES stands in one file.

    Raises RosterFileError: columns_missing, columns_doubled, columns_too_many.
    """

    def __init__(self, titles: Sequence[str]) -> None:
        found = ["".join(title.split()) for title in titles]
        while found and not found[-1]:
            found.pop()
        if len(found) > COLUMNS_MAX:
            raise RosterFileError("columns_too_many")
        if missing := [title for title in TITLES if title not in found]:
            raise RosterFileError("columns_missing", titles="、".join(missing))
        times = Counter(found)
        if doubled := [title for title in TITLES if times[title] > 1]:
            raise RosterFileError("columns_doubled", titles="、".join(doubled))
        self.width = len(found)
        self._pick = itemgetter(*(found.index(title) for title in TITLES))

    def pick(self, cells: Sequence[str]) -> tuple[Cells, bool]:
        """Return the cells in the order of TITLES, and whether the row has more than its header.

        A row may end early, as some exporters leave empty cells away; surplus text means that
        something (mostly an unquoted comma) has shifted the row.
        """
        width = len(cells)
        if width == self.width:
            return self._pick(cells), False
        if width > self.width:
            return self._pick(cells), any(cell.strip() for cell in cells[self.width :])
        return self._pick((*cells, *("" for _ in range(self.width - width)))), False
