"""Who may apply for which card (申领, 补卡, 换卡), and which applications a second person checks.

The rules of the counter: somebody whose card serves, or only needs to be brought back into service,
gets no other; a lost card is replaced once the loss is formal; one at hand is exchanged; somebody
whose card was cancelled, or who never had one, applies anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from card_core.application import Application, ApplicationKind
from card_core.identity import is_at_least
from card_core.identity.age import GUARDED_UNDER_YEARS
from card_core.states import CardState


class Channel(StrEnum):
    """办理渠道."""

    WINDOW = "window"  # 柜面
    ONLINE = "online"  # 网上
    HOME_VISIT = "home_visit"  # 上门


class MakingMode(StrEnum):
    """制卡方式."""

    AT_ONCE = "at_once"  # 即时制卡
    BATCH = "batch"  # 工厂制卡


class FilingEvidence(StrEnum):
    """What whoever files or checks an application saw of the applicant, or of the guardian."""

    IDENTITY_DOCUMENT = "identity_document"
    HOUSEHOLD_REGISTER = "household_register"
    GUARDIAN_DOCUMENT = "guardian_document"


# What shows that an adult is a child's guardian.
GUARDIAN_EVIDENCE: Final = frozenset(
    {FilingEvidence.HOUSEHOLD_REGISTER, FilingEvidence.GUARDIAN_DOCUMENT}
)


class RefusalReason(StrEnum):
    """Why whoever checks an application refuses it."""

    DATA_WRONG = "data_wrong"
    EVIDENCE_MISSING = "evidence_missing"
    NOT_THE_GUARDIAN = "not_the_guardian"
    NOT_ENTITLED = "not_entitled"


@dataclass(frozen=True, slots=True)
class Ineligible:
    """code: stable English. The texts say why, and what to do."""

    code: str
    zh: str
    en: str


_COLLECT = Ineligible(
    "card_not_collected",
    "已有制好或在制的卡，请领取并启用，不再另发",
    "There is a card made or on its way; collect and activate that one",
)
_HAS_CARD = Ineligible(
    "has_live_card",
    "已有正常使用的卡，不能新申领；损坏请换卡，丢失请先正式挂失再补卡",
    "There is a card in use. Exchange a worn one; report a lost one formally, then replace it",
)
_LOST_FOR_A_WHILE = Ineligible(
    "temporary_loss",
    "卡处于临时挂失：找到请解挂，确已丢失请先办正式挂失再补卡",
    "The card is reported lost for a while: withdraw the report if it was found, or make the loss "
    "formal, then replace it",
)
_LOST = Ineligible(
    "formal_loss",
    "卡已正式挂失，请申请补卡",
    "The card is formally lost; apply for a replacement",
)
_LOCKED = Ineligible(
    "card_locked",
    "卡已锁定，请凭证件解锁或换卡；丢失请先正式挂失",
    "The card is locked; have it unlocked or exchanged, or report it formally lost",
)
_SEALED = Ineligible(
    "card_sealed",
    "卡已封存，请先解除封存",
    "The card is sealed; have it unsealed first",
)
_NOT_LOST = Ineligible(
    "not_lost",
    "卡未正式挂失，不能补卡：丢失请先正式挂失，损坏请换卡",
    "The card is not formally lost, so it is not replaced: report the loss first, or exchange a "
    "worn card",
)
_NO_CARD = Ineligible(
    "no_live_card",
    "没有可补换的卡，请新申领",
    "There is no card to follow; apply for a new one",
)

_REFUSED: Final[Mapping[ApplicationKind, Mapping[CardState | None, Ineligible]]] = MappingProxyType(
    {
        ApplicationKind.NEW: {
            CardState.NOT_ACTIVATED: _COLLECT,
            CardState.NORMAL: _HAS_CARD,
            CardState.TEMPORARY_LOSS: _LOST_FOR_A_WHILE,
            CardState.FORMAL_LOSS: _LOST,
            CardState.LOCKED: _LOCKED,
            CardState.SEALED: _SEALED,
        },
        ApplicationKind.REPLACEMENT: {
            None: _NO_CARD,
            CardState.CANCELLED: _NO_CARD,
            CardState.NOT_ACTIVATED: _COLLECT,
            CardState.NORMAL: _NOT_LOST,
            CardState.TEMPORARY_LOSS: _LOST_FOR_A_WHILE,
            CardState.LOCKED: _LOCKED,
            CardState.SEALED: _SEALED,
        },
        ApplicationKind.EXCHANGE: {
            None: _NO_CARD,
            CardState.CANCELLED: _NO_CARD,
            CardState.NOT_ACTIVATED: _COLLECT,
            CardState.TEMPORARY_LOSS: _LOST_FOR_A_WHILE,
            CardState.FORMAL_LOSS: _LOST,
            CardState.SEALED: _SEALED,
        },
    }
)

OPEN_APPLICATION: Final = Ineligible(
    "has_open_application",
    "已有在办的申领，请查询进度，不再另行受理",
    "An application of this person is under way; see how far it is",
)
RECORD_MERGED: Final = Ineligible(
    "record_merged",
    "该号码的记录已合并，请使用现有号码申领",
    "The record of this number was merged; apply with the number that is in use",
)
STOCK_CARD: Final = Ineligible(
    "has_stock_card",
    "该人有待接管的存量卡，请先完成接管",
    "A card of this person waits to be taken over; finish that first",
)
NAME_DIFFERS: Final = Ineligible(
    "name_differs",
    "姓名与持卡人员基础库不一致：请核对证件，确已更名的先办信息更正",
    "The name is not that in the holder base: check the document, and have the record corrected "
    "first if the name was changed",
)
GUARDIAN_MISSING: Final = Ineligible(
    "guardian_missing",
    f"未满 {GUARDED_UNDER_YEARS} 周岁须由监护人代办，请填写监护人并出示监护关系材料及编号",
    f"For somebody under {GUARDED_UNDER_YEARS} a guardian applies: give the guardian, and what "
    "shows it with its number",
)
NOT_IN_BATCHES: Final = Ineligible(
    "exchange_at_once",
    "换卡须收回旧卡，只在柜面即时办理",
    "An exchange takes the old card back, and is made at the counter at once",
)


def refusal(kind: ApplicationKind, card_state: CardState | None) -> Ineligible | None:
    """Why somebody whose last card is in this state may not apply for this; None if they may.

    card_state: None for a person without any card.
    """
    return _REFUSED[kind].get(card_state)


def is_guarded(application: Application, today: date) -> bool:
    """Whether the applicant is too young to apply alone. today: in Asia/Shanghai."""
    return not is_at_least(GUARDED_UNDER_YEARS, birth_on=application.birth_on, today=today)


def needs_check(
    application: Application, channel: Channel, mode: MakingMode, *, today: date
) -> bool:
    """Whether a second person checks it before it goes on.

    A new card for an adult who stands at the window, made in a batch, is checked when the batch is
    released. What nobody saw, what a guardian asks for, what ends another card, and what leaves
    the house within the hour is checked by itself; so is what came from a visit at home, where the
    clerk was alone.
    """
    return (
        channel is not Channel.WINDOW
        or mode is MakingMode.AT_ONCE
        or application.kind is not ApplicationKind.NEW
        or is_guarded(application, today)
    )
