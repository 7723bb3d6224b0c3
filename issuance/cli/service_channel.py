"""`sscard channel`: on the machine of a service channel, serve its page."""

import typer

from issuance.cli.terminal import (
    DEFAULT_FOLDER,
    DEFAULT_SERVICE,
    FolderOption,
    PassphraseFileOption,
    PortOption,
    ServiceOption,
)

app = typer.Typer(
    help="服务渠道：在自助终端上打开办事页面。\nService channels: the page of a kiosk.",
    no_args_is_help=True,
)


@app.callback()
def _group() -> None:
    """Keep `serve` a command of its own while there is no other."""


@app.command()
def serve(
    service: ServiceOption = DEFAULT_SERVICE,
    port: PortOption = 8082,
    folder: FolderOption = DEFAULT_FOLDER,
    passphrase_file: PassphraseFileOption = None,
) -> None:
    """（在自助终端上）打开办事页面，Ctrl-C 停止。密钥用 sscard terminal init、enrol 生成和登记。
    At the kiosk: serve its page. The key is made and enrolled as a terminal's.
    """
    from issuance.cli import counter  # noqa: PLC0415 - other commands needn't wait for FastAPI

    counter.serve_channel(service, port, folder, passphrase_file)
