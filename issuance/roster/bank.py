"""Banks that load their function onto cards (发卡银行), by the code that rosters carry (AAE008)."""

from typing import Final

BANKS: Final = {
    "102": "工商银行",
    "103": "农业银行",
    "104": "中国银行",
    "105": "建设银行",
    "301": "交通银行",
    "302": "中信银行",
    "303": "光大银行",
    "402": "农村信用社",
}
