"""`sscard blank`: blank cards at branches, for cards that are made at once."""

from typing import Annotated

import typer

from card_core.kernel.acts.at_once import ReceiveBlanks, SpoilBlanks, SpoilReason
from card_core.store import blank_cards
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, SecondOption, YesOption, opened_desk

app = typer.Typer(
    help="空白卡：入库、作废、盘点。\nBlank cards: in, written off, counted.",
    no_args_is_help=True,
)

BranchArgument = Annotated[
    str, typer.Argument(metavar="BRANCH", help="网点编码。\n\nThe branch's code.")
]
CountOption = Annotated[int, typer.Option(metavar="COUNT", min=1, help="张数。\n\nHow many.")]


@app.command()
def receive(
    branch: BranchArgument,
    *,
    count: CountOption,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """入库（须另一人复核）。
    Blank cards came in; another person has counted them too.
    """
    with opened_desk(operator) as desk:
        if desk.decide(ReceiveBlanks(branch, count), second, yes=yes):
            screen.say(f"已入库 {count} 张。", f"{count} blank cards are on hand.")


@app.command()
def spoil(
    branch: BranchArgument,
    *,
    count: CountOption,
    reason: Annotated[
        SpoilReason,
        typer.Option(metavar="WHY", help=f"原因。\n\nOne of {', '.join(SpoilReason)}."),
    ],
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """作废（须另一人复核）。
    Write blank cards off; another person approves.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            on_hand = blank_cards.of(tx, branch).on_hand
        if desk.decide(SpoilBlanks(branch, count, reason, on_hand), second, yes=yes):
            screen.say(f"已作废 {count} 张。", f"{count} blank cards are written off.")


@app.command("list")
def list_(operator: OperatorOption = None) -> None:
    """各网点空白卡：入库 = 在库 + 设备中 + 已制卡 + 作废。
    Where each branch's blank cards are.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        found = blank_cards.page(tx)
    screen.show_table(
        ["网点 Branch", "入库 Received", "在库 On hand", "设备中 In device", "已制卡 Used",
         "作废 Spoiled"],
        [
            (one.branch, one.received, one.on_hand, one.in_device, one.used, one.spoiled)
            for one in found
        ],
    )  # fmt: skip
