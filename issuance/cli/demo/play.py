"""The demonstration in order, and what stays running when it is done."""

import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from card_core.store import audit
from issuance.cli import screen
from issuance.cli.demo import bureau, counter, desk
from issuance.cli.demo.bureau import DemoHolder
from issuance.cli.demo.folder import DemoFolder, fresh_folder
from issuance.cli.demo.steps import Steps, boxed
from issuance.cli.desk import LOOPBACK
from issuance.cli.desk_app import make_admission, make_console
from issuance.cli.listening import bind
from issuance.cli.publishing import publishing
from issuance.cli.serving import (
    RunningServer,
    make_clock,
    make_key_ring,
    make_registry,
    make_service,
    running,
    serve_until_stopped,
    swept,
)
from issuance.errors import IssuanceError
from issuance.installation import Installation, open_installation
from scan_api.pages.routes import StartHints
from scan_api.terminal import TerminalClient, TerminalKey, create_counter_app

SERVICE_PORT = 8080
COUNTER_PORT = 8081
DESK_PORT = 8090


def play(path: Path, *, once: bool) -> None:
    """Run every step; then stop, or serve until somebody stops it.

    Raises DeviationError for a step that came out wrong, and whatever else stopped it.
    """
    # Until the servers run, SIGTERM ends things the way Ctrl-C does: through every `finally`.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _play(path, once=once)
    finally:
        signal.signal(signal.SIGTERM, before)


def _play(path: Path, *, once: bool) -> None:
    steps = Steps()
    screen.say(
        "sscard 演示：从名册到一次通过的扫码",
        "sscard demonstration: from a roster to an accepted scan",
        style="bold",
    )
    with fresh_folder(path) as folder:
        steps.part("一、发卡机构", "At the bureau")
        people = bureau.make_people(folder)
        passphrase = bureau.set_up(steps, folder, people)
        with open_installation(folder.settings(), passphrase) as site:
            staff = bureau.sign_in(steps, site, people)
            batch_id = bureau.issue_roster(steps, site, staff, folder)
            key, code = bureau.enrol_pharmacy(steps, site, staff, folder, passphrase)
            holder = bureau.hand_out(steps, site, staff, batch_id)
            steps.part("二、持卡人与药店", "The holder and the pharmacy")
            with (
                desk_served(site) as desk_server,
                served(site, key, _hints(holder, folder, desk_server.url)) as at,
            ):
                service, page, terminal = at
                counter.enrol(steps, terminal, code)
                scan(steps, site, holder, folder, at)
                steps.part("三、经办台", "The desk")
                desk.leave_waiting(steps, site, staff)
                desk.sign_in(steps, desk_server.url, people)
                steps.part("四、审计", "The audit")
                verify_audit(steps, site)
                screen.out.print()
                screen.say(
                    f"全部 {steps.count} 步符合预期，共 {steps.seconds:.1f} 秒。",
                    f"All {steps.count} steps came out as they must, in {steps.seconds:.1f} s.",
                    style="bold green",
                )
                if not once:
                    show_what_is_here(folder, holder, service, page, desk_server)
                    serve_until_stopped([service, page, desk_server])
    screen.say("已停止。", "Stopped.")


@contextmanager
def desk_served(site: Installation) -> Iterator[RunningServer]:
    """The operators' pages."""
    clock = make_clock(site)
    admission = make_admission()
    app = make_console(site, clock, admission)
    server = RunningServer(app, bind_near(DESK_PORT), admission)
    with running(server), clock.watched():
        yield server


def _hints(holder: DemoHolder, folder: DemoFolder, desk_url: str) -> StartHints:
    return StartHints(
        holder_number=holder.number,
        holder_password=holder.password,
        desk_url=f"{desk_url}/",
        desk_sign_in=desk.write_command(folder, desk_url),
    )


@contextmanager
def served(
    site: Installation, key: TerminalKey, hints: StartHints
) -> Iterator[tuple[RunningServer, RunningServer, TerminalClient]]:
    """The service, the counter's page, and the pharmacy's terminal that asks for both."""
    key_ring, registry, clock = make_key_ring(site), make_registry(site), make_clock(site)
    app = make_service(site, key_ring, registry, clock, simulates_person_check=True)
    service = RunningServer(app, bind_near(SERVICE_PORT))
    with (
        running(service),
        clock.watched(),
        key_ring.refreshed(),
        registry.refreshed(),
        swept(site.kernel, clock),
        publishing(site, clock),
        TerminalClient(service.url, key) as terminal,
    ):
        listening = bind_near(COUNTER_PORT)
        counter_app = create_counter_app(terminal, port=listening.getsockname()[1])
        page = RunningServer(counter_app, listening)
        app.state.start_hints = replace(hints, counter_url=f"{page.url}/")
        with running(page):
            yield service, page, terminal


def bind_near(port: int) -> socket.socket:
    """Take this port if it is free, any other if not. Raises IssuanceError."""
    try:
        return bind(LOOPBACK, port)
    except IssuanceError:
        return bind(LOOPBACK, 0)


def scan(
    steps: Steps,
    site: Installation,
    holder: DemoHolder,
    folder: DemoFolder,
    at: tuple[RunningServer, RunningServer, TerminalClient],
) -> None:
    """The holder's phone and the pharmacy's terminal against the running service."""
    service, page, terminal = at
    with counter.browser(service.url) as phone, counter.browser(page.url) as clerk:
        counter.check_pages(steps, phone, clerk)
        text = counter.show_code(steps, holder, phone, folder)
        counter.scan_at_counter(steps, site, holder, phone=phone, terminal=terminal, text=text)


def verify_audit(steps: Steps, site: Installation) -> None:
    """What was done stands in the log, and the rows agree with it."""
    with steps.step("校验审计链", "Verifying the audit log") as step:
        with site.store.read() as tx:
            events = sum(audit.verify_chain(tx, chain) for chain in audit.CHAINS)
            rows = audit.verify_rows(tx) + audit.verify_scans(tx)
        step.expect("有审计记录 there are events", events > 0, True)
        step.result = f"{events} 条 events, {rows} 条记录 rows"


def show_what_is_here(
    folder: DemoFolder,
    holder: DemoHolder,
    service: RunningServer,
    page: RunningServer,
    desk_server: RunningServer,
) -> None:
    """Where to look, how to sign in, how to stop."""
    lines = (
        ("起始页 Start here", f"{service.url}/"),
        ("持卡人 Holder", f"{service.url}/holder"),
        ("扫码窗口 Counter", f"{page.url}/"),
        ("经办台 Desk", f"{desk_server.url}/"),
        ("接口说明 API reference", f"{service.url}/docs"),
        ("持卡人号码 Holder's number", f"{holder.number}（{holder.name}，虚构 made up）"),
        ("密码 Password", holder.password),
        ("卡号 Card number", holder.card_number),
        ("二维码 QR picture", str(folder.picture)),
        ("名册结果 Roster report", str(folder.report)),
    )
    width = max(cell_len(name) for name, _ in lines)
    text = Text()
    for name, value in lines:
        text.append(set_cell_size(name, width), style="dim").append(f"  {value}\n")
    text.append("\n按 Ctrl-C 停止。 Ctrl-C stops it.", style="bold")
    screen.out.print()
    screen.out.print(boxed(text, title="正在运行 Running", colour="cyan"), soft_wrap=True)
    screen.say(
        "在另一个终端里取经办台的登录码（每个一分钟内有效），复核用另一个浏览器窗口：",
        "From another terminal, tickets for the desk, each good for a minute; the checker in "
        "another browser:",
    )
    for name in ("maker", "checker"):
        screen.hint(f"{desk.shown(folder.desk_command)} {name}")
    screen.say("在另一个终端里用命令行查看：", "Look around from another terminal:")
    screen.hint(
        f"export SSCARD_HOME={folder.home.path} SSCARD_KEY_PASSPHRASE_FILE={folder.passphrase_file}"
    )
    # `make run` leaves the command in the project's own environment.
    command = "sscard" if shutil.which("sscard") else sys.argv[0]
    screen.hint(f"{command} batch list --operator maker")
