"""`sscard keys`: what protects the key files."""

from pathlib import Path
from typing import Annotated

import typer

from crypto.keys import KeyFiles
from issuance.cli import screen
from issuance.cli.desk import passphrase, settings
from issuance.settings import read_secret

app = typer.Typer(help="密钥文件的口令。\nThe passphrase of the key files.", no_args_is_help=True)


@app.command("passphrase")
def change_passphrase(
    new_passphrase_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            readable=False,
            help="新口令取自文件第一行。\n\nRead the new passphrase from this file's first line.",
        ),
    ] = None,
) -> None:
    """更换密钥口令；密钥本身不变。
    Change the key passphrase; the keys stay as they are.

    备份中的旧密钥文件仍由旧口令打开。 Old backups still open with the old passphrase.
    """
    chosen = settings()
    chosen.home.facts()
    old = passphrase(chosen)
    if new_passphrase_file:
        new = read_secret(new_passphrase_file)
    else:
        new = screen.ask_new_secret(
            "新的密钥口令", "New key passphrase", instead="--new-passphrase-file"
        ).encode()
    with screen.working("正在更换口令", "Changing the passphrase"):
        KeyFiles.open(chosen.home.keys, old).change_passphrase(new)
    screen.say(
        "口令已更换。请更新 SSCARD_KEY_PASSPHRASE_FILE 所指的文件。",
        "The passphrase is changed. Update the file that SSCARD_KEY_PASSPHRASE_FILE names.",
    )
