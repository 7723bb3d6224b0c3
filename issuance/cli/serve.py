"""`sscard serve`: the whole service on this machine."""

import socket
import threading
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from issuance.cli import screen
from issuance.cli.desk import LOOPBACK, opened_site, passphrase, settings
from issuance.cli.listening import bind, bind_unix, forget, url_of
from issuance.cli.log_lines import log_to_stderr
from issuance.cli.sandbox import say_sandbox
from issuance.errors import SettingsError
from issuance.garbage import settle_memory
from issuance.sandbox import is_sandbox

WORKERS_MAX = 256
NOTICE_SECONDS = 1.0


def serve(
    host: Annotated[str, typer.Option(help="监听地址。\n\nAddress to listen on.")] = LOOPBACK,
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="端口，0 为任选。\n\nPort; 0 takes a free one."
        ),
    ] = 8080,
    uds: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="改用 Unix 套接字，供本机反向代理。\n\nA Unix socket instead, for a proxy here.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=WORKERS_MAX,
            help="工作进程数，多于 1 须用 PostgreSQL。\n\n"
            "Worker processes, replaced when they die; more than 1 need PostgreSQL.",
        ),
    ] = None,
    metrics: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            help="指标 /metrics 的本机端口。\n\nServe /metrics on this loopback port.",
        ),
    ] = None,
) -> None:
    """启动服务（终端核验、持卡人页面）。
    Start the service for terminals and holders.

    默认只供本机访问；对外须在前面加 TLS 反向代理。 Ctrl-C 停止。指定 --workers 时，SIGHUP 逐个更换
    工作进程，不中断服务。
    For this machine alone by default; put a TLS proxy in front for others. Ctrl-C stops it. With
    --workers, SIGHUP replaces the worker processes one by one without interrupting the service.
    """

    with log_to_stderr():
        if workers is None:
            _serve_here(host, port, uds, metrics)
        else:
            _serve_with_workers(workers, host, port, uds, metrics)
    screen.say("服务已停止。", "The service has stopped.")


def _serve_here(host: str, port: int, uds: Path | None, metrics: int | None) -> None:
    """One process, this one."""
    with ExitStack() as stack:
        # The keys' passphrase is stretched for half a second, in which another thread can import
        # what takes longest; it is there, or waited for, where it is asked for below.
        threading.Thread(target=import_module, args=("issuance.cli.serving",), daemon=True).start()
        site = stack.enter_context(opened_site())

        from issuance.cli import serving  # noqa: PLC0415 - other commands needn't wait for FastAPI
        from issuance.cli.background import in_background  # noqa: PLC0415 - as above
        from issuance.cli.log_following import following_log  # noqa: PLC0415 - as above
        from issuance.cli.numbers_port import serve_numbers  # noqa: PLC0415 - as above
        from scan_api.metrics import to_text  # noqa: PLC0415 - as above
        from scan_api.overload import Admission  # noqa: PLC0415 - as above

        serving.check_self_tests()
        if is_sandbox(site):
            say_sandbox()
        listening = _listen(stack, host, port, uds)
        admission = Admission()
        key_ring, registry = serving.make_key_ring(site), serving.make_registry(site)
        clock = serving.make_clock(site)

        def text() -> bytes:
            return to_text({"0": admission.metrics.snapshot()})

        numbers_port = stack.enter_context(serve_numbers(metrics, text))
        # All are kept fresh until the last request is answered.
        stack.enter_context(key_ring.refreshed())
        stack.enter_context(registry.refreshed())
        stack.enter_context(clock.watched())
        stack.enter_context(following_log(site.store))
        server = serving.RunningServer(
            serving.make_service(site, key_ring, registry, clock, admission),
            listening,
            admission,
            notice_seconds=NOTICE_SECONDS,
        )
        stack.enter_context(in_background(site, clock))
        stack.enter_context(serving.running(server))
        server.wait_until_started()
        settle_memory()
        serving.share_the_interpreter()
        # Whoever reads that it runs may stop it at once.
        with serving.stop_signals() as stop:
            _say_running(server.url, numbers_port)
            serving.watch_until(stop, [server])


def _serve_with_workers(
    count: int, host: str, port: int, uds: Path | None, metrics: int | None
) -> None:
    """Worker processes, and this one to keep them."""
    from issuance.cli.numbers_port import serve_numbers  # noqa: PLC0415 - as above
    from issuance.cli.workers import Workers  # noqa: PLC0415 - as above

    chosen = settings()
    chosen.home.facts()
    if count > 1 and chosen.database_url.startswith("sqlite"):
        raise SettingsError(
            "workers_need_postgresql",
            "SQLite 一次只供一个进程写入，多个工作进程须用 PostgreSQL。请设置 SSCARD_DATABASE_URL，"
            "或使用 --workers 1。",
            "SQLite lets one process write at a time; more than one worker needs PostgreSQL. Set "
            "SSCARD_DATABASE_URL, or use --workers 1.",
        )
    secret = passphrase(chosen)
    with ExitStack() as stack:
        listening = _listen(stack, host, port, uds)
        kept = Workers(count, listening, secret, notice_seconds=NOTICE_SECONDS)
        numbers_port = stack.enter_context(serve_numbers(metrics, kept.numbers_text))
        url = url_of(listening)
        kept.run(lambda: _say_running(url, numbers_port))


def _listen(stack: ExitStack, host: str, port: int, uds: Path | None) -> socket.socket:
    if uds is not None:
        path = uds.expanduser().absolute()
        listening = bind_unix(path)
        stack.callback(forget, path)
    else:
        listening = bind(host, port)
        if host not in {LOOPBACK, "::1", "localhost"}:
            screen.warn(
                "此地址可被其他机器访问，而本服务不加密。请在前面加 TLS 反向代理。",
                "Other machines can reach this address and the service doesn't encrypt. Put a TLS "
                "proxy in front.",
            )
    stack.callback(listening.close)
    return listening


def _say_running(url: str, numbers_port: int | None) -> None:
    screen.say(
        f"服务已启动：{url}（Ctrl-C 停止）",
        f"The service is running at {url} (Ctrl-C stops it)",
    )
    if numbers_port is not None:
        at = f"http://{LOOPBACK}:{numbers_port}/metrics"
        screen.say(f"运行指标：{at}", f"Metrics are at {at}")
