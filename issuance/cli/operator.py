"""`sscard operator`: sign in and out at this computer; who works at the bureau."""

from pathlib import Path
from typing import Annotated

import typer

from card_core.errors import SignInRefusedError
from card_core.kernel.acts.operators import AddOperator, SuspendOperator
from card_core.sign_in import sign_in_operator, sign_out
from card_core.store import operators
from card_core.store.operators import Role
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, PasswordFileOption, opened_desk, opened_site
from issuance.cli.words import both
from issuance.errors import IssuanceError
from issuance.founding import NewPerson
from issuance.settings import read_secret

app = typer.Typer(
    help="操作员：登录、退出、名单。\nOperators: sign in, sign out, who works here.",
    no_args_is_help=True,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="登录名。\n\nThe sign-in name.")]


@app.command("sign-in")
def sign_in(name: NameArgument, password_file: PasswordFileOption = None) -> None:
    """在本机登录；30 分钟不用自动失效。
    Sign in at this computer; idle sessions end.
    """
    with opened_site() as site:
        password = ask_password(password_file)
        try:
            signed_in = sign_in_operator(site.kernel, name, password, pepper=site.pepper)
        except SignInRefusedError as error:
            raise IssuanceError(
                error.code, "登录名或密码不正确。", "The name or the password is wrong."
            ) from None
        site.home.keep_session(name, signed_in.token)
    screen.say(
        f"{name} 已登录，至 {signed_in.expires_at.astimezone():%H:%M}。",
        f"{name} is signed in until {signed_in.expires_at.astimezone():%H:%M}.",
    )


@app.command("sign-out")
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


@app.command("list")
def list_operators(operator: OperatorOption = None) -> None:
    """列出操作员。
    List the operators.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        rows = [
            (one.name, one.display_name, ", ".join(sorted(one.roles)), both(one.state))
            for one in operators.page(tx)
        ]
    screen.show_table(["登录名 Name", "姓名 Person", "角色 Roles", "状态 State"], rows)


@app.command()
def add(
    name: NameArgument,
    display_name: Annotated[str, typer.Option(help="姓名。\n\nThe person's name.")],
    role: Annotated[
        list[Role],
        typer.Option(
            metavar="ROLE", help=f"角色，可重复。\n\nOne of {', '.join(Role)}; may be repeated."
        ),
    ],
    password_file: PasswordFileOption = None,
    operator: OperatorOption = None,
) -> None:
    """新增操作员（须另一人复核）。
    Add an operator; another person approves.
    """
    with opened_desk(operator) as desk:
        person = NewPerson(name, display_name, frozenset(role), new_password(name, password_file))
        desk.propose(AddOperator(person.hashed(desk.site.pepper)))


@app.command()
def suspend(name: NameArgument, operator: OperatorOption = None) -> None:
    """停用操作员（须另一人复核）。
    Suspend an operator; another person approves.
    """
    with opened_desk(operator) as desk:
        desk.propose(SuspendOperator(name))


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
