"""`sscard figures`: how many cards were issued, handed out, activated."""

from pathlib import Path
from typing import Annotated

import typer

from card_core.figures import SMALL, Dimension
from card_core.figures import figures as figures_of
from card_core.kernel.permissions import Reading
from card_core.store import figures as stored_figures
from issuance import figure_files
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, opened_desk
from issuance.figure_files import COLUMNS


def figures(
    by: Annotated[
        list[Dimension] | None,
        typer.Option(
            metavar="WHAT",
            help="按地区、银行、发卡月份细分，可多次给出。\n\n"
            "Break down by region, bank, month; may be repeated.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="写入 .csv 或 .xlsx 文件。\n\nWrite to this file, .csv or .xlsx.",
        ),
    ] = None,
    operator: OperatorOption = None,
) -> None:
    """统计：发卡、领卡、启用数和比率，申领至领卡天数。
    Cards issued, handed out, activated.

    不足 10 张的分组并入 other，不再细分。 Groups of fewer than 10 cards go together as other.
    """
    with opened_desk(operator, Reading.FIGURES) as desk, desk.site.store.read() as tx:
        found = figures_of(stored_figures.tallies(tx), by or ())
    if out is not None:
        figure_files.write(found, out)
        screen.say(f"已写入 {out}。", f"Written to {out}.")
        return
    if found.total is None:
        screen.say(
            f"卡数不足 {SMALL} 张，不予统计。", f"Fewer than {SMALL} cards: no figures are given."
        )
        return
    screen.show_table([column.title for column in COLUMNS], figure_files.lines(found))
