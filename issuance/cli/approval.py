"""`sscard approval`: what waits for a second person, and their decision."""

from typing import Annotated

import typer

from card_core.store import Reader, approvals, operators
from card_core.store.approvals import Approval
from issuance.batches import ID_BEGINNING_MIN, begins, new_request_id
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, YesOption, make_sure, opened_desk
from issuance.errors import IssuanceError

app = typer.Typer(
    help="复核：查看、同意、驳回。\nApprovals: see, approve, reject.", no_args_is_help=True
)

ApprovalArgument = Annotated[
    str,
    typer.Argument(metavar="APPROVAL", help="复核编号或其开头。\n\nApproval id or its beginning."),
]


@app.command("list")
def list_pending(operator: OperatorOption = None) -> None:
    """列出待复核的事项。
    List what waits for approval.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        rows = [(one.id, one.summary, _name(tx, one.maker_id)) for one in approvals.pending(tx)]
    screen.show_table(["编号 Id", "内容 What", "提交人 Maker"], rows)


@app.command()
def show(approval: ApprovalArgument, operator: OperatorOption = None) -> None:
    """查看一项待复核的内容。
    Show what would be approved.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        show_approval(tx, find_pending(tx, approval))


@app.command()
def approve(
    approval: ApprovalArgument, yes: YesOption = False, operator: OperatorOption = None
) -> None:
    """同意，立即生效；不得复核自己提交的事项。
    Approve; it takes effect at once.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            found = find_pending(tx, approval)
            show_approval(tx, found)
        make_sure("确认同意？", "Approve?", yes=yes)
        desk.site.kernel.approve(
            found.id,
            content_hash=found.content_hash,
            actor=desk.actor,
            request_id=new_request_id(),
        )
    screen.say("已同意并生效。", "Approved and in effect.")


@app.command()
def reject(approval: ApprovalArgument, operator: OperatorOption = None) -> None:
    """驳回；提交人也可撤回自己提交的事项。
    Reject; makers may take back their own.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            found = find_pending(tx, approval)
        desk.site.kernel.reject(found.id, actor=desk.actor, request_id=new_request_id())
    screen.say("已驳回，未作任何更改。", "Rejected; nothing was changed.")


def find_pending(tx: Reader, wanted: str) -> Approval:
    """The pending approval whose id is `wanted` or begins so. Raises IssuanceError."""
    if len(wanted) < ID_BEGINNING_MIN:
        raise IssuanceError(
            "approval_id_short",
            f"复核编号至少写前 {ID_BEGINNING_MIN} 个字符；见 sscard approval list。",
            f"Give {ID_BEGINNING_MIN} characters of the approval id or more; see sscard approval "
            "list.",
        )
    found, after = [], ""
    while page := approvals.pending(tx, after=after):
        found += [one for one in page if begins(one.id, wanted)]
        after = page[-1].id
    if len(found) == 1:
        return found[0]
    raise IssuanceError(
        "approval_unknown",
        f"有 {len(found)} 项待复核事项的编号与此相符；请对照 sscard approval list 写明。",
        f"{len(found)} pending approvals have such an id; see sscard approval list.",
    )


def show_approval(tx: Reader, approval: Approval) -> None:
    screen.show_facts(
        [
            ("复核编号 Approval", approval.id),
            ("内容 What", approval.summary),
            ("提交人 Maker", _name(tx, approval.maker_id)),
            ("提交时间 Proposed at", f"{approval.created_at.astimezone():%Y-%m-%d %H:%M:%S}"),
            ("内容摘要 Content hash (SM3)", approval.content_hash),
        ]
    )


def _name(tx: Reader, operator_id: str) -> str | None:
    operator = operators.get(tx, operator_id)
    return operator.display_name if operator else None
