"""`sscard institution`: designated hospitals and pharmacies."""

import re
from collections.abc import Iterator
from typing import Annotated

import typer

from card_core.kernel.acts.institutions import (
    ChangeBusinessTypes,
    DesignateInstitution,
    ReinstateInstitution,
    SuspendInstitution,
)
from card_core.store import Reader, institutions
from card_core.store.institutions import Institution
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, opened_desk

app = typer.Typer(
    help="定点医药机构：登记、停用、名单。\nDesignated institutions.", no_args_is_help=True
)

# The national coding of designated institutions: a letter, the region's six digits, five more.
_NATIONAL_CODE = re.compile(r"([HP])([0-9]{6})[0-9]{5}")
_KINDS = {"H": "hospital", "P": "pharmacy"}

CodeArgument = Annotated[
    str,
    typer.Argument(metavar="CODE", help="机构编码，如 P44060400001。\n\nThe institution's code."),
]

BusinessTypesOption = Annotated[
    str,
    typer.Option(
        metavar="CODES",
        help="可用的业务类型，如 02121,02122；默认全部。\n\nAll of its kind by default.",
    ),
]


@app.command()
def designate(
    code: CodeArgument,
    *,
    name: Annotated[str, typer.Option(help="机构名称。\n\nIts name.")],
    kind: Annotated[
        str, typer.Option(help="类别；H、P 开头的编码可省略。\n\nKind; H and P codes tell it.")
    ] = "",
    region: Annotated[
        str, typer.Option(help="6 位行政区划；同上可省略。\n\nRegion, six digits; as above.")
    ] = "",
    business_types: BusinessTypesOption = "",
    operator: OperatorOption = None,
) -> None:
    """登记定点医药机构（须另一人复核）。
    Designate an institution; another person approves.
    """
    told = _NATIONAL_CODE.fullmatch(code)
    act = DesignateInstitution(
        code=code,
        name=name,
        kind=kind or (_KINDS[told[1]] if told else ""),
        region=region or (told[2] if told else ""),
        business_types=to_business_types(business_types),
    )
    with opened_desk(operator) as desk:
        desk.propose(act)


@app.command("business-types")
def change_business_types(
    code: CodeArgument,
    business_types: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="CODES",
            help="逗号分隔，如 02121,02122；all 为该类机构的全部。\n\nOr all.",
        ),
    ],
    operator: OperatorOption = None,
) -> None:
    """更改可用的用码业务类型（须另一人复核）。
    Change what it may scan for; another person approves.
    """
    with opened_desk(operator) as desk:
        desk.propose(ChangeBusinessTypes(code, to_business_types(business_types)))


@app.command()
def suspend(code: CodeArgument, operator: OperatorOption = None) -> None:
    """停用，立即生效。
    Suspend; in effect at once.
    """
    with opened_desk(operator) as desk:
        desk.perform(SuspendInstitution(code))
    screen.say("已停用，其终端不能再核验。", "Suspended; none of its terminals can scan.")


@app.command()
def reinstate(code: CodeArgument, operator: OperatorOption = None) -> None:
    """恢复（须另一人复核）。
    Reinstate; another person approves.
    """
    with opened_desk(operator) as desk:
        desk.propose(ReinstateInstitution(code))


@app.command("list")
def list_institutions(operator: OperatorOption = None) -> None:
    """列出定点医药机构。
    List the designated institutions.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        rows = [
            (one.code, one.name, one.kind, one.region, one.state.value, _listed(one))
            for one in all_institutions(tx)
        ]
    columns = ["编码 Code", "名称 Name", "类别 Kind", "区划 Region", "状态 State", "业务 Business"]
    screen.show_table(columns, rows)


def to_business_types(text: str) -> frozenset[str] | None:
    """Codes with commas between them; nothing and `all` stand for all of the kind."""
    if text in {"", "all"}:
        return None
    return frozenset(one.strip() for one in text.split(","))


def _listed(institution: Institution) -> str:
    codes = institution.business_types
    return "全部 all" if codes is None else ",".join(sorted(codes))


def all_institutions(tx: Reader) -> Iterator[Institution]:
    after = ""
    while page := institutions.page(tx, after=after):
        yield from page
        after = page[-1].id
