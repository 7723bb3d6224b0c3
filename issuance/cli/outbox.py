"""`sscard outbox`: who is told of what happened, and how far they have been told."""

from contextlib import ExitStack
from typing import Annotated

import typer

from card_core.kernel.dates import SHANGHAI
from card_core.store import outbox
from issuance.cli import screen
from issuance.cli.desk import YesOption, make_sure, opened_site
from issuance.cli.log_lines import log_to_stderr
from issuance.errors import IssuanceError, SettingsError

app = typer.Typer(
    help="事件：通知进度与转发。\nEvents: who was told, and the relay.", no_args_is_help=True
)


@app.command()
def show() -> None:
    """查看各接收方的进度。
    Show how far each consumer is.
    """
    with opened_site() as site, site.store.read() as tx:
        found = outbox.all_positions(tx)
    screen.show_table(
        ["接收方 Consumer", "链 Chain", "已收 Taken", "待发 Waiting", "时间 At"],
        [
            (
                one.consumer,
                one.chain,
                one.seq,
                one.waiting,
                f"{one.told_at.astimezone(SHANGHAI):%F %T}",
            )
            for one in found
        ],
    )


@app.command()
def relay() -> None:
    """单独转发到 SSCARD_EVENTS_URL（sscard serve 已自带）。
    Post events; sscard serve does so, too.
    """
    from issuance.cli import serving  # noqa: PLC0415 - other commands needn't wait for FastAPI
    from issuance.cli.relaying import relaying  # noqa: PLC0415 - brings an HTTP client

    with log_to_stderr(), ExitStack() as stack:
        site = stack.enter_context(opened_site())
        stop = stack.enter_context(serving.stop_signals())
        if site.events_url is None:
            raise SettingsError(
                "events_url_missing",
                "未设置 SSCARD_EVENTS_URL，没有可转发的地址。",
                "SSCARD_EVENTS_URL is not set: there is nobody to post events to.",
            )
        stack.enter_context(relaying(site, scans=False))
        screen.say("正在转发事件（Ctrl-C 停止）", "Relaying events (Ctrl-C stops it)")
        stop.wait()


@app.command()
def forget(
    consumer: Annotated[str, typer.Argument(metavar="NAME", help="接收方。\n\nThe consumer.")],
    yes: YesOption = False,
) -> None:
    """移除不再使用的接收方，其未收事件可被清除。
    Forget a consumer; what it has not taken may go.
    """
    make_sure(f"不再通知 {consumer}？", f"Tell {consumer} nothing more?", yes=yes)
    with opened_site() as site:
        if not site.kernel.forget_consumer(consumer):
            raise IssuanceError(
                "no_such_consumer",
                f"没有接收方 {consumer}。请运行 sscard outbox show 查看。",
                f"There is no consumer {consumer}; sscard outbox show lists them.",
            )
    screen.say("已移除。", "Forgotten.")
