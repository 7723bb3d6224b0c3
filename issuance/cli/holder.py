"""`sscard holder`: the holder base. See a person, find duplicates, merge, correct."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from card_core.errors import NotFoundError
from card_core.identity import Likeness, mask_name, mask_number, mask_phone
from card_core.kernel.acts.holder_base import (
    CorrectHolder,
    HolderEvidence,
    MergeHolders,
    seen_digest,
)
from card_core.kernel.permissions import Reading
from card_core.store import Reader, approvals, holder_changes, holders
from card_core.store.holder_base import KeyData
from card_core.store.holder_trace import HolderTrace, trace_of
from card_core.store.holders import Holder
from issuance.cli import screen
from issuance.cli.approval import ApprovalArgument, find_pending, show_approval
from issuance.cli.desk import OperatorOption, SecondOption, YesOption, opened_desk
from issuance.cli.failures import UNUSABLE_FILE
from issuance.cli.holder_erasure import erase
from issuance.cli.holder_export import export
from issuance.cli.holder_scan_reports import list_scan_reports
from issuance.cli.personal import (
    HolderArgument,
    NameFileOption,
    NumberFileOption,
    find_record,
    read_name,
    read_number,
)
from issuance.cli.row_findings import check_report_place
from issuance.cli.words import both
from issuance.errors import IssuanceError
from issuance.holder_base import Kind, find_duplicates
from issuance.holder_base import compare as compare_file
from issuance.roster import RosterFileError

app = typer.Typer(
    help="持卡人员基础库：查询、查重、合并、更正。\n"
    "The holder base: look up, find duplicates, merge, correct.",
    no_args_is_help=True,
)

app.command()(export)
app.command()(erase)
app.command("scan-reports")(list_scan_reports)

LIKENESS = {
    Likeness.SAME_NUMBER: "号码相同（15 位与 18 位） Same number in 15 and 18 digits",
    Likeness.SAME_PERSON: "姓名、出生日期、手机号码相同 Same name, birth date and phone",
    Likeness.ONE_DIGIT: "同名，号码差一位 Same name, one digit of the number differs",
}
KINDS = {
    Kind.ONLY_HERE: "仅本库有 Only here",
    Kind.ONLY_THERE: "仅对方有 Only there",
    Kind.NAME: "姓名不同 Name differs",
    Kind.PHONE: "手机号码不同 Phone differs",
    Kind.STATE: "卡状态不同 Card state differs",
    Kind.MERGED_HERE: "本库已合并到其他号码 Merged here, has another number",
    Kind.TWICE_THERE: "对方文件中重复 Twice in the file",
    Kind.NUMBER_UNUSABLE: "号码不合规 Number can't be used",
}
EvidenceOption = Annotated[
    HolderEvidence,
    typer.Option(
        metavar="WHAT", help=f"核验的证件。\n\nWhat was shown: {', '.join(HolderEvidence)}."
    ),
]


@app.command()
def show(holder: HolderArgument, operator: OperatorOption = None) -> None:
    """查看一个持卡人及其名下全部记录；姓名和号码部分隐藏。
    Show a holder and all that is theirs, masked.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk, desk.site.store.read() as tx:
        asked = find_record(tx, holder)
        record_id = holder_changes.record_that_stays(tx, asked)
        if record_id != asked:
            screen.say(
                f"记录 {asked} 已合并，现用记录如下。",
                f"Record {asked} was merged; this is the one that stays.",
            )
        _show_trace(_holder(tx, record_id), trace_of(tx, record_id))


@app.command()
def duplicates(operator: OperatorOption = None) -> None:
    """查找疑似重复的持卡人记录，只列出，不更改。
    Find records that are likely one person's.
    """
    with (
        opened_desk(operator, Reading.HOLDERS) as desk,
        screen.progress("查重", "Looking for duplicates") as shown,
    ):
        found = find_duplicates(desk.site.store, progress=shown)
    screen.show_table(
        ["记录 Record", "姓名 Name", "号码 Number", "手机 Phone", "疑似 Likely with", "理由 Why"],
        [(*_masked(one.one), one.other.id, LIKENESS[one.likeness]) for one in found],
    )
    screen.say(f"疑似重复 {len(found)} 对。", f"{len(found)} likely pairs.")


@app.command()
def compare(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            readable=False,
            help="其他部门的人员文件 .csv / .xlsx。\n\nAnother department's file.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            metavar="OUT.csv",
            readable=False,
            help="差异写入此文件（含个人信息，仅本人可读）。\n\n"
            "Where the differences go; personal data, for your eyes only.",
        ),
    ],
    operator: OperatorOption = None,
) -> None:
    """与其他部门的文件比对，只写出差异，不更改。
    Compare with another department's file.

    退出码：0 无差异，1 有差异，2 文件不能用。
    Exit code: 0 no difference, 1 differences, 2 the file can't be used.
    """
    check_report_place(file, output)
    with opened_desk(operator, Reading.HOLDERS) as desk:
        try:
            with screen.progress("比对", "Comparing") as shown:
                found = compare_file(desk.site.store, file, output, progress=shown)
        except RosterFileError as error:
            screen.show_error(error.message_zh, error.message_en)
            raise typer.Exit(UNUSABLE_FILE) from None
    screen.show_table(
        ["差异 Difference", "人数 People"], [(KINDS[kind], found[kind]) for kind in KINDS]
    )
    screen.say(f"差异已写入 {output}", f"The differences are in {output}")
    raise typer.Exit(1 if found else 0)


@app.command()
def merge(
    goes: HolderArgument,
    *,
    into: Annotated[
        str,
        typer.Option(
            "--into",
            metavar="HOLDER",
            help="保留的记录，写法相同。\n\nThe record that stays, named in the same way.",
        ),
    ],
    evidence: EvidenceOption = HolderEvidence.IDENTITY_DOCUMENT,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """合并两条记录（须另一人复核）。
    Merge a record into another; a second person approves.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        with desk.site.store.read() as tx:
            stays, gone = (_holder(tx, find_record(tx, one)) for one in (into, goes))
            act = MergeHolders(stays.id, gone.id, evidence, seen_digest(tx, stays, gone))
        done = desk.decide(act, second, yes=yes)
    if done:
        screen.say("已合并。", "Merged.")


@app.command()
def correct(
    holder: HolderArgument,
    *,
    name_file: NameFileOption = None,
    number_file: NumberFileOption = None,
    evidence: EvidenceOption = HolderEvidence.IDENTITY_DOCUMENT,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """更正姓名或社会保障号码（须另一人复核）。
    Correct name or number; a second person approves.
    """
    name = read_name(name_file) if name_file else None
    number = read_number(number_file) if number_file else None
    with opened_desk(operator, Reading.HOLDERS) as desk:
        with desk.site.store.read() as tx:
            found = _holder(tx, find_record(tx, holder))
            act = CorrectHolder(found.id, name, number, evidence, seen_digest(tx, found))
        done = desk.decide(act, second, yes=yes)
    if done:
        screen.say("已更正。", "Corrected.")


@app.command()
def review(
    approval: ApprovalArgument,
    name_file: NameFileOption = None,
    number_file: NumberFileOption = None,
    operator: OperatorOption = None,
) -> None:
    """复核前核对一项更正：把证件上的内容另行录入，看是否一致。
    Check a correction before approving it.

    所录内容与提交内容逐项比较，屏幕上不显示全文。
    What you enter from the document is compared with what was proposed; nothing is shown in full.
    """
    entered = {
        "name": read_name(name_file) if name_file else None,
        "number": read_number(number_file).text if number_file else None,
    }
    with opened_desk(operator, Reading.HOLDERS) as desk, desk.site.store.read() as tx:
        pending = find_pending(tx, approval)
        if pending.act != CorrectHolder.act:
            raise IssuanceError(
                "not_a_correction", "该复核事项不是更正。", "This approval is no correction."
            )
        content = approvals.content_of(tx, pending.id)
        show_approval(tx, pending)
        before = _holder(tx, content["holder_id"])
    number = None if content["number"] is None else content["number"]["text"]
    proposed = {"name": content["name"], "number": number}
    screen.show_table(
        ["项目 Field", "现有 Now", "更正为 Proposed", "与所录 As entered"],
        [
            ("姓名 name", mask_name(before.name), _shown(proposed["name"], mask_name),
             _agreement(proposed["name"], entered["name"])),
            ("号码 number", mask_number(before.social_security_number),
             _shown(number, mask_number), _agreement(number, entered["number"])),
        ],
    )  # fmt: skip
    if any(entered[key] not in {None, proposed[key]} for key in entered):
        raise IssuanceError(
            "entered_differs",
            "所录内容与提交内容不一致，请勿同意；可驳回（sscard approval reject）。",
            "What was entered differs from what was proposed; don't approve it (sscard approval "
            "reject).",
        )


def _holder(tx: Reader, record_id: str) -> Holder:
    holder = holders.get(tx, record_id)
    if holder is None:
        raise NotFoundError("holder")
    return holder


def _masked(one: KeyData) -> tuple[str, str, str, str]:
    return (
        one.id,
        mask_name(one.name),
        mask_number(one.social_security_number),
        mask_phone(one.phone),
    )


def _shown(value: str | None, mask: Callable[[str], str]) -> str | None:
    return None if value is None else mask(value)


def _agreement(proposed: str | None, entered: str | None) -> str | None:
    if entered is None:
        return None
    return "一致 agrees" if entered == proposed else "不一致 differs"


def _show_trace(holder: Holder, trace: HolderTrace) -> None:
    screen.show_facts(
        [
            ("记录 Record", holder.id),
            ("姓名 Name", mask_name(holder.name)),
            ("社会保障号码 Number", mask_number(holder.social_security_number)),
            ("手机号码 Phone", mask_phone(holder.phone)),
            ("已并入的记录 Merged into it", ", ".join(trace.record_ids[1:])),
            ("手机 Phones", len(trace.phones)),
            ("申领 Applications", ", ".join(both(one.state) for one in trace.applications)),
            ("最近核验 Latest scans", len(trace.scans)),
        ]
    )
    screen.show_table(
        ["卡号 Card", "状态 State", "发卡 Issued on", "记录 Record"],
        [(card.card_number, both(card.state), card.issued_on, card.holder_id)
         for card in trace.cards],
    )  # fmt: skip
    if trace.changes:
        screen.show_table(
            ["变更 Change", "时间 Time", "依据 Evidence", "对方记录 Record that went"],
            [(both(one.kind), f"{one.changed_at.astimezone():%Y-%m-%d %H:%M}", one.evidence,
              one.merged_id) for one in trace.changes],
        )  # fmt: skip
