"""What an operator brings to the keyboard beside the password: a key of their own, or digits.

The key lies in a folder of key files (`crypto.keys`) under a PIN, on a disk or a stick that is the
operator's; the installation holds the public half.
"""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from card_core.errors import InvalidActError
from card_core.kernel.second_factor import SECRET_SIZE_BYTES
from card_core.sign_in import Prover, by_digits, by_key
from card_core.store.operator_factors import Factor, FactorKind
from crypto.keys import KeyFiles
from issuance.cli import screen
from issuance.errors import IssuanceError
from issuance.installation import Installation, random_bytes
from issuance.settings import read_secret

KEY_NAME = "operator"

KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key",
        envvar="SSCARD_OPERATOR_KEY",
        metavar="FOLDER",
        help="本人密钥所在文件夹。\n\nThe folder with the operator's own key.",
    ),
]
PinFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        readable=False,
        help="密钥 PIN 取自文件第一行。\n\nRead the key's PIN from this file's first line.",
    ),
]
DigitsFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        readable=False,
        help="动态口令取自文件第一行。\n\nRead the dynamic password from this file's first line.",
    ),
]


def make_key(folder: Path, pin_file: Path | None) -> bytes:
    """Make a key in a new folder; the public half, 33 bytes. Raises KeyFileError."""
    if pin_file:
        pin = read_secret(pin_file)
    else:
        pin = screen.ask_new_secret(
            "密钥的新 PIN（至少 8 个字节）", "new PIN of the key (8 bytes or more)",
            instead="--pin-file",
        ).encode()  # fmt: skip
    keys = KeyFiles.create(folder, pin)
    keys.create_signer(KEY_NAME)
    return keys.signer(KEY_NAME).public_key.to_bytes(compressed=True)


def read_key(folder: Path, pin_file: Path | None) -> tuple[bytes, Prover]:
    """The public half of the key in this folder, and what proves it. Raises KeyFileError."""
    if pin_file:
        pin = read_secret(pin_file)
    else:
        pin = screen.ask_secret("密钥 PIN", "PIN of the key", instead="--pin-file").encode()
    signer = KeyFiles.open(folder, pin).signer(KEY_NAME)
    return signer.public_key.to_bytes(compressed=True), by_key(signer.sign)


def prover_of(
    site: Installation, key: Path | None, pin_file: Path | None, digits_file: Path | None
) -> Prover:
    """The second factor that was given on the command line, or is asked for.

    Raises IssuanceError, KeyFileError, InvalidActError.
    """
    if key is not None:
        return read_key(key, pin_file)[1]
    if not site.profile.admits_dynamic_passwords:
        raise key_needed()
    if digits_file:
        return by_digits(read_secret(digits_file).decode(errors="replace"))
    return by_digits(screen.ask_secret("动态口令", "Dynamic password", instead="--digits-file"))


def new_dynamic_password(
    name: str, show: Callable[[str], None], digits: Callable[[], str]
) -> tuple[Factor, Prover]:
    """A secret for an authenticator, shown once, and the digits that it then gives."""
    secret = random_bytes(SECRET_SIZE_BYTES)
    text = base64.b32encode(secret).decode()
    show(f"otpauth://totp/sscard:{quote(name, safe='')}?secret={text}&issuer=sscard")
    return Factor(FactorKind.DYNAMIC, secret=secret), by_digits(digits())


def parse_hex(field: str, text: str) -> bytes | None:
    """What an option holds in hexadecimal; None for nothing. Raises InvalidActError."""
    try:
        return bytes.fromhex(text) or None
    except ValueError:
        raise InvalidActError(field, "应为十六进制", "must be hexadecimal") from None


def key_needed() -> IssuanceError:
    return IssuanceError(
        "operator_key_missing",
        "登录需要本人的 SM2 密钥：--key 文件夹，或设置 SSCARD_OPERATOR_KEY。",
        "Signing in needs your own SM2 key: --key FOLDER, or set SSCARD_OPERATOR_KEY.",
    )
