"""The counter's side of `sscard terminal`: make the terminal's key, serve the counter's page."""

import secrets
from pathlib import Path

from issuance.cli import screen
from issuance.cli.desk import LOOPBACK
from issuance.cli.serving import (
    RunningServer,
    bind,
    check_self_tests,
    running,
    serve_until_stopped,
)
from issuance.errors import IssuanceError
from issuance.settings import read_secret
from scan_api.terminal import TerminalClient, TerminalKey, TerminalKeyError, create_counter_app
from scan_api.terminal.key import SERIAL_NUMBER_BYTES


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
    screen.say("请把以上两项交给发卡机构登记：", "Hand these two to the bureau, which enrols them:")
    screen.hint(f"sscard terminal enrol {serial} --institution CODE --public-key {point}")


def serve(service: str, port: int, folder: Path, passphrase_file: Path | None) -> None:
    """Serve the counter's page until stopped. Raises IssuanceError, KeyFileError, SelfTestError."""
    check_self_tests()
    try:
        client = TerminalClient(service, open_key(folder.expanduser(), passphrase_file))
    except ValueError:
        raise IssuanceError(
            "service_address",
            "服务地址必须是 https，或本机的 http。",
            "The service's address must be https, or http on this machine.",
        ) from None
    with client:
        listening = bind(LOOPBACK, port)
        app = create_counter_app(client, port=listening.getsockname()[1])
        server = RunningServer(app, listening)
        with running(server):
            screen.say(
                f"扫码页面：{server.url}（Ctrl-C 停止）",
                f"The counter is at {server.url} (Ctrl-C stops it)",
            )
            serve_until_stopped([server])
    screen.say("扫码页面已停止。", "The counter has stopped.")


def open_key(folder: Path, passphrase_file: Path | None) -> TerminalKey:
    """The terminal's key, unlocked. Raises IssuanceError, KeyFileError."""
    if not folder.is_dir():
        raise _no_key(folder)
    if passphrase_file:
        passphrase = read_secret(passphrase_file)
    else:
        passphrase = screen.ask_secret(
            "终端口令", "Terminal passphrase", instead="--passphrase-file"
        ).encode()
    try:
        return TerminalKey.open(folder, passphrase=passphrase)
    except TerminalKeyError:
        raise _no_key(folder) from None


def _no_key(folder: Path) -> IssuanceError:
    return IssuanceError(
        "terminal_key_missing",
        f"{folder} 中没有可用的终端密钥。请先运行 sscard terminal init。",
        f"There is no usable terminal key in {folder}. Run sscard terminal init first.",
    )
