"""`sscard serve`: the whole service on this machine."""

from typing import Annotated

import typer

from issuance.cli import screen
from issuance.cli.desk import LOOPBACK, opened_site


def serve(
    host: Annotated[str, typer.Option(help="监听地址。\n\nAddress to listen on.")] = LOOPBACK,
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="端口，0 为任选。\n\nPort; 0 takes a free one."
        ),
    ] = 8080,
) -> None:
    """启动服务（终端核验、持卡人页面）。
    Start the service for terminals and holders.

    默认只供本机访问；对外须在前面加 TLS 反向代理。 Ctrl-C 停止。
    For this machine alone by default; put a TLS proxy in front for others. Ctrl-C stops it.
    """
    from issuance.cli import serving  # noqa: PLC0415 - other commands needn't wait for FastAPI

    serving.check_self_tests()
    with opened_site() as site:
        listening = serving.bind(host, port)
        serving.log_to_stderr()
        if host not in {LOOPBACK, "::1", "localhost"}:
            screen.warn(
                "此地址可被其他机器访问，而本服务不加密。请在前面加 TLS 反向代理。",
                "Other machines can reach this address and the service doesn't encrypt. Put a TLS "
                "proxy in front.",
            )
        key_ring, registry = serving.make_key_ring(site), serving.make_registry(site)
        app = serving.make_service(site, key_ring, registry)
        server = serving.RunningServer(app, listening)
        with (
            serving.running(server),
            key_ring.refreshed(),
            registry.refreshed(),
            serving.swept(site.kernel),
        ):
            screen.say(
                f"服务已启动：{server.url}（Ctrl-C 停止）",
                f"The service is running at {server.url} (Ctrl-C stops it)",
            )
            serving.serve_until_stopped([server])
    screen.say("服务已停止。", "The service has stopped.")
