"""`sscard console`: the desk and the operators' API, on an address of their own."""

from contextlib import ExitStack
from typing import Annotated

import typer

from issuance.cli import screen
from issuance.cli.desk import LOOPBACK, opened_site
from issuance.cli.listening import bind, url_of
from issuance.cli.log_lines import log_to_stderr


def console(
    host: Annotated[str, typer.Option(help="监听地址。\n\nAddress to listen on.")] = LOOPBACK,
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="端口，0 为任选。\n\nPort; 0 takes a free one."
        ),
    ] = 8090,
) -> None:
    """启动经办页面和窗口业务接口。
    Start the operators' pages, and the API for programs.

    默认只供本机访问；对外须在前面加 TLS 反向代理。 Ctrl-C 停止。
    For this machine alone by default; put a TLS proxy in front for others. Ctrl-C stops it.
    """
    from issuance.cli import serving  # noqa: PLC0415 - other commands needn't wait for FastAPI
    from issuance.cli.desk_app import make_admission, make_console  # noqa: PLC0415 - draws pages by FastAPI
    from issuance.cli.log_following import following_log  # noqa: PLC0415 - for what serves alone

    with log_to_stderr(), ExitStack() as stack:
        site = stack.enter_context(opened_site())
        serving.check_self_tests()
        clock = serving.make_clock(site)
        stack.enter_context(clock.watched())
        stack.enter_context(following_log(site.store))
        listening = bind(host, port)
        stack.callback(listening.close)
        admission = make_admission()
        app = make_console(site, clock, admission)
        server = serving.RunningServer(app, listening, admission)
        stack.enter_context(serving.running(server))
        server.wait_until_started()
        url = url_of(listening)
        screen.say(f"经办页面和窗口接口已启动：{url}", f"The operators' pages and API: {url}")
        serving.serve_until_stopped([server])
    screen.say("服务已停止。", "The service has stopped.")
