"""Ethnic groups (民族): the numeric codes of GB/T 3304-1991, with 97 and 98 of the same table."""

from typing import Final

from card_core.identity.problem import Problem

_IN_ORDER: Final = """
汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳
佤 畲 高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米
塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺
"""

OTHER: Final = "97"
FOREIGN_DESCENT: Final = "98"

ETHNIC_GROUPS: Final = {
    f"{code:02d}": name for code, name in enumerate(_IN_ORDER.split(), start=1)
} | {
    OTHER: "其他",
    FOREIGN_DESCENT: "外国血统中国籍",
}

UNKNOWN: Final = Problem(
    "ethnic_group_unknown",
    "民族不在国家标准GB/T 3304中，请填写标准名称（如“汉”）或两位代码",
    "The ethnic group is not in GB/T 3304; enter its standard name or its two-digit code",
)


def _spellings() -> dict[str, str]:
    spellings = {"外国血统中国籍人士": FOREIGN_DESCENT}
    for code, name in ETHNIC_GROUPS.items():
        # A spreadsheet that takes the code for a number drops its leading zero.
        spellings |= {name: code, f"{name}族": code, code: code, code.lstrip("0"): code}
    return spellings


_CODES: Final = _spellings()


def parse_ethnic_group(text: str) -> str | None:
    """Return the two-digit code for a name (with or without 族) or a code; None if unknown."""
    return _CODES.get(text)
