"""`sscard operator`: one's own way in: sign in and out, a key, a second factor, a password."""

from pathlib import Path
from typing import Annotated

import typer

from card_core.errors import SignInRefusedError
from card_core.sign_in import (
    Prover,
    change_password,
    enrol_operator,
    sign_in_operator,
    sign_out,
)
from card_core.store import operators
from card_core.store.operator_factors import Factor, FactorKind
from issuance.cli import screen
from issuance.cli.desk import PasswordFileOption, opened_site
from issuance.cli.second_factor import (
    DigitsFileOption,
    KeyOption,
    PinFileOption,
    make_key,
    new_dynamic_password,
    prover_of,
    read_key,
)
from issuance.errors import IssuanceError
from issuance.settings import read_secret

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="登录名。\n\nThe sign-in name.")]
NewPasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        readable=False,
        help="新密码取自文件第一行。\n\nRead the new password from this file's first line.",
    ),
]


def sign_in(
    name: NameArgument,
    password_file: PasswordFileOption = None,
    key: KeyOption = None,
    pin_file: PinFileOption = None,
    digits_file: DigitsFileOption = None,
) -> None:
    """在本机登录：密码加第二因素；30 分钟不用自动失效。
    Sign in here: password and second factor.
    """
    with opened_site() as site:
        prover = prover_of(site, key, pin_file, digits_file)
        password = ask_password(password_file)
        try:
            signed_in = sign_in_operator(
                site.kernel, name, password, prover, pepper=site.pepper, profile=site.profile
            )
        except SignInRefusedError as error:
            raise _refused(error) from None
        site.home.keep_session(name, signed_in.token)
    screen.say(
        f"{name} 已登录，至 {signed_in.expires_at.astimezone():%H:%M}。",
        f"{name} is signed in until {signed_in.expires_at.astimezone():%H:%M}.",
    )


def sign_out_(name: NameArgument) -> None:
    """在本机退出登录。
    Sign out at this computer.
    """
    with opened_site() as site:
        token = site.home.session(name)
        if token:
            sign_out(site.kernel, token)
        else:
            with site.store.read() as tx:
                if operators.find_by_name(tx, name.strip().lower()) is None:
                    raise IssuanceError(
                        "operator_unknown",
                        f"没有登录名为 {name} 的操作员。",
                        f"There is no operator {name}.",
                    )
        site.home.drop_session(name)
    screen.say(f"{name} 已退出登录。", f"{name} is signed out.")


def new_key(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="新文件夹。\n\nA folder to be made.")
    ],
    pin_file: PinFileOption = None,
) -> None:
    """在新文件夹中生成本人密钥，并显示公钥。
    Make an operator's own key; print its public half.
    """
    print(make_key(folder, pin_file).hex())


def enrol(
    name: NameArgument,
    *,
    password_file: PasswordFileOption = None,
    new_password_file: NewPasswordFileOption = None,
    key: KeyOption = None,
    pin_file: PinFileOption = None,
    dynamic: Annotated[
        bool,
        typer.Option(
            "--dynamic", help="登记动态口令（密评要求下不可用）。\n\nA dynamic password (TOTP)."
        ),
    ] = False,
) -> None:
    """首次登录前：登记第二因素，并改用自己的密码。
    Before the first sign-in: second factor, own password.
    """
    if dynamic is (key is not None):
        raise IssuanceError(
            "factor_unclear",
            "请选择一种第二因素：--key 文件夹，或 --dynamic。",
            "Choose one second factor: --key FOLDER, or --dynamic.",
        )
    with opened_site() as site:
        password = ask_password(password_file)
        new = new_password(name, new_password_file)
        factor, prover = _dynamic(name) if key is None else _by_key(key, pin_file)
        try:
            enrol_operator(
                site.kernel,
                name,
                password,
                new_password=new,
                factor=factor,
                prover=prover,
                pepper=site.pepper,
                profile=site.profile,
            )
        except SignInRefusedError as error:
            raise _refused(error) from None
    screen.say(
        f"{name} 的第二因素已登记，新密码已生效。请登录。",
        f"The second factor of {name} is enrolled and the new password in use. Sign in now.",
    )


def password(
    name: NameArgument,
    *,
    password_file: PasswordFileOption = None,
    new_password_file: NewPasswordFileOption = None,
    key: KeyOption = None,
    pin_file: PinFileOption = None,
    digits_file: DigitsFileOption = None,
) -> None:
    """更改本人密码，并结束本人的所有登录。
    Change one's password; all one's sessions end.
    """
    with opened_site() as site:
        prover = prover_of(site, key, pin_file, digits_file)
        old = ask_password(password_file)
        try:
            change_password(
                site.kernel,
                name,
                old,
                new_password=new_password(name, new_password_file),
                prover=prover,
                pepper=site.pepper,
                profile=site.profile,
            )
        except SignInRefusedError as error:
            raise _refused(error) from None
        site.home.drop_session(name)
    screen.say(
        f"{name} 的密码已更改，请重新登录。", f"The password of {name} is changed; sign in again."
    )


def ask_password(password_file: Path | None) -> str:
    if password_file:
        return read_secret(password_file).decode(errors="replace")
    return screen.ask_secret("密码", "Password", instead="--password-file")


def new_password(name: str, password_file: Path | None) -> str:
    """A password for `name`, from the file or typed twice."""
    if password_file:
        return read_secret(password_file).decode(errors="replace")
    return screen.ask_new_secret(
        f"{name} 的新密码（至少 12 个字符）",
        f"New password for {name} (12 characters or more)",
        instead="--password-file",
    )


def _by_key(folder: Path, pin_file: Path | None) -> tuple[Factor, Prover]:
    public_key, prover = read_key(folder, pin_file)
    return Factor(FactorKind.SM2, public_key), prover


def _dynamic(name: str) -> tuple[Factor, Prover]:
    def show(address: str) -> None:
        screen.say(
            f"请在动态口令器中登记（只显示这一次）：{address}",
            f"Enter this in the authenticator; it is shown this once: {address}",
        )

    def digits() -> str:
        return screen.ask_secret("动态口令", "Dynamic password", instead="--key")

    return new_dynamic_password(name, show, digits)


def _refused(error: SignInRefusedError) -> IssuanceError:
    return IssuanceError(
        error.code,
        "登录名、密码或第二因素不正确。",
        "The name, the password or the second factor is wrong.",
    )
