"""The roster's columns: their titles, and how a file's own order is brought into ours."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Layout:
    """What a kind of file has in its header. titles: in the order in which rows are handed on.

    optional: those of them that a file may leave out. aliases: other words for a title, capital.
    """

    titles: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)


ROSTER: Final = Layout(TITLES)


class Header:
    """Where each of a layout's titles stands in one file.

    Raises RosterFileError: columns_missing, columns_doubled, columns_too_many.
    """

    def __init__(self, titles: Sequence[str], layout: Layout = ROSTER) -> None:
        found = ["".join(title.split()) for title in titles]
        found = [layout.aliases.get(title.upper(), title) for title in found]
        while found and not found[-1]:
            found.pop()
        if len(found) > COLUMNS_MAX:
            raise RosterFileError("columns_too_many")
        needed = [title for title in layout.titles if title not in layout.optional]
        if missing := [title for title in needed if title not in found]:
            raise RosterFileError("columns_missing", titles="、".join(missing))
        times = Counter(found)
        if doubled := [title for title in layout.titles if times[title] > 1]:
            raise RosterFileError("columns_doubled", titles="、".join(doubled))
        self.width = len(found)
        # A column that is left out is the one behind the last, which is empty.
        places = [found.index(one) if one in found else self.width for one in layout.titles]
        self._has_all = self.width not in places
        self._pick = itemgetter(*places)

    def pick(self, cells: Sequence[str]) -> tuple[Cells, bool]:
        """Return the cells in the order of the titles, and whether the row has more than its
        header.

        A row may end early, as some exporters leave empty cells away; surplus text means that
        something (mostly an unquoted comma) has shifted the row.
        """
        width = len(cells)
        if width == self.width and self._has_all:
            return self._pick(cells), False
        surplus = any(cell.strip() for cell in cells[self.width :])
        missing = max(self.width - width, 0) + 1
        return self._pick((*cells[: self.width], *("" for _ in range(missing)))), surplus
