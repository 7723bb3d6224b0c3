"""Writes docs/lifecycle.md from the tables that the kernel asks:

    python -m issuance.cli.lifecycle_page > docs/lifecycle.md

They are in `card_core`: `states`, `life_events` and `kernel.permissions`. A test holds that the
page says what they say.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from card_core.application import ApplicationKind
from card_core.applying import refusal
from card_core.card_policy import LOSS_DAYS, CardPolicy
from card_core.kernel import Act, is_dangerous
from card_core.kernel.acts.banking import SendToBank, TakeBankReturn
from card_core.kernel.acts.card_locks import LockCard, SealCard, UnlockCard, UnsealCard
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    CancelCard,
    LapseTemporaryLoss,
    ReportFormalLoss,
    ReportTemporaryLoss,
    WithdrawFormalLoss,
    WithdrawTemporaryLoss,
)
from card_core.kernel.acts.ecards import CancelECard, ResumeECard, SuspendECard
from card_core.kernel.acts.filings import AcceptFiling, RefuseFiling, WithdrawFiling
from card_core.kernel.acts.handing_over import DispatchCards, HandOverCard, ReworkCards
from card_core.kernel.acts.life_events import DecideLifeEvent, ServeLifeEvent
from card_core.kernel.acts.maker_returns import TakeMakerReturn
from card_core.kernel.acts.making import PrepareMakingChunk, WithdrawOrder
from card_core.kernel.acts.replacements import ExchangeCard, ReplaceCard
from card_core.kernel.acts.taking_in import BatchFilings
from card_core.kernel.permissions import RULES
from card_core.life_events import APPLYING, SERVING, Applying, LifeEvent, Serving
from card_core.states import (
    CARD,
    ECARD,
    ECARD_UNDER,
    FILING,
    MAKING,
    CardState,
    ECardState,
    FilingState,
    MakingState,
    Step,
)
from issuance.cli.words import both, word_of

# In the order in which a clerk learns them.
CARD_ACTS: Mapping[Step, tuple[str, type[Act]]] = MappingProxyType(
    {
        Step.ACTIVATE: ("领卡启用", ActivateCard),
        Step.REPORT_TEMPORARY_LOSS: ("临时挂失", ReportTemporaryLoss),
        Step.WITHDRAW_TEMPORARY_LOSS: ("解挂", WithdrawTemporaryLoss),
        Step.LAPSE: ("自动解挂", LapseTemporaryLoss),
        Step.REPORT_FORMAL_LOSS: ("正式挂失", ReportFormalLoss),
        Step.WITHDRAW_FORMAL_LOSS: ("解除正式挂失", WithdrawFormalLoss),
        Step.LOCK: ("应用锁定", LockCard),
        Step.UNLOCK: ("应用解锁", UnlockCard),
        Step.SEAL: ("封存", SealCard),
        Step.UNSEAL: ("解除封存", UnsealCard),
        Step.REPLACE: ("补卡", ReplaceCard),
        Step.EXCHANGE: ("换卡", ExchangeCard),
        Step.CANCEL: ("注销", CancelCard),
    }
)
ECARD_ACTS: Mapping[Step, tuple[str, type[Act]]] = MappingProxyType(
    {
        Step.ACTIVATE: ("开通", ActivateECard),
        Step.SUSPEND: ("停用", SuspendECard),
        Step.RESUME: ("恢复", ResumeECard),
        Step.CANCEL: ("注销", CancelECard),
    }
)
FILING_ACTS: Mapping[Step, tuple[str, type[Act]]] = MappingProxyType(
    {
        Step.ACCEPT: ("复核受理", AcceptFiling),
        Step.REFUSE: ("不予受理", RefuseFiling),
        Step.WITHDRAW: ("撤回", WithdrawFiling),
        Step.TAKE_IN: ("入批次", BatchFilings),
    }
)
MAKING_ACTS: Mapping[Step, tuple[str, type[Act]]] = MappingProxyType(
    {
        Step.SEND_TO_BANK: ("报银行", SendToBank),
        Step.OPEN_ACCOUNT: ("银行回盘成功", TakeBankReturn),
        Step.FAIL_ACCOUNT: ("银行回盘失败", TakeBankReturn),
        Step.SEND_TO_MAKER: ("报卡商", PrepareMakingChunk),
        Step.MAKE: ("卡商回盘成功", TakeMakerReturn),
        Step.FAIL_MAKING: ("卡商回盘失败", TakeMakerReturn),
        Step.REWORK: ("返工", ReworkCards),
        Step.DISPATCH: ("配送", DispatchCards),
        Step.HAND_OVER: ("个人领卡", HandOverCard),
        Step.HAND_TO_EMPLOYER: ("单位领卡", HandOverCard),
        Step.WITHDRAW: ("撤回制卡单", WithdrawOrder),
    }
)
_OTHERS = {"holder": "持卡人 holder", "system": "系统 system"}

_S = TypeVar("_S", bound=StrEnum)

_INTRODUCTION = """\
# The life of a card and its e-card 卡的一生

This page is made of the tables that the kernel asks, by
`python -m issuance.cli.lifecycle_page > docs/lifecycle.md`; change those, not the page.
Each step is one act, one transaction and one event in the audit log. What a table lacks is refused
with `wrong_state`, and nothing changes.
"""
_FOLLOWING = """\
A person has one card that is not cancelled, or one open application. Replacement (补卡) and
exchange (换卡) end the old card and make the next one in one transaction, as a batch of its own; it
is activated when it is handed out. The old card's e-card ends with it; the next card brings the
next e-card.

The e-card keeps its own state while its card is lost, locked or sealed, and is in effect no more
than the table above allows. It is activated or resumed only while its card is in use, and can be
suspended alone. The device credentials of phones follow in the same transaction.
"""
_LOSSES = """\
## Losses and the issuer's policy 挂失与卡管理规定

A temporary loss lapses by itself after {days} days; the day of the report does not count,
and the last day ends at its 24th hour in China (Civil Code, 民法典, articles 201 and 203). A
background job of the service ends it, once, however many processes look. A loss that was made
formal, withdrawn or reported anew meanwhile is left as it is. A formal loss is withdrawn only where
the policy has it, by two people.

The policy (`sscard card policy`, `sscard card set-policy`) is a row of the database, and two people
change it. Until then: {loss_days} days, a formal loss {formal}, replacement with
{replacement} number, exchange with {exchange} number. A new number is always possible. The keys of
a chip are made of region and card number: where a card that is gone keeps its number, whoever finds
it holds a chip that answers as the next one does.
"""
_MAKING = """\
Each card of a roster's batch has a making (制卡) beside it, from its number to its holder's hand.
Two people decide that a maker makes cards, by a making order; [making.md](making.md) tells the way.
Activating a card hands it over too, where that was not done before, and is refused while the card
is at the bank, at the maker, or failed. A card that was sent nowhere is made at the counter, as
replacements are that no application was filed for: those, and cards taken over, have no making.
What was applied for to be made at once (即时制卡) begins at the device of its branch.
"""
_APPLYING = """\
Who may apply for a new card, a replacement or an exchange is a table over the state of the card
that there is (`card_core/applying.py`); `-` stands for "may", and no card is as good as a cancelled
one. A second person accepts whatever came online or from a visit at home, is for a child, ends
another card, or is made at once; a new card for an adult at the window is looked at when its batch
is released. What is accepted goes into a batch, or is made at once (`issue_at_once`). See
[window.md](window.md).
"""
_EVENTS = """\
## Life events 人生事件

One request, one transaction, one event in the audit log, whose detail lists the parts. If one part
is refused, none of them happens. A state without a line is refused.
"""
_COLUMNS = ("event 事件", "who 对象", "card 卡状态", "what is done 业务", "two people 复核")


def page() -> str:
    """The whole page, as it stands in docs/lifecycle.md."""
    policy = CardPolicy()
    days = f"{', '.join(map(str, LOSS_DAYS[:-1]))} or {LOSS_DAYS[-1]}"
    formal = "may be withdrawn" if policy.withdraws_formal_loss else "is not withdrawn"
    parts = [
        _INTRODUCTION,
        "## The card 实体卡\n",
        _diagram(CARD, CARD_ACTS, [CardState.NOT_ACTIVATED], [CardState.CANCELLED]),
        _states(),
        _steps(CARD, CARD_ACTS),
        "## The e-card 电子社保卡\n",
        _diagram(ECARD, ECARD_ACTS, [ECardState.NOT_ACTIVATED], [ECardState.CANCELLED]),
        _steps(ECARD, ECARD_ACTS),
        _FOLLOWING,
        "## An application made by itself 逐件申领\n",
        _diagram(
            FILING,
            FILING_ACTS,
            [FilingState.FILED, FilingState.ACCEPTED],
            [FilingState.TAKEN_IN, FilingState.REFUSED, FilingState.WITHDRAWN],
        ),
        _steps(FILING, FILING_ACTS),
        _APPLYING,
        _table(
            ["card 卡状态", *(both(kind) for kind in ApplicationKind)],
            ([both(state), *_refusals(state)] for state in CardState),
        ),
        "## Making a card 制卡\n",
        _MAKING,
        _diagram(
            MAKING,
            MAKING_ACTS,
            [MakingState.AWAITING_BANK, MakingState.AWAITING_DEVICE],
            [MakingState.HANDED_OVER, MakingState.HANDED_TO_EMPLOYER],
        ),
        _table(
            ["making 制卡状态", "code 数据状态"], ([both(one), one.code] for one in MakingState)
        ),
        _steps(MAKING, MAKING_ACTS),
        _LOSSES.format(
            days=days,
            loss_days=policy.loss_days,
            formal=formal,
            replacement=f"a {policy.on_replacement.value}",
            exchange=f"a {policy.on_exchange.value}",
        ),
        _EVENTS,
        _table(
            ["event 事件", "who 对象", "card 卡状态", "what is done 业务", "two people 复核"],
            _events(),
        ),
    ]
    return "\n".join(parts)


def _diagram(
    table: Mapping[Step, Mapping[_S, _S]],
    acts: Mapping[Step, tuple[str, type[Act]]],
    first: Sequence[_S],
    last: Sequence[_S],
) -> str:
    """A picture of a table; the steps that lead from one state to another share an arrow."""
    arrows: dict[tuple[_S, _S], list[str]] = {}
    for step, (zh, _) in acts.items():
        for before, after in table[step].items():
            arrows.setdefault((before, after), []).append(zh)
    seen = dict.fromkeys(state for pair in arrows for state in pair)
    lines = ["```mermaid", "stateDiagram-v2", "    direction LR"]
    lines += [f"    [*] --> {state.value}" for state in first]
    lines += [f'    state "{word_of(state)} {state.value}" as {state.value}' for state in seen]
    lines += [
        f"    {before.value} --> {after.value}: {'、'.join(names)}"
        for (before, after), names in arrows.items()
    ]
    lines += [f"    {state.value} --> [*]" for state in last]
    return "\n".join([*lines, "```\n"])


def _states() -> str:
    rows = ([both(state), state.aaz502 or "-", both(ECARD_UNDER[state])] for state in CardState)
    return _table(["card 卡状态", "AAZ502", "an active e-card amounts to 电子社保卡"], rows)


def _refusals(state: CardState) -> Iterator[str]:
    for kind in ApplicationKind:
        why = refusal(kind, state)
        yield "-" if why is None else f"`{why.code}`"


def _steps(
    table: Mapping[Step, Mapping[_S, _S]], acts: Mapping[Step, tuple[str, type[Act]]]
) -> str:
    rows = (
        [
            f"{zh} `{step.value}`",
            ", ".join(f"`{state.value}`" for state in table[step]),
            ", ".join(f"`{state}`" for state in dict.fromkeys(table[step].values())),
            f"`{act.act}`",
            _who(act),
            "yes 是" if is_dangerous(act) else "",
        ]
        for step, (zh, act) in acts.items()
    )
    columns = ["step 业务", "from 原状态", "to 新状态", "act", "who 由谁", "two people 复核"]
    return _table(columns, rows)


def _who(act: type[Act]) -> str:
    rule = RULES[act]
    roles = [both(role) for role in sorted(rule.roles)]
    return ", ".join(roles + [_OTHERS[kind.value] for kind in sorted(rule.others)])


def _events() -> Iterator[list[str]]:
    for event in LifeEvent:
        if event in APPLYING:
            yield _applying(event, APPLYING[event])
        else:
            yield from _serving(event, SERVING[event])


def _applying(event: LifeEvent, one: Applying) -> list[str]:
    who = f"1-{one.people_max} 人 people" if one.people_max > 1 else "1 人 person"
    if one.age_min:
        who += f", ≥ {one.age_min} 岁 years"
    if one.needs_guardian:
        who += ", 有监护人 with a guardian"
    done = "全体申领，否则均不受理 apply, all or nobody"
    return [
        f"{one.zh} {one.en} `{event.value}`",
        who,
        "无卡 none",
        done,
        "放行批次时 at its release",
    ]


def _serving(event: LifeEvent, one: Serving) -> Iterator[list[str]]:
    act = DecideLifeEvent if one.is_dangerous else ServeLifeEvent
    two = "yes 是" if is_dangerous(act) else ""
    states_by_parts: dict[str, list[CardState]] = {}
    for state, parts in one.parts.items():
        done = "，".join(both(part) for part in parts) or "已在用 in use already"
        states_by_parts.setdefault(done, []).append(state)
    for done, found in states_by_parts.items():
        states = ", ".join(map(both, found))
        yield [f"{one.zh} {one.en} `{event.value}`", "持卡人 holder", states, done, two]


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
