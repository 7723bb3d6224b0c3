"""States and roles in Chinese: what a person reads beside the stable English word."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from card_core.application import ApplicationKind
from card_core.applying import Channel, MakingMode
from card_core.card_policy import CardNumberKept
from card_core.codes import KeyState
from card_core.life_events import Part
from card_core.service_channels import ChannelKind
from card_core.states import (
    ApplicationState,
    ApprovalState,
    BatchState,
    BindingState,
    CardState,
    ECardState,
    FilingState,
    MakingState,
    OrderState,
    ServiceState,
)
from card_core.store.holder_changes import ChangeKind
from card_core.store.operators import Role

# By kind first: members of different kinds that have the same text are equal. The words for
# cards are those of AAZ502 in the ministry's data elements.
_WORDS: Mapping[type[StrEnum], Mapping[str, str]] = MappingProxyType(
    {
        CardState: {
            CardState.NOT_ACTIVATED: "未启用",
            CardState.SEALED: "封存",
            CardState.NORMAL: "正常",
            CardState.FORMAL_LOSS: "正式挂失",
            CardState.LOCKED: "应用锁定",
            CardState.TEMPORARY_LOSS: "临时挂失",
            CardState.CANCELLED: "注销",
        },
        ECardState: {
            ECardState.NOT_ACTIVATED: "未开通",
            ECardState.ACTIVE: "已开通",
            ECardState.SUSPENDED: "已停用",
            ECardState.CANCELLED: "注销",
        },
        BatchState: {
            BatchState.IMPORTING: "导入中",
            BatchState.DROPPED: "导入未完成",
            BatchState.IMPORTED: "待复核",
            BatchState.RELEASED: "已放行",
            BatchState.PAUSED: "已暂停",
            BatchState.ISSUED: "已发卡",
            BatchState.REJECTED: "已驳回",
            BatchState.CANCELLED: "已取消",
        },
        MakingState: {
            MakingState.AWAITING_BANK: "待报银行",
            MakingState.AT_BANK: "已报银行未回盘",
            MakingState.AWAITING_MAKER: "银行回盘待报卡商",
            MakingState.AT_MAKER: "已报卡商待回盘",
            MakingState.MADE: "卡商已回盘",
            MakingState.AT_BRANCH: "发卡网点领卡",
            MakingState.HANDED_OVER: "个人已领卡",
            MakingState.HANDED_TO_EMPLOYER: "单位已领卡",
            MakingState.ACCOUNT_FAILED: "开户失败信息待修改",
            MakingState.MAKING_FAILED: "制卡失败",
            MakingState.AWAITING_DEVICE: "已生成快速制卡网点批次",
            MakingState.AT_DEVICE: "数据已下载设备制卡中",
            MakingState.MADE_AT_ONCE: "快速制卡完成待领取",
            MakingState.DEVICE_FAILED: "设备制卡失败",
        },
        OrderState: {
            OrderState.PREPARING: "数据生成中",
            OrderState.SENT: "已报卡商",
            OrderState.ANSWERED: "已全部回盘",
            OrderState.WITHDRAWN: "已撤回",
        },
        FilingState: {
            FilingState.FILED: "未受理",
            FilingState.ACCEPTED: "已受理",
            FilingState.REFUSED: "不予受理",
            FilingState.WITHDRAWN: "已撤回",
            FilingState.TAKEN_IN: "已入批次",
        },
        BindingState: {
            BindingState.OFFERED: "待领取",
            BindingState.ACTIVE: "有效",
            BindingState.ENDED: "已解除",
        },
        ApplicationKind: {
            ApplicationKind.NEW: "新申领",
            ApplicationKind.REPLACEMENT: "补卡",
            ApplicationKind.EXCHANGE: "换卡",
        },
        Channel: {
            Channel.WINDOW: "柜面",
            Channel.ONLINE: "网上",
            Channel.HOME_VISIT: "上门",
        },
        MakingMode: {
            MakingMode.AT_ONCE: "即时制卡",
            MakingMode.BATCH: "批量制卡",
        },
        ApplicationState: {
            ApplicationState.OPEN: "在办",
            ApplicationState.ISSUED: "已发卡",
            ApplicationState.WITHDRAWN: "已撤回",
        },
        ChangeKind: {
            ChangeKind.MERGE: "合并",
            ChangeKind.CORRECTION: "更正",
        },
        ApprovalState: {
            ApprovalState.PENDING: "待复核",
            ApprovalState.APPLIED: "已生效",
            ApprovalState.REJECTED: "已驳回",
        },
        ChannelKind: {
            ChannelKind.KIOSK: "自助终端",
            ChannelKind.BANK_COUNTER: "银行网点柜台",
            ChannelKind.HOME_VISIT: "上门平板",
        },
        ServiceState: {
            ServiceState.ACTIVE: "启用",
            ServiceState.SUSPENDED: "已停用",
        },
        KeyState: {
            KeyState.PENDING: "待用",
            KeyState.ACTIVE: "启用",
            KeyState.VERIFY_ONLY: "仅验签",
            KeyState.REVOKED: "已吊销",
        },
        CardNumberKept: {
            CardNumberKept.NEW: "新卡号",
            CardNumberKept.SAME: "同卡号",
        },
        Part: {
            Part.ACTIVATE_CARD: "启用",
            Part.WITHDRAW_TEMPORARY_LOSS: "解挂",
            Part.UNLOCK_CARD: "解锁",
            Part.UNSEAL_CARD: "解除封存",
            Part.CANCEL_CARD: "注销卡",
            Part.REMOVE_DEVICE: "移除手机",
        },
        Role: {
            Role.MAKER: "经办",
            Role.CHECKER: "复核",
            Role.ADMINISTRATOR: "系统管理员",
            Role.SECURITY: "安全管理员",
            Role.AUDITOR: "审计管理员",
            Role.CLERK: "渠道经办",
        },
    }
)


def word_of(value: StrEnum) -> str:
    """The Chinese word for a state or a role; of another kind of value, its own text."""
    return _WORDS.get(type(value), {}).get(value, value.value)


def both(value: StrEnum) -> str:
    """The Chinese word and the stable one, for tables."""
    return f"{word_of(value)} {value.value}"
