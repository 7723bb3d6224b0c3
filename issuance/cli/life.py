"""`sscard life`: what an event in a person's life means for the card, in one go."""

from pathlib import Path
from typing import Annotated, Any

import typer

from card_core.errors import ApplicantsRefusedError
from card_core.kernel.acts.life_events import (
    ApplyForLifeEvent,
    DecideLifeEvent,
    ServeLifeEvent,
)
from card_core.kernel.permissions import Reading
from card_core.life_events import APPLYING, SERVING, LifeEvent
from card_core.states import CardState
from issuance.cli import screen
from issuance.cli.card_finding import CardArgument, card_id_of
from issuance.cli.desk import (
    Desk,
    OperatorOption,
    SecondOption,
    YesOption,
    opened_desk,
    show_waiting,
)
from issuance.cli.roster import read_roster, show_findings
from issuance.cli.words import both, word_of
from issuance.importing import REFUSED_AT_IMPORT

app = typer.Typer(
    help="人生事件：出生、就业、退休、身故等一次办理。\nLife events, each in one go.",
    no_args_is_help=True,
)

PeopleArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", readable=False, help="申领人名册 .csv / .xlsx。\n\nWho applies: a roster."
    ),
]


@app.command("events")
def events() -> None:
    """列出各事件包含的业务。
    List what each event is made of.
    """
    rows = [
        (f"{one.zh} {event.value}", "申领 apply", f"≤{one.people_max}")
        for event, one in APPLYING.items()
    ]
    rows += [
        (f"{serving.zh} {event.value}", both(state), ", ".join(map(both, parts)) or "-")
        for event, serving in SERVING.items()
        for state, parts in serving.parts.items()
    ]
    screen.show_table(["事件 Event", "卡状态 Card", "业务 Acts"], rows)


@app.command()
def birth(file: PeopleArgument, operator: OperatorOption = None) -> None:
    """出生：为新生儿申领，须有监护人。
    Birth: apply for the newborn.
    """
    _apply(LifeEvent.BIRTH, file, None, operator)


@app.command("first-job")
def first_job(file: PeopleArgument, operator: OperatorOption = None) -> None:
    """首次就业：申领。
    First job: apply.
    """
    _apply(LifeEvent.FIRST_JOB, file, None, operator)


@app.command()
def company(
    file: PeopleArgument,
    name: Annotated[
        str | None, typer.Option(help="单位名称，默认用文件名。\n\nThe company; else the file's.")
    ] = None,
    operator: OperatorOption = None,
) -> None:
    """开办企业：全体职工一并申领，或均不受理。
    Company opened: all of its staff, or nobody.
    """
    _apply(LifeEvent.COMPANY_OPENED, file, name, operator)


@app.command("flexible-work")
def flexible_work(card: CardArgument, operator: OperatorOption = None) -> None:
    """灵活就业：启用或恢复卡。
    Flexible work: bring the card into use.
    """
    _serve(LifeEvent.FLEXIBLE_WORK, card, operator)


@app.command()
def retirement(card: CardArgument, operator: OperatorOption = None) -> None:
    """退休：启用或恢复领取待遇的卡。
    Retirement: bring the card into use.
    """
    _serve(LifeEvent.RETIREMENT, card, operator)


@app.command("leaving-army")
def leaving_army(
    card: CardArgument,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """退役：解除封存（须另一人复核）。
    Leaving the army: unseal; another approves.
    """
    _decide(LifeEvent.LEFT_ARMY, card, operator, second, yes)


@app.command()
def death(
    card: CardArgument,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """身故：注销卡、电子社保卡和手机（须另一人复核）。
    Death: end card, e-card, phones; another approves.
    """
    _decide(LifeEvent.DEATH, card, operator, second, yes)


def _apply(event: LifeEvent, file: Path, name: str | None, operator: str | None) -> None:
    with opened_desk(operator, Reading.HOLDERS) as desk:
        desk.check_may(ApplyForLifeEvent)
        found = read_roster(file)
        show_findings(found)
        if found.refused or not found.applications:
            screen.show_error(
                "名册须全部无误，未受理任何申领。", "Every row must be good; nothing was opened."
            )
            raise typer.Exit(1)
        digest = bytes.fromhex(found.digest_hex)
        act = ApplyForLifeEvent(event, name or file.stem, digest, found.applications)
        answer = _opened(desk, act)
    screen.say(
        f"{APPLYING[event].zh}：已受理 {answer['accepted']} 人的申领，批次 {answer['batch_id']}",
        f"{APPLYING[event].en}: {answer['accepted']} applications, batch {answer['batch_id']}",
    )
    show_waiting(answer["approval_id"])


def _opened(desk: Desk, act: ApplyForLifeEvent) -> dict[str, Any]:
    """Raises KernelError, after saying which rows it was."""
    try:
        return desk.perform(act)
    except ApplicantsRefusedError as error:
        rows = [(row, "\n".join(REFUSED_AT_IMPORT[code])) for row, code in error.refused]
        screen.show_table(["行 Row", "怎么办 What to do"], rows)
        raise


def _serve(event: LifeEvent, card: str, operator: str | None) -> None:
    with opened_desk(operator, Reading.HOLDERS) as desk:
        answer = desk.perform(ServeLifeEvent(event, card_id_of(desk, card)))
    state = CardState(answer["card_state"])
    screen.say(
        f"{SERVING[event].zh}：已办结，卡状态 {word_of(state)}",
        f"{SERVING[event].en}: done, the card is {state.value}",
    )


def _decide(
    event: LifeEvent, card: str, operator: str | None, second: str | None, yes: bool
) -> None:
    with opened_desk(operator, Reading.HOLDERS) as desk:
        act = DecideLifeEvent(event, card_id_of(desk, card))
        if desk.decide(act, second, yes=yes):
            screen.say(f"{SERVING[event].zh}：已办结。", f"{SERVING[event].en}: done.")
