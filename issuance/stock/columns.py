"""The columns of a card stock: Chinese titles, or the codes of the ministry's data elements."""

from typing import Final

from issuance.roster.columns import Layout

CARD_NUMBER: Final = "卡号"
CODE: Final = "卡识别码"
NUMBER: Final = "社会保障号码"
NAME: Final = "姓名"
STATE: Final = "卡应用状态"
BANK: Final = "发卡银行"
ISSUED: Final = "发卡日期"
EXPIRES: Final = "卡有效期"
PHONE: Final = "手机号码"

TITLES: Final = (CARD_NUMBER, CODE, NUMBER, NAME, STATE, BANK, ISSUED, EXPIRES, PHONE)

STOCK: Final = Layout(
    TITLES,
    optional=frozenset({PHONE}),
    aliases={
        "AAZ500": CARD_NUMBER,
        "AAZ501": CODE,
        "AAC002": NUMBER,
        "AAC003": NAME,
        "AAZ502": STATE,
        "AAE008": BANK,
        "AAZ503": ISSUED,
        "AAZ162": EXPIRES,
        "AAC067": PHONE,
    },
)
