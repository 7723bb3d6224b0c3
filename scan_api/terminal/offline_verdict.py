"""The verdict of a terminal with no network: as the service's, and what stands behind it."""

import enum
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from card_core.verdicts import NextAction, Reason
from scan_api.phone_clock import about_clock


class OfflineReason(enum.StrEnum):
    """Why a terminal with no network can't say yes; about the terminal, not about the code."""

    NOTHING_CARRIED = "nothing_carried"
    BUNDLE_EXPIRED = "bundle_expired"
    LIST_MISSING = "list_missing"
    LIST_EXPIRED = "list_expired"
    CLOCK_SET_BACK = "clock_set_back"
    BUSINESS_TYPE_NOT_HERE = "business_type_not_here"
    NEEDS_NETWORK = "needs_network"
    OUTCOME_UNKNOWN = "outcome_unknown"
    AMOUNT_NEEDED = "amount_needed"
    OFFLINE_LIMIT_REACHED = "offline_limit_reached"


_CONNECT = (
    "请恢复网络后再扫一次，或改用实体卡",
    "Restore the network and scan again, or use the chip card",
)
_TEXTS: dict[OfflineReason, tuple[str, str, tuple[str, str]]] = {
    OfflineReason.NOTHING_CARRIED: (
        "本终端尚未下载离线数据，不能离线核验",
        "This terminal has fetched no offline data yet and can't check codes by itself",
        _CONNECT,
    ),
    OfflineReason.BUNDLE_EXPIRED: (
        "离线数据包已过期，不能离线核验",
        "The offline data has grown too old to be relied on",
        _CONNECT,
    ),
    OfflineReason.LIST_MISSING: (
        "没有当日的状态列表，不能离线核验此码",
        "There is no status list of the day of this code",
        _CONNECT,
    ),
    OfflineReason.LIST_EXPIRED: (
        "状态列表已过期，不能离线核验此码",
        "The status list has grown too old to be relied on",
        _CONNECT,
    ),
    OfflineReason.CLOCK_SET_BACK: (
        "本机时钟被拨回，不能离线核验",
        "This computer's clock was set back, so nothing can be checked by it",
        ("请校正本机时钟并恢复网络", "Set this computer's clock and restore the network"),
    ),
    OfflineReason.BUSINESS_TYPE_NOT_HERE: (
        "本终端不可离线办理此类业务",
        "This terminal may not scan for this business type",
        ("请选择其他业务类型，或恢复网络", "Choose another business type, or restore the network"),
    ),
    OfflineReason.NEEDS_NETWORK: (
        "短码只能联网核验",
        "A short code can only be checked online",
        ("请持卡人出示二维码", "Ask for the QR code"),
    ),
    OfflineReason.OUTCOME_UNKNOWN: (
        "此码已送服务核验但没有收到结果，可能已用",
        "This code was sent to the service and no result came: it may have been used",
        ("请持卡人出示新码", "Ask the holder for a new code"),
    ),
    OfflineReason.AMOUNT_NEEDED: (
        "离线收费须填写金额",
        "An amount is needed where money moves offline",
        ("请填写金额后再扫一次", "Enter the amount and scan again"),
    ),
    OfflineReason.OFFLINE_LIMIT_REACHED: (
        "此凭证的离线次数或金额已达上限",
        "The offline limit of this credential is reached, by count or by amount",
        _CONNECT,
    ),
}
_HOLDER = ("请按工作人员提示操作", "Do as the clerk says")


@dataclass(frozen=True, slots=True)
class Standing:
    """What the verdict rests on. list_age_seconds: None where no list was needed or there.
    clock_offset_seconds: what the machine's clock was found to be behind the service's.
    set_back_seconds: how far it is behind what was seen."""

    bundle_age_seconds: int | None
    list_age_seconds: int | None
    is_stale: bool
    clock_offset_seconds: int
    set_back_seconds: int = 0


def accepted(
    at: datetime, medium: str, presence: str, for_whom: str, standing: Standing
) -> dict[str, Any]:
    """A code that is genuine and was not seen here; whether it was used elsewhere, nobody knows."""
    texts = _texts(
        "离线核验通过：真码，本终端未见过；是否在别处用过，联网后才知道",
        "Accepted offline: genuine, and not seen here; whether it was used elsewhere shows later",
        NextAction(
            "请核对持卡人本人后办理；联网后自动上传",
            "Make sure of the person, then go on; the record is handed in when the network is back",
            *_HOLDER,
        ),
    )
    shown = {"medium": medium, "presence": presence, "for_whom": for_whom}
    return _verdict("accepted", Reason.ACCEPTED.value, texts, at, standing) | shown


def refused(
    reason: Reason | OfflineReason, at: datetime, standing: Standing, *, code: str
) -> dict[str, Any]:
    """code: its text, for when the phone's clock is what is wrong."""
    if isinstance(reason, OfflineReason):
        text_zh, text_en, (clerk_zh, clerk_en) = _TEXTS[reason]
        texts = _texts(text_zh, text_en, NextAction(clerk_zh, clerk_en, *_HOLDER))
        if reason is OfflineReason.CLOCK_SET_BACK:
            texts |= _about_own_clock(standing.set_back_seconds)
    else:
        texts = _texts(reason.text_zh, reason.text_en, reason.next_action)
        texts |= about_clock(reason, at, code)
    return _verdict("refused", reason.value, texts, at, standing)


def _about_own_clock(seconds: int) -> dict[str, Any]:
    return {
        "text_zh": f"本机时钟比上次见到的时间慢 {seconds} 秒，不能离线核验",
        "text_en": f"This computer's clock is {seconds} s behind the last time it saw, so nothing "
        "can be checked by it",
    }


def _texts(text_zh: str, text_en: str, action: NextAction) -> dict[str, Any]:
    return {
        "text_zh": text_zh,
        "text_en": text_en,
        "next_action": {
            "clerk_zh": action.clerk_zh,
            "clerk_en": action.clerk_en,
            "holder_zh": action.holder_zh,
            "holder_en": action.holder_en,
        },
    }


def _verdict(
    outcome: str, reason: str, texts: dict[str, Any], at: datetime, standing: Standing
) -> dict[str, Any]:
    """The members of an online verdict; what only the service can tell is null."""
    unknown = dict.fromkeys(
        (
            "scan_id",
            "card_state",
            "phone_clock_seconds",
            "medium",
            "presence",
            "for_whom",
            "holder",
            "pseudonym",
            "receipt",
            "clerk_salt",
            "visit",
        )
    )
    return {
        **unknown,
        "outcome": outcome,
        "reason": reason,
        **texts,
        "scanned_at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "offline": True,
        "degraded": standing.is_stale,
        "bundle_age_seconds": standing.bundle_age_seconds,
        "list_age_seconds": standing.list_age_seconds,
        "clock_offset_seconds": standing.clock_offset_seconds,
    }
