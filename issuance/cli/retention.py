"""`sscard retention`: for how long what is kept, and the erasing of what is past its time."""

from typing import Annotated

import typer

from card_core.erasing import Eraser
from card_core.errors import NotFoundError
from card_core.kernel.acts.retention import SetRetentionPolicy
from card_core.retention_policy import APPROVAL_DAYS, HOLDER_DAYS, REFUSED_DAYS
from card_core.store import issuers, retention_policies
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, SecondOption, YesOption, opened_desk

app = typer.Typer(
    help="保存期限：查看、设定、删除到期内容。\nRetention: show, set, erase what is past its time.",
    no_args_is_help=True,
)


@app.command()
def show(operator: OperatorOption = None) -> None:
    """查看保存期限。
    Show for how long what is kept.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        own = issuers.own(tx)
        if own is None:
            raise NotFoundError("issuer")
        policy = retention_policies.of(tx, own.number)
    screen.show_facts(
        [
            ("注销后删除个人信息（天） People, days after the last card", policy.holder_days),
            ("未发卡的行（天） Rows that came to nothing, days", policy.refused_days),
            ("复核内容（天） What was approved, days", policy.approval_days),
        ]
    )


@app.command("set")
def set_policy(
    *,
    holder_days: Annotated[
        int,
        typer.Option(
            metavar="DAYS",
            help="最后一张卡注销几天后删除其人信息。\n\n"
            f"When people are erased after their last card; at least {HOLDER_DAYS.start}.",
        ),
    ],
    refused_days: Annotated[
        int,
        typer.Option(
            metavar="DAYS",
            help="名册、存量卡中未发卡的行保存几天。\n\n"
            f"For rows that came to nothing; at least {REFUSED_DAYS.start}.",
        ),
    ],
    approval_days: Annotated[
        int,
        typer.Option(
            metavar="DAYS",
            help="复核内容保存几天。\n\n"
            f"For what was approved; at least {APPROVAL_DAYS.start}, at most --holder-days.",
        ),
    ],
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """设定保存期限（须另一人复核）。
    Set for how long what is kept; another approves.
    """
    with opened_desk(operator) as desk:
        act = SetRetentionPolicy(holder_days, refused_days, approval_days)
        if desk.decide(act, second, yes=yes):
            screen.say("保存期限已生效。", "The periods are in effect.")


@app.command()
def run(operator: OperatorOption = None) -> None:
    """立即删除到期内容；服务运行时每小时自动进行。
    Erase now what the service erases each hour.
    """
    with opened_desk(operator) as desk:
        desk.check_may(SetRetentionPolicy)
        with screen.working("删除到期内容", "Erasing"):
            done = Eraser(desk.site.kernel, clock=desk.site.kernel.clock).round()
    screen.say(
        f"已删除 {done['people']} 人的个人信息，{done['refused_rows']} 行未发卡的内容，"
        f"{done['approvals']} 项复核内容。",
        f"Erased {done['people']} people, {done['refused_rows']} rows that came to nothing, "
        f"{done['approvals']} contents of approvals.",
    )
