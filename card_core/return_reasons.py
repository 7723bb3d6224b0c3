"""Why a row of a bank's or a maker's return is not taken, in Chinese and English."""

from collections.abc import Mapping
from typing import Final

RETURN_REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "unknown": ("没有送出过这条记录", "no such record was sent"),
    "other_card": ("卡号与送出的不一致", "the card number is not the one that was sent"),
    "not_waiting": ("该卡不在等待这份回盘的状态", "the card does not wait for this answer"),
    "other_outcome": ("与先前采用的结果不一致", "another outcome was taken before"),
    "code_taken": ("卡识别码已属于另一张卡", "another card has this identification code"),
    "other_region": (
        "卡识别码的地区与该卡的发卡地区不一致",
        "the identification code is not of the card's region",
    ),
}
