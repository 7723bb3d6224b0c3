"""`sscard channel`: on the machine of a service channel, serve its page."""

import typer

from issuance.cli.second_factor import KeyOption, PinFileOption, read_key
from issuance.cli.terminal import (
    DEFAULT_FOLDER,
    DEFAULT_SERVICE,
    FolderOption,
    PassphraseFileOption,
    PortOption,
    ServiceOption,
)

app = typer.Typer(
    help="服务渠道：在自助终端、银行网点柜台、上门平板上打开办事页面。\n"
    "Service channels: the page of a kiosk, a bank's counter, a tablet for visits.",
    no_args_is_help=True,
)


@app.callback()
def _group() -> None:
    """Keep `serve` a command of its own while there is no other."""


@app.command()
def serve(
    *,
    service: ServiceOption = DEFAULT_SERVICE,
    port: PortOption = 8082,
    folder: FolderOption = DEFAULT_FOLDER,
    passphrase_file: PassphraseFileOption = None,
    key: KeyOption = None,
    pin_file: PinFileOption = None,
) -> None:
    """（在渠道的机器上）打开办事页面，Ctrl-C 停止。密钥用 sscard terminal init、enrol 生成和登记。
    At the channel: serve its page. The key is made and enrolled as a terminal's.

    渠道经办以本人密钥登录的，用 --key 指定；密钥不离开本机。
    A clerk whose second factor is a key gives it by --key; it stays on this machine.
    """
    from issuance.cli import counter  # noqa: PLC0415 - other commands needn't wait for FastAPI

    prover = None if key is None else read_key(key, pin_file)[1]
    counter.serve_channel(service, port, folder, passphrase_file, prover)
