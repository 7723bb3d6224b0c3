"""`sscard family`: guardians, and e-cards that family members show."""

from pathlib import Path
from typing import Annotated

import typer

from card_core.applying import GUARDIAN_EVIDENCE, FilingEvidence
from card_core.kernel.acts.families import EndFamilyMember
from card_core.kernel.acts.guardians import BindGuardian, EndGuardianship
from card_core.kernel.permissions import Reading
from card_core.store import family_members, guardianships
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, SecondOption, YesOption, opened_desk
from issuance.cli.personal import HolderArgument, find_record, read_line
from issuance.cli.words import both

app = typer.Typer(
    help="监护人与亲情服务。\nGuardians, and e-cards shown by family members.",
    no_args_is_help=True,
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="编号。\n\nIts id.")]


@app.command("bind-guardian")
def bind_guardian(
    ward: HolderArgument,
    *,
    guardian: Annotated[
        str,
        typer.Option(
            metavar="HOLDER", help="监护人：记录编号、卡号或 @文件。\n\nThe guardian, as HOLDER."
        ),
    ],
    evidence: Annotated[
        FilingEvidence,
        typer.Option(
            metavar="WHAT",
            help=f"证明材料。\n\nWhat shows it: {', '.join(sorted(GUARDIAN_EVIDENCE))}.",
        ),
    ],
    reference_file: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            readable=False,
            help="材料编号取自文件第一行。\n\nThe document's number, from this file's first line.",
        ),
    ],
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """登记未满 16 周岁者的监护人（须另一人复核）。
    Bind a guardian of somebody under 16; another approves.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        with desk.site.store.read() as tx:
            ward_id, guardian_id = find_record(tx, ward), find_record(tx, guardian)
        act = BindGuardian(ward_id, guardian_id, evidence, read_line(reference_file))
        if desk.decide(act, second, yes=yes):
            screen.say("已登记监护人。", "The guardian is bound.")


@app.command("end-guardian")
def end_guardian(guardianship: IdArgument, operator: OperatorOption = None) -> None:
    """解除监护登记。
    End a guardianship, and what rests on it.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        desk.perform(EndGuardianship(guardianship))
    screen.say("已解除监护登记。", "The guardianship is ended.")


@app.command("list")
def list_(holder: HolderArgument, operator: OperatorOption = None) -> None:
    """查看一个持卡人的监护和亲情服务关系。
    Show a holder's guardianships and family members.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk, desk.site.store.read() as tx:
        holder_id = find_record(tx, holder)
        bound = guardianships.of_holder(tx, holder_id)
        members = family_members.of_holder(tx, holder_id)
    screen.show_table(
        ["编号 Id", "被监护人 Ward", "监护人 Guardian", "状态 State", "到期 Ends on"],
        [(one.id, one.ward_id, one.guardian_id, both(one.state), one.ends_on) for one in bound],
        title="监护 Guardianships",
    )
    screen.show_table(
        ["编号 Id", "持卡人 Holder", "出示人 Shown by", "关系 Relation", "状态 State"],
        [
            (one.id, one.holder_id, one.shower_id or "-", one.relation.value, both(one.state))
            for one in members
        ],
        title="亲情服务 Family members",
    )


@app.command()
def end(member: IdArgument, operator: OperatorOption = None) -> None:
    """解除一项亲情服务。
    End one family member.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        desk.perform(EndFamilyMember(member))
    screen.say("已解除。", "Ended: the e-card is not shown by the other any more.")
