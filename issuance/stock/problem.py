"""What can be wrong with a row of a card stock, and why a good row may still not be taken over."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from card_core.identity import Problem
from issuance.stock.columns import CARD_NUMBER, CODE, NAME, NUMBER, PHONE

CARD_NUMBER_SHAPE: Final = Problem(
    "card_number_shape",
    "卡号应为9位大写字母或数字，请对照卡面核对",
    "The card number has to be 9 letters or digits; compare it with the card",
)
CODE_SHAPE: Final = Problem(
    "identification_code_shape",
    "卡识别码应为24位（或32位）十六进制数，前6位是发卡地行政区划，请重新导出",
    "The identification code has to be 24 (or 32) hexadecimal digits that begin with the region's "
    "6 digits; export it again",
)
CODE_ROUNDED: Final = Problem(
    "identification_code_rounded",
    "卡识别码被表格软件当作数字，后几位已丢失：请把该列设为文本格式后重新导出",
    "The spreadsheet took the identification code for a quantity and its last digits are lost; set "
    "the column to text and export it again",
)
STATE_UNKNOWN: Final = Problem(
    "state_unknown",
    "卡应用状态应为 0封存、1正常、2正式挂失、3应用锁定、4临时挂失、9注销，或“未启用”",
    "The state has to be a code of AAZ502 (0, 1, 2, 3, 4, 9), its word, or 未启用 (not activated)",
)
STATE_VOID: Final = Problem(
    "state_void",
    "状态6（制卡数据作废）不是可接管的卡，请从文件中删除该行",
    "State 6 (data voided before the card was made) is no card; remove the row",
)
DATE_UNREADABLE: Final = Problem(
    "date_unreadable",
    "日期无法识别或不存在，请按“2020-05-06”或“20200506”填写",
    "The date can't be read or is not in the calendar; write it like 2020-05-06 or 20200506",
)
ISSUED_IN_FUTURE: Final = Problem(
    "issued_in_future",
    "发卡日期晚于今天，请核对",
    "The card is issued in the future; check the date",
)
EXPIRES_BEFORE_ISSUE: Final = Problem(
    "expires_before_issue",
    "卡有效期不晚于发卡日期，请核对两项",
    "The card expires before it is issued, or on that day; check both dates",
)
EXPIRED: Final = Problem(
    "card_expired",
    "卡已过有效期：照常接管，但核验时会被拒绝，请安排换卡",
    "The card has expired; it is taken over all the same, and scans refuse it until it is renewed",
)

# By the codes of the kernel (`stock_reconciling.REFUSALS`): the column and what to do.
REFUSED: Mapping[str, tuple[str, Problem]] = MappingProxyType(
    {
        code: (field, Problem(code, zh, en))
        for code, field, zh, en in (
            (
                "already_in_stock",
                CARD_NUMBER,
                "该卡已在另一存量卡批次中或已接管，无需再导入",
                "This card stands in another stock or was taken over; it needs no import",
            ),
            (
                "card_number_taken",
                CARD_NUMBER,
                "卡号已被另一张卡使用，请核对卡号",
                "Another card has this number; check it",
            ),
            (
                "identification_code_taken",
                CODE,
                "卡识别码已属于另一张卡，请核对识别码",
                "Another card has this identification code; check it",
            ),
            (
                "card_number_twice",
                CARD_NUMBER,
                "与前面某行卡号相同；同号换卡的只保留在用卡的一行",
                (
                    "An earlier row has this card number; of a card remade under its number keep "
                    "the row of the one in use"
                ),
            ),
            (
                "identification_code_twice",
                CODE,
                "与前面某行卡识别码相同，请核对",
                "An earlier row has this identification code; check both",
            ),
            (
                "record_merged",
                NUMBER,
                "该号码的持卡人记录已合并，请改用现用号码（sscard holder show）",
                (
                    "The record of this number was merged; use the number of the one that stays "
                    "(sscard holder show)"
                ),
            ),
            (
                "name_differs",
                NAME,
                "与持卡人员基础库中的姓名不同：请核实，是同一人的先更正（sscard holder correct）",
                (
                    "The holder base has another name; see whether it is the same person, and "
                    "correct the record first if so (sscard holder correct)"
                ),
            ),
            (
                "name_differs_in_file",
                NAME,
                "与前面同一号码的行姓名不同，请核对",
                "An earlier row of this number has another name; check both",
            ),
            (
                "has_live_card",
                NUMBER,
                "此人已有未注销的社保卡，请核实哪一张在用，注销另一张后再导入",
                (
                    "This person has a card that is not cancelled; find out which one is in use, "
                    "and cancel the other before importing"
                ),
            ),
            (
                "has_open_application",
                NUMBER,
                "此人有在办申领，请先办结或驳回该批次",
                "This person's application is under way; finish or reject its batch first",
            ),
            (
                "has_stock_card",
                NUMBER,
                "此人另有待接管的卡在其他存量卡批次中，请先办结",
                "Another card of this person waits in another stock; finish that one first",
            ),
            (
                "person_twice",
                NUMBER,
                "此人在前面某行已有未注销的卡，每人只能有一张",
                "An earlier row has a card of this person that is not cancelled; there is one each",
            ),
        )
    }
)
PHONE_DIFFERS: Final = (
    PHONE,
    Problem(
        "phone_differs",
        "手机号码与持卡人员基础库不同：照常接管，基础库中的号码保持不变",
        "The holder base has another phone; the card is taken over and that phone stays",
    ),
)
