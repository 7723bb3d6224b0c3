"""`sscard application`: applications one by one, at the window, and cards made at once."""

from pathlib import Path
from typing import Annotated

import typer

from card_core.application import ApplicationKind
from card_core.applying import FilingEvidence, MakingMode, RefusalReason
from card_core.identity import mask_name, mask_number
from card_core.kernel.acts.filings import (
    AcceptFiling,
    FileApplication,
    RefuseFiling,
    WithdrawFiling,
    application_of,
)
from card_core.kernel.acts.taking_in import TAKEN_IN_MAX, BatchFilings, IssueAtOnce
from card_core.kernel.applicants import as_known
from card_core.kernel.permissions import Reading
from card_core.states import FilingState
from card_core.store import filings, makings
from issuance.cli import screen
from issuance.cli.card_finding import CardArgument, find_card
from issuance.cli.desk import Desk, OperatorOption, opened_desk
from issuance.cli.personal import read_line
from issuance.cli.roster import RosterArgument, read_roster, show_findings
from issuance.cli.words import both
from issuance.errors import IssuanceError
from issuance.importing import REFUSED_AT_IMPORT
from issuance.installation import utc_now
from issuance.making import at_once

app = typer.Typer(
    help="逐件申领：受理、复核、即时制卡。\nApplications one by one; cards made at once.",
    no_args_is_help=True,
)

FilingArgument = Annotated[
    str, typer.Argument(metavar="ID", help="申领编号。\n\nThe application's id.")
]
EvidenceOption = Annotated[
    FilingEvidence,
    typer.Option(
        metavar="WHAT", help=f"查验的证件。\n\nWhat was shown: {', '.join(FilingEvidence)}."
    ),
]
ReferenceOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        readable=False,
        help="材料编号取自文件第一行（未成年人必填）。\n\n"
        "The document's number, from this file's first line; needed for a child.",
    ),
]
AtOnceOption = Annotated[
    bool, typer.Option("--at-once", help="即时制卡。\n\nMade at the counter, at once.")
]


@app.command("file")
def file_(
    file: RosterArgument,
    *,
    evidence: EvidenceOption,
    reference_file: ReferenceOption = None,
    made_at_once: AtOnceOption = False,
    operator: OperatorOption = None,
) -> None:
    """受理一人的新申领：只有一行的名册文件，检查与名册相同。
    File one new application: a roster of one row.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        desk.check_may(FileApplication)
        found = read_roster(file)
        if len(found.applications) + len(found.refused) != 1:
            raise IssuanceError(
                "one_row_needed",
                "逐件受理的文件只能有一行；多人请用 sscard roster import。",
                "The file must have one row; for many people use sscard roster import.",
            )
        if found.refused:
            show_findings(found)
            raise typer.Exit(1)
        mode = MakingMode.AT_ONCE if made_at_once else MakingMode.BATCH
        reference = None if reference_file is None else read_line(reference_file)
        _file(desk, FileApplication(found.applications[0], mode, evidence, reference))


@app.command("next")
def next_(
    card: CardArgument,
    *,
    kind: Annotated[
        ApplicationKind,
        typer.Option(metavar="KIND", help="补卡或换卡。\n\nreplacement or exchange."),
    ],
    evidence: EvidenceOption,
    reference_file: ReferenceOption = None,
    made_at_once: AtOnceOption = False,
    operator: OperatorOption = None,
) -> None:
    """受理补卡、换卡申领，信息取自持卡人员基础库。
    File for the card that follows this one.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        with desk.site.store.read() as tx:
            application = as_known(tx, find_card(tx, card)[0], kind)
        mode = MakingMode.AT_ONCE if made_at_once else MakingMode.BATCH
        reference = None if reference_file is None else read_line(reference_file)
        _file(desk, FileApplication(application, mode, evidence, reference))


@app.command("list")
def list_(
    state: Annotated[
        FilingState,
        typer.Option(metavar="STATE", help=f"状态。\n\nOne of {', '.join(FilingState)}."),
    ] = FilingState.FILED,
    operator: OperatorOption = None,
) -> None:
    """列出一种状态的申领，最早的在前。
    List applications in a state, the oldest first.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk, desk.site.store.read() as tx:
        found = filings.page(tx, state)
    screen.show_table(
        ["编号 Id", "类型 Kind", "渠道 Channel", "方式 Made", "受理时间 Filed at"],
        [
            (one.id, both(one.kind), both(one.channel), both(one.mode), one.filed_at)
            for one in found
        ],
    )


@app.command()
def show(filing: FilingArgument, operator: OperatorOption = None) -> None:
    """查看一件申领；姓名和号码部分隐藏。
    Show one application, masked.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk, desk.site.store.read() as tx:
        found = filings.get(tx, filing)
        if found is None:
            raise _unknown()
        application = application_of(tx, found.id)
    guardian = application.guardian_number
    screen.show_facts(
        [
            ("状态 State", f"{both(found.state)} {found.state.code or ''}".strip()),
            ("类型 Kind", both(found.kind)),
            ("渠道 Channel", both(found.channel)),
            ("方式 Made", both(found.mode)),
            ("姓名 Name", mask_name(application.name)),
            ("号码 Number", mask_number(application.number.text)),
            ("监护人 Guardian", "-" if guardian is None else mask_number(guardian.text)),
            ("查验 Evidence", "-" if found.evidence is None else found.evidence.value),
            ("银行 Bank", application.bank),
            ("网点 Branch", application.branch),
            ("批次 Batch", found.batch_id or "-"),
            ("不予受理原因 Refused because", found.refusal or "-"),
        ]
    )


@app.command()
def accept(
    filing: FilingArgument,
    evidence: Annotated[
        FilingEvidence | None,
        typer.Option(
            metavar="WHAT",
            help="网上申领须注明查验的证件。\n\nWhat was shown, for one that came online.",
        ),
    ] = None,
    reference_file: ReferenceOption = None,
    operator: OperatorOption = None,
) -> None:
    """复核受理；不得复核自己受理的。
    Accept an application that another person filed.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        reference = None if reference_file is None else read_line(reference_file)
        desk.perform(AcceptFiling(filing, evidence, reference))
    screen.say("已受理。", "The application is accepted.")


@app.command()
def refuse(
    filing: FilingArgument,
    *,
    reason: Annotated[
        RefusalReason,
        typer.Option(metavar="WHY", help=f"原因。\n\nOne of {', '.join(RefusalReason)}."),
    ],
    operator: OperatorOption = None,
) -> None:
    """不予受理。
    Refuse an application.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        desk.perform(RefuseFiling(filing, reason))
    screen.say("不予受理。", "The application is refused.")


@app.command()
def withdraw(filing: FilingArgument, operator: OperatorOption = None) -> None:
    """撤回申领。
    Withdraw an application.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        desk.perform(WithdrawFiling(filing))
    screen.say("已撤回。", "The application is withdrawn.")


@app.command()
def batch(
    name: Annotated[str, typer.Option(help="批次名称。\n\nName of the batch.")],
    count: Annotated[
        int,
        typer.Option(metavar="COUNT", min=1, max=TAKEN_IN_MAX, help="最多几件。\n\nAt most."),
    ] = TAKEN_IN_MAX,
    operator: OperatorOption = None,
) -> None:
    """已受理的申领入批次，提交放行复核。
    Make a batch of accepted applications, and propose its release.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        answer = desk.perform(BatchFilings(name, count))
    for one in answer["refused"]:
        told = REFUSED_AT_IMPORT.get(one["code"], (one["code"],))
        screen.say(f"第 {one['row']} 件不予受理：{told[0]}", f"Number {one['row']}: {one['code']}")
    if answer["batch_id"] is None:
        screen.show_error("没有可入批次的申领。", "No application is left to take in.")
        raise typer.Exit(1)
    screen.say(
        f"已入批次 {answer['batch_id']}：{answer['accepted']} 件，待复核。",
        f"Batch {answer['batch_id']} of {answer['accepted']} applications; it waits for approval.",
    )
    screen.hint(f"sscard batch approve {answer['batch_id']} --operator …")


@app.command()
def issue(filing: FilingArgument, operator: OperatorOption = None) -> None:
    """即时制卡：分配卡号。
    Give an application to be made at once its card number.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        answer = desk.perform(IssueAtOnce(filing))
    number = answer["card_number"]
    screen.say(f"卡号 {number}，待设备制卡。", f"Card {number}; the device makes it next.")
    screen.hint(f"sscard application make {number} --maker … --out … --operator …")


@app.command()
def make(
    card: CardArgument,
    *,
    maker: Annotated[
        str, typer.Option(metavar="CODE", help="网点设备。\n\nThe branch's device, a maker.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="写到此文件。\n\nWrite it here.")
    ],
    operator: OperatorOption = None,
) -> None:
    """即时制卡：占用一张空白卡，生成设备的制卡文件；可重新生成。
    Take a blank card, and write the device's file; again, if it was lost.

    设备回盘用 batch maker-return；失败用 batch rework 后再制。
    The device's answer: batch maker-return; after a failure batch rework, then make again.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        with desk.site.store.read() as tx:
            found, _ = find_card(tx, card)
        order = at_once.write_file(
            desk.site.kernel, found, maker, out, actor=desk.actor, made_at=utc_now()
        )
        with desk.site.store.read() as tx:
            making = makings.get(tx, found.id)
    state = "" if making is None else both(making.state)
    screen.say(f"已写制卡文件 {out}，{state}。", f"The device's file is {out}; order {order.id}.")


def _file(desk: Desk, act: FileApplication) -> None:
    answer = desk.perform(act)
    state = FilingState(answer["state"])
    screen.say(
        f"已登记申领 {answer['filing_id']}：{both(state)}",
        f"Application {answer['filing_id']} is {state.value}",
    )
    if state is FilingState.FILED:
        screen.hint(f"sscard application accept {answer['filing_id']} --operator …")


def _unknown() -> IssuanceError:
    return IssuanceError(
        "application_unknown",
        "没有这件申领。请核对申领编号，见 sscard application list。",
        "There is no such application. Check its id; see sscard application list.",
    )
