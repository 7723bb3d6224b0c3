"""`sscard card policy` and `set-policy`: what the issuer decided for its cards."""

from typing import Annotated

import typer

from card_core.card_policy import FAMILY_MAX, FAMILY_MOST, LOSS_DAYS, CardNumberKept
from card_core.errors import NotFoundError
from card_core.kernel.acts.card_policies import SetCardPolicy
from card_core.store import card_policies, issuers
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, SecondOption, YesOption, opened_desk
from issuance.cli.words import both

app = typer.Typer()


@app.command()
def policy(operator: OperatorOption = None) -> None:
    """查看卡管理规定。
    Show the policy for cards.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        own = issuers.own(tx)
        if own is None:
            raise NotFoundError("issuer")
        found = card_policies.of(tx, own.number)
    formal = "可以 yes" if found.withdraws_formal_loss else "不可 no"
    screen.show_facts(
        [
            ("临时挂失天数 Days of a temporary loss", found.loss_days),
            ("正式挂失可解除 A formal loss may be withdrawn", formal),
            ("补卡 Number on replacement", both(found.on_replacement)),
            ("换卡 Number on exchange", both(found.on_exchange)),
            ("亲情服务人数 Family members' e-cards shown", found.family_max),
        ]
    )


@app.command("set-policy")
def set_policy(
    *,
    loss_days: Annotated[
        int,
        typer.Option(
            metavar="DAYS",
            help="临时挂失几天后自动解挂。\n\nWhen a temporary loss lapses: "
            f"{', '.join(map(str, LOSS_DAYS))}.",
        ),
    ],
    formal_loss: Annotated[
        bool,
        typer.Option(
            "--withdraw-formal-loss/--keep-formal-loss",
            help="正式挂失可否解除。\n\nWhether a formal loss may be withdrawn.",
        ),
    ] = False,
    on_replacement: Annotated[
        CardNumberKept,
        typer.Option(metavar="WHICH", help="补卡卡号。\n\nNumber on replacement: new, same."),
    ] = CardNumberKept.NEW,
    on_exchange: Annotated[
        CardNumberKept,
        typer.Option(metavar="WHICH", help="换卡卡号。\n\nNumber on exchange: new, same."),
    ] = CardNumberKept.NEW,
    family_max: Annotated[
        int,
        typer.Option(
            metavar="COUNT",
            min=0,
            max=FAMILY_MOST,
            help="亲情服务人数上限。\n\nHow many family members' e-cards a holder may show.",
        ),
    ] = FAMILY_MAX,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """设定卡管理规定（须另一人复核）。
    Set the policy for cards; another approves.
    """
    with opened_desk(operator) as desk:
        act = SetCardPolicy(loss_days, formal_loss, on_replacement, on_exchange, family_max)
        if desk.decide(act, second, yes=yes):
            screen.say("卡管理规定已生效。", "The policy for cards is in effect.")
