"""`sscard operator`: sign in and out at this computer; who works at the bureau."""

from typing import Annotated

import typer

from card_core.kernel.acts.operators import (
    AddOperator,
    ChangeRoles,
    ResetOperator,
    SuspendOperator,
)
from card_core.sign_in import check_new_operator_password, hash_password
from card_core.store import Reader, operator_factors, operators
from card_core.store.operators import Operator, Role
from issuance.cli import desk_ticket, operator_access, screen
from issuance.cli.desk import OperatorOption, PasswordFileOption, opened_desk
from issuance.cli.operator_access import NameArgument, new_password
from issuance.cli.second_factor import parse_hex
from issuance.cli.words import both
from issuance.founding import NewPerson
from issuance.installation import random_bytes

app = typer.Typer(
    help="操作员：登录、退出、名单。\nOperators: sign in, sign out, who works here.",
    no_args_is_help=True,
)
RoleOption = Annotated[
    list[Role],
    typer.Option(
        metavar="ROLE", help=f"角色，可重复。\n\nOne of {', '.join(Role)}; may be repeated."
    ),
]

app.command("sign-in")(operator_access.sign_in)
app.command("sign-out")(operator_access.sign_out_)
app.command("desk")(desk_ticket.desk)
app.command("new-key")(operator_access.new_key)
app.command("enrol")(operator_access.enrol)
app.command("password")(operator_access.password)


@app.command("list")
def list_operators(operator: OperatorOption = None) -> None:
    """列出操作员。
    List the operators.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        rows = [_row(tx, one) for one in operators.page(tx)]
    screen.show_table(
        ["登录名 Name", "姓名 Person", "角色 Roles", "第二因素 Factor", "状态 State"], rows
    )


def _row(tx: Reader, one: Operator) -> tuple[str, ...]:
    factor = operator_factors.get(tx, one.id)
    kind = "无 none" if factor is None else factor.kind.value
    return one.name, one.display_name, ", ".join(sorted(one.roles)), kind, both(one.state)


@app.command()
def add(
    name: NameArgument,
    *,
    display_name: Annotated[str, typer.Option(help="姓名。\n\nThe person's name.")],
    role: RoleOption,
    public_key: Annotated[
        str,
        typer.Option(
            metavar="HEX",
            help="本人密钥的公钥；不给则首次登录前登记。\n\nOf the person's own key.",
        ),
    ] = "",
    password_file: PasswordFileOption = None,
    operator: OperatorOption = None,
) -> None:
    """新增操作员（须安全管理员复核）。
    Add an operator; security approves.
    """
    with opened_desk(operator) as desk:
        words = new_password(name, password_file)
        person = NewPerson(
            name, display_name, frozenset(role), words, parse_hex("public_key", public_key)
        )
        desk.propose(AddOperator(person.hashed(desk.site.pepper, desk.site.profile)))


@app.command()
def roles(name: NameArgument, role: RoleOption, operator: OperatorOption = None) -> None:
    """更改操作员的角色（须安全管理员复核）。
    Change an operator's roles; security approves.
    """
    with opened_desk(operator) as desk:
        desk.propose(ChangeRoles(name, frozenset(role)))


@app.command()
def reset(
    name: NameArgument, password_file: PasswordFileOption = None, operator: OperatorOption = None
) -> None:
    """密钥或密码遗失：重新开始（须安全管理员复核）。
    Key or password lost: begin anew; security approves.
    """
    with opened_desk(operator) as desk:
        words = new_password(name, password_file)
        check_new_operator_password(words, name)
        site = desk.site
        hashed = hash_password(
            words, pepper=site.pepper, random_bytes=random_bytes, profile=site.profile
        )
        desk.propose(ResetOperator(name, hashed))


@app.command()
def suspend(name: NameArgument, operator: OperatorOption = None) -> None:
    """停用操作员（须安全管理员复核）。
    Suspend an operator; security approves.
    """
    with opened_desk(operator) as desk:
        desk.propose(SuspendOperator(name))
