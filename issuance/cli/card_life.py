"""`sscard card`: lock and seal, the next card, the e-card alone."""

from typing import Annotated

import typer

from card_core.card_policy import CardNumberKept, CardPolicy
from card_core.kernel.acts.card_locks import LockCard, SealCard, SealReason, UnlockCard, UnsealCard
from card_core.kernel.acts.cards import Evidence
from card_core.kernel.acts.ecards import CancelECard, ResumeECard, SuspendECard
from card_core.kernel.acts.handing_over import HandOverCard
from card_core.kernel.acts.replacements import ExchangeCard, ExchangeReason, ReplaceCard
from card_core.kernel.permissions import Reading
from card_core.store import card_policies, cards
from issuance.cli import screen
from issuance.cli.card_finding import CardArgument, card_id_of, find_card
from issuance.cli.desk import Desk, OperatorOption, SecondOption, YesOption, opened_desk

app = typer.Typer()

NewNumberOption = Annotated[
    bool,
    typer.Option(
        "--new-number",
        help="一律换新卡号，不论规定。\n\nA new number, whatever the policy says.",
    ),
]


@app.command("hand-over")
def hand_over(
    card: CardArgument,
    to_employer: Annotated[
        bool, typer.Option("--to-employer", help="单位代领。\n\nThe employer collects it.")
    ] = False,
    operator: OperatorOption = None,
) -> None:
    """领卡登记，启用另办；card activate 则一并办理。
    Note that a card was collected; activate it later.
    """
    with opened_desk(operator) as desk:
        desk.perform(HandOverCard(card_id_of(desk, card), to_employer=to_employer))
    screen.say("已领卡，尚未启用。", "Collected; not activated yet.")


@app.command()
def lock(card: CardArgument, operator: OperatorOption = None) -> None:
    """应用锁定：密码连续输错，卡已自锁。
    Lock a card whose chip locked itself.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        desk.perform(LockCard(card_id_of(desk, card)))
    screen.say("已锁定，卡与电子社保卡停用。", "The card is locked; it and its e-card stop.")


@app.command()
def unlock(card: CardArgument, operator: OperatorOption = None) -> None:
    """应用解锁：已核验证件并重置密码。
    Unlock a card whose PIN was reset, with ID.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        desk.perform(UnlockCard(card_id_of(desk, card), Evidence.IDENTITY_DOCUMENT))
    screen.say("已解锁，恢复使用。", "The card is unlocked and serves again.")


@app.command()
def seal(
    card: CardArgument,
    reason: Annotated[
        SealReason,
        typer.Option(metavar="WHY", help=f"封存原因。\n\nOne of {', '.join(SealReason)}."),
    ],
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """封存（须另一人复核）。
    Seal a card; another person approves.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        act = SealCard(card_id_of(desk, card), reason)
        if desk.decide(act, second, yes=yes):
            screen.say("已封存。", "The card is sealed.")


@app.command()
def unseal(
    card: CardArgument,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """解除封存（须另一人复核）。
    Unseal a card; another person approves.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        act = UnsealCard(card_id_of(desk, card))
        if desk.decide(act, second, yes=yes):
            screen.say("已解除封存，恢复使用。", "The card serves again.")


@app.command()
def replace(
    card: CardArgument,
    new_number: NewNumberOption = False,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """补卡：已正式挂失的卡（须另一人复核）。
    Replace a card formally lost; another approves.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        number = CardNumberKept.NEW if new_number else _policy(desk, card).on_replacement
        act = ReplaceCard(card_id_of(desk, card), number)
        if desk.decide(act, second, yes=yes):
            _show_next(desk, card)


@app.command()
def exchange(
    card: CardArgument,
    *,
    reason: Annotated[
        ExchangeReason,
        typer.Option(metavar="WHY", help=f"换卡原因。\n\nOne of {', '.join(ExchangeReason)}."),
    ],
    new_number: NewNumberOption = False,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """换卡：旧卡已收回（须另一人复核）。
    Exchange a card handed back; another approves.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        number = CardNumberKept.NEW if new_number else _policy(desk, card).on_exchange
        act = ExchangeCard(card_id_of(desk, card), reason, number)
        if desk.decide(act, second, yes=yes):
            _show_next(desk, card)


@app.command("suspend-e-card")
def suspend_e_card(card: CardArgument, operator: OperatorOption = None) -> None:
    """停用电子社保卡，实体卡照常使用。
    Suspend the e-card alone.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        desk.perform(SuspendECard(card_id_of(desk, card)))
    screen.say("电子社保卡已停用。", "The e-card is suspended.")


@app.command("resume-e-card")
def resume_e_card(card: CardArgument, operator: OperatorOption = None) -> None:
    """恢复电子社保卡。
    Resume the e-card.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        desk.perform(ResumeECard(card_id_of(desk, card)))
    screen.say("电子社保卡已恢复。", "The e-card serves again.")


@app.command("cancel-e-card")
def cancel_e_card(
    card: CardArgument,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """注销电子社保卡（须另一人复核）。
    Cancel the e-card alone; another approves.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        act = CancelECard(card_id_of(desk, card))
        if desk.decide(act, second, yes=yes):
            screen.say("电子社保卡已注销。", "The e-card is cancelled.")


def _policy(desk: Desk, card_number: str) -> CardPolicy:
    with desk.site.store.read() as tx:
        return card_policies.of(tx, find_card(tx, card_number)[0].issuer)


def _show_next(desk: Desk, card_number: str) -> None:
    """Say which card the holder has now."""
    with desk.site.store.read() as tx:
        new = cards.live_card_of(tx, find_card(tx, card_number)[1].id)
    number = "" if new is None else new.card_number
    screen.say(
        f"新卡卡号 {number}，旧卡已注销。交到持卡人手中后启用：",
        f"The new card is {number}; the old one is cancelled. Once it is handed out:",
    )
    screen.hint(f"sscard card activate {number} --e-card")
