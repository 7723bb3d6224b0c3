"""The counter's side of `sscard terminal`: make, enrol and change the key, serve the page."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from starlette.types import ASGIApp

from card_core.kernel import enrolment_codes
from card_core.sign_in import Prover
from card_core.store.terminal_journal import SECRET_SIZE, KeptTime
from crypto import sm2
from issuance.cli import screen
from issuance.cli.desk import LOOPBACK
from issuance.cli.listening import bind
from issuance.cli.serving import (
    RunningServer,
    check_self_tests,
    running,
    serve_until_stopped,
)
from issuance.errors import IssuanceError
from issuance.settings import read_secret
from scan_api.kiosk import ChannelClient, create_kiosk_app
from scan_api.terminal import (
    Carried,
    FailingOver,
    Journal,
    NotPinnedError,
    OfflineDesk,
    Rounds,
    ServiceClock,
    TerminalClient,
    TerminalError,
    TerminalKey,
    TerminalKeyError,
    create_counter_app,
    pin_status_key,
    rounds,
)
from scan_api.terminal.key import SERIAL_NUMBER_BYTES

OFFLINE = "offline"

_Client = TypeVar("_Client", bound=TerminalClient)


def make_key(folder: Path, serial_number: bytes | None, passphrase_file: Path | None) -> None:
    """Make a key in `folder` and show what the bureau has to enrol.

    serial_number: 8 bytes, random if None. Raises IssuanceError, KeyFileError.
    """
    chosen = serial_number or secrets.token_bytes(SERIAL_NUMBER_BYTES)
    if passphrase_file:
        passphrase = read_secret(passphrase_file)
    else:
        passphrase = screen.ask_new_secret(
            "终端口令", "Terminal passphrase", instead="--passphrase-file"
        ).encode()
    try:
        key = TerminalKey.create(folder.expanduser(), serial_number=chosen, passphrase=passphrase)
    except TerminalKeyError as error:
        raise IssuanceError(error.code, error.message_zh, error.message_en) from None
    serial, point = key.serial_number.hex(), key.public_key.to_bytes(compressed=True).hex()
    screen.show_facts([("序列号 Serial number", serial), ("公钥 Public key", point)])
    screen.say(
        "请把序列号告诉发卡机构，凭其发出的登记码登记：",
        "Tell the bureau the serial number; with the enrolment code that it gives:",
    )
    screen.hint("sscard terminal enrol --service URL --code CODE")


def enrol(service: str, code: str, folder: Path, passphrase_file: Path | None) -> None:
    """Bring the key to the service with an enrolment code.

    Raises IssuanceError, InvalidActError, KeyFileError, SelfTestError.
    """
    check_self_tests()
    parsed = enrolment_codes.parse(code)
    with client_of(service, open_key(folder.expanduser(), passphrase_file)) as client:
        answer = _asked(lambda: client.enrol(parsed))
    screen.show_facts(
        [
            ("序列号 Serial number", answer["serial_number"]),
            ("密钥名 Key name", answer["key_name"]),
            ("令牌受众 Token audience", answer["token_audience"]),
        ]
    )
    screen.say("已登记。", "Enrolled.")


def rotate_key(service: str, folder: Path, passphrase_file: Path | None) -> None:
    """Make the next key, bring it to the service, and use it from now on.

    Interrupted, it is finished by running it again: the same key is brought again.
    Raises IssuanceError, KeyFileError, SelfTestError.
    """
    check_self_tests()
    directory = folder.expanduser()
    passphrase = _passphrase(directory, passphrase_file)
    key = _opened(directory, passphrase)
    following = key.next_key(directory, passphrase=passphrase)
    with client_of(service, key) as client:
        answer = _asked(lambda: client.bring_next_key(following))
    following.put_into_use(directory)
    screen.show_facts(
        [
            ("新密钥名 New key name", answer["key_name"]),
            ("旧密钥失效 Old key ends at", answer["previous_key_ends_at"]),
        ]
    )
    screen.say(
        "已更换。请在旧密钥失效前重新启动扫码页面。",
        "Changed. Start the counter's page anew before the old key ends.",
    )


def trust(text: str, folder: Path) -> None:
    """Pin the bureau's status key, under which offline data is believed. Raises IssuanceError."""
    directory = folder.expanduser()
    if not directory.is_dir():
        raise _no_key(directory)
    try:
        pin_status_key(directory / OFFLINE, text)
    except (ValueError, sm2.InvalidKeyError):
        raise IssuanceError(
            "status_key",
            "状态密钥应形如 status.1.1:02…，由发卡机构提供。",
            "A status key looks like status.1.1:02..., as the bureau gives it.",
        ) from None
    screen.say(
        "已信任该状态密钥。请重新打开扫码页面，联网后即可离线核验。",
        "Trusted. Serve the page anew; once it was online, it works with no network, too.",
    )


def serve(
    service: str,
    port: int,
    folder: Path,
    passphrase_file: Path | None,
    refresh_seconds: float = rounds.EVERY_SECONDS,
) -> None:
    """Serve the counter's page until stopped; with a pinned status key, offline as well.

    Raises IssuanceError, KeyFileError, SelfTestError.
    """
    check_self_tests()
    directory = folder.expanduser()
    passphrase = _passphrase(directory, passphrase_file)
    key = _opened(directory, passphrase)
    with _asked_by_page(service, directory, key, passphrase, refresh_seconds) as asked:
        _serve_page(partial(create_counter_app, asked), port, "扫码页面", "The counter")


def serve_channel(
    service: str, port: int, folder: Path, passphrase_file: Path | None, prover: Prover | None
) -> None:
    """Serve the page of a service channel until stopped. prover: of the clerk whose machine it is.

    Raises IssuanceError, KeyFileError, SelfTestError.
    """
    check_self_tests()
    key = open_key(folder.expanduser(), passphrase_file)
    clock = ServiceClock(KeptTime(), wall=time.time, monotonic=_counting_on)
    by_it = {"clock": clock.timestamp, "learn": clock.learn}
    with _connected(ChannelClient, service, key, **by_it) as client:
        page = partial(create_kiosk_app, client, prover=prover)
        _serve_page(page, port, "服务渠道页面", "The channel's page")


class _Page(Protocol):
    """Makes a page's application; `port`: the one that it is served on."""

    def __call__(self, *, port: int) -> ASGIApp: ...


def _serve_page(page: _Page, port: int, name_zh: str, name_en: str) -> None:
    """On this machine alone, until stopped. Raises IssuanceError."""
    listening = bind(LOOPBACK, port)
    server = RunningServer(page(port=listening.getsockname()[1]), listening)
    with running(server):
        screen.say(
            f"{name_zh}：{server.url}（Ctrl-C 停止）",
            f"{name_en} is at {server.url} (Ctrl-C stops it)",
        )
        serve_until_stopped([server])
    screen.say(f"{name_zh}已停止。", f"{name_en} has stopped.")


@contextmanager
def _asked_by_page(
    service: str, directory: Path, key: TerminalKey, passphrase: bytes, refresh_seconds: float
) -> Iterator[TerminalClient | FailingOver]:
    """What the page asks, with what runs in the background of it."""
    try:
        carried = Carried(directory / OFFLINE)
    except NotPinnedError:
        clock = ServiceClock(KeptTime(), wall=time.time, monotonic=_counting_on)
        with client_of(service, key, clock=clock.timestamp, learn=clock.learn) as client:
            yield client
        return
    secret = TerminalKey.journal_secret(directory, passphrase=passphrase, size_bytes=SECRET_SIZE)
    with closing(Journal(directory / OFFLINE / "journal.db", secret, key.sign)) as journal:
        clock = ServiceClock(journal.kept_time(), wall=time.time, monotonic=_counting_on)
        desk = OfflineDesk(key.serial_number, carried, journal, clock)
        by_it = {"clock": clock.timestamp, "learn": clock.learn}
        with client_of(service, key, **by_it, attempts_max=1) as client:
            failing_over = FailingOver(client, desk, monotonic=time.monotonic)
            with Rounds(client, desk, failing_over).running(refresh_seconds):
                yield failing_over


def _counting_on() -> float:
    """Seconds that count on while the machine is suspended, where the system has such a clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def client_of(service: str, key: TerminalKey, **more: Any) -> TerminalClient:
    """more: as `TerminalClient`. Raises IssuanceError for an address that is not to be used."""
    return _connected(TerminalClient, service, key, **more)


def _connected(kind: type[_Client], service: str, key: TerminalKey, **more: Any) -> _Client:
    try:
        return kind(service, key, **more)
    except ValueError:
        raise IssuanceError(
            "service_address",
            "服务地址必须是 https，或本机的 http。",
            "The service's address must be https, or http on this machine.",
        ) from None


def open_key(folder: Path, passphrase_file: Path | None) -> TerminalKey:
    """The terminal's key, unlocked. Raises IssuanceError, KeyFileError."""
    return _opened(folder, _passphrase(folder, passphrase_file))


def _passphrase(folder: Path, passphrase_file: Path | None) -> bytes:
    if not folder.is_dir():
        raise _no_key(folder)
    if passphrase_file:
        return read_secret(passphrase_file)
    typed = screen.ask_secret("终端口令", "Terminal passphrase", instead="--passphrase-file")
    return typed.encode()


def _opened(folder: Path, passphrase: bytes) -> TerminalKey:
    try:
        return TerminalKey.open(folder, passphrase=passphrase)
    except TerminalKeyError:
        raise _no_key(folder) from None


def _asked(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return ask()
    except TerminalError as error:
        raise IssuanceError(error.code, error.message_zh, error.message_en) from None


def _no_key(folder: Path) -> IssuanceError:
    return IssuanceError(
        "terminal_key_missing",
        f"{folder} 中没有可用的终端密钥。请先运行 sscard terminal init。",
        f"There is no usable terminal key in {folder}. Run sscard terminal init first.",
    )
