"""`sscard demo`: the main job on real input, from a roster to an accepted scan.

    folder    a home of its own, removed and made anew at each run
    steps     the steps as they are shown, timed and checked
    bureau    the bureau's part: keys, roster, approval, cards, pharmacy, hand-over
    counter   the holder's and the pharmacy's part, over HTTP and a picture
    desk      the operators in their browsers
    play      all of it in order, and what stays running afterwards

foshan-600.xlsx is the sample roster of tests/rosters, carried along so that the demonstration runs
where the tests are not installed; no row of it describes a person.
"""

from pathlib import Path
from typing import Annotated

import typer

from issuance.cli import screen
from issuance.cli.failures import FAILED


def demo(
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="走完即停，不留服务。\n\nDo it, stop, and leave nothing running."
        ),
    ] = False,
    folder: Annotated[
        Path, typer.Option(help="演示用的文件夹，每次清空。\n\nIts folder, made anew each time.")
    ] = Path("build/demo"),
) -> None:
    """演示全流程：名册、发卡、出码、扫码。
    The main job, from a roster to an accepted scan.

    只用演示文件夹里的内嵌数据库；每一步都核对结果，有一步不符即以 1 退出。
    In a folder of its own; each step is checked, and one that comes out wrong exits with 1.
    """
    from issuance.cli.demo import play, steps  # noqa: PLC0415 - others needn't wait for FastAPI

    try:
        play.play(folder, once=once)
    except steps.DeviationError as deviation:
        screen.show_error(deviation.message_zh, deviation.message_en)
        raise typer.Exit(FAILED) from None
