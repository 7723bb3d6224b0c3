"""`sscard card`: hand out and activate, look up, report a loss, withdraw it, cancel.

What else befalls a card is in `card_life`, the issuer's policy in `card_policy`.
"""

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from card_core.identity import mask_name, mask_number
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    CancelCard,
    CancelReason,
    Evidence,
    ReportFormalLoss,
    ReportTemporaryLoss,
    WithdrawFormalLoss,
    WithdrawTemporaryLoss,
)
from card_core.kernel.dates import SHANGHAI
from card_core.kernel.permissions import Reading
from card_core.sign_in import check_new_password, hash_password
from card_core.states import CardState
from card_core.store import Reader, cards, holders, makings
from card_core.store.batches import Batch
from card_core.store.holders import Holder
from card_core.store.paging import PAGE_SIZE_MAX
from issuance.batches import find_batch
from issuance.cli import card_life, card_policy, screen
from issuance.cli.card_finding import CardArgument, card_id_of, find_card
from issuance.cli.desk import Desk, OperatorOption, PasswordFileOption, opened_desk
from issuance.cli.words import both
from issuance.errors import BatchError
from issuance.installation import random_bytes
from issuance.settings import read_secret
from issuance.stock import find_stock

app = typer.Typer(
    help="卡：启用、查询、挂失、补换、封存、注销。\nCards, through their whole life.",
    no_args_is_help=True,
)

app.add_typer(card_life.app)
app.add_typer(card_policy.app)


@app.command("list")
def list_cards(
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="批次。\n\nThe batch.")],
    after: Annotated[
        str, typer.Option(metavar="CARD", help="从此卡号之后继续。\n\nGo on behind this card.")
    ] = "",
    operator: OperatorOption = None,
) -> None:
    """列出一个批次的卡，每次至多 200 张。
    List a batch's cards, 200 at a time.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk, desk.site.store.read() as tx:
        last = find_card(tx, after)[0].id if after else ""
        page = cards.page(tx, batch_id=_find_lot(tx, batch).id, after=last)
        rows = []
        for card in page:
            identity = holders.identity_of(tx, card.holder_id)
            masked = mask_name(identity.name), mask_number(identity.social_security_number)
            rows.append((card.card_number, *masked, both(card.state)))
    screen.show_table(["卡号 Card", "姓名 Name", "社会保障号码 Number", "状态 State"], rows)
    if len(page) == PAGE_SIZE_MAX:
        number = page[-1].card_number
        screen.say(f"还有更多：--after {number}", f"There are more: --after {number}")


@app.command()
def show(card: CardArgument, operator: OperatorOption = None) -> None:
    """查看一张卡；姓名和号码部分隐藏。
    Show a card; name and number are masked.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk, desk.site.store.read() as tx:
        found, holder = find_card(tx, card)
        ecard = cards.ecard_of(tx, found.id)
        making = makings.get(tx, found.id)
    screen.show_facts(
        [
            ("卡号 Card number", found.card_number),
            ("持卡人 Holder", mask_name(holder.name)),
            ("社会保障号码 Number", mask_number(holder.social_security_number)),
            ("卡状态 Card state", both(found.state)),
            ("AAZ502", found.state.aaz502),
            ("电子社保卡 E-card", both(ecard.state)),
            ("制卡 Making", making and both(making.state)),
            ("自动解挂 Loss lapses at", found.loss_lapses_at),
            ("发卡日期 Issued on", found.issued_on),
            ("有效期至 Expires on", found.expires_on),
            ("批次 Batch", found.batch_id),
        ]
    )


@app.command()
def activate(
    card: CardArgument,
    evidence: Annotated[
        Evidence,
        typer.Option(
            metavar="WHAT", help=f"核验的证件。\n\nWhat was shown: {', '.join(Evidence)}."
        ),
    ] = Evidence.IDENTITY_DOCUMENT,
    e_card: Annotated[
        bool,
        typer.Option("--e-card", help="同时开通电子社保卡。\n\nThe e-card, too."),
    ] = False,
    password_file: PasswordFileOption = None,
    operator: OperatorOption = None,
) -> None:
    """领卡启用：卡已交到持卡人手中。
    Activate a card that was handed out.

    加 --e-card 同时开通电子社保卡；已启用的卡可以只补开电子社保卡。
    With --e-card the e-card too; for a card in use it activates just that.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        with desk.site.store.read() as tx:
            found, holder = find_card(tx, card)
        # The password comes first: an answer that is refused must leave the card as it is.
        password_hash = _new_password(desk, holder, password_file) if e_card else None
        if not (e_card and found.state is CardState.NORMAL):
            desk.perform(ActivateCard(found.id, evidence))
            screen.say("卡已启用。", "The card is activated.")
        if password_hash:
            answer = desk.perform(ActivateECard(found.id, password_hash))
            screen.say(
                f"电子社保卡已开通，签发号 {answer['sign_number']}",
                f"The e-card is activated, sign number {answer['sign_number']}",
            )


@app.command("report-loss")
def report_loss(
    card: CardArgument,
    formal: Annotated[
        bool,
        typer.Option("--formal", help="正式挂失，不会自动解挂。\n\nFormal: it doesn't lapse."),
    ] = False,
    operator: OperatorOption = None,
) -> None:
    """挂失：卡与电子社保卡立即停用。
    Report a loss; card and e-card stop at once.
    """
    kind = ReportFormalLoss if formal else ReportTemporaryLoss
    with opened_desk(operator, Reading.HOLDERS) as desk:
        answer = desk.perform(kind(card_id_of(desk, card)))
    screen.say("已挂失，立即生效。", "The loss is reported and in effect.")
    if "loss_lapses_at" in answer:
        lapses_at = datetime.fromisoformat(answer["loss_lapses_at"]).astimezone(SHANGHAI)
        screen.say(
            f"到期自动解挂：北京时间 {lapses_at:%Y-%m-%d %H:%M}",
            f"It lapses by itself on {lapses_at:%Y-%m-%d %H:%M}, China time",
        )


@app.command("withdraw-loss")
def withdraw_loss(
    card: CardArgument,
    formal: Annotated[
        bool,
        typer.Option("--formal", help="解除正式挂失，须复核。\n\nA formal one; another approves."),
    ] = False,
    operator: OperatorOption = None,
) -> None:
    """解挂。
    Withdraw a loss.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        if formal:
            desk.propose(WithdrawFormalLoss(card_id_of(desk, card)))
            return
        desk.perform(WithdrawTemporaryLoss(card_id_of(desk, card)))
    screen.say("已解挂，恢复使用。", "The loss is withdrawn; the card serves again.")


@app.command()
def cancel(
    card: CardArgument,
    reason: Annotated[
        CancelReason,
        typer.Option(metavar="WHY", help=f"注销原因。\n\nOne of {', '.join(CancelReason)}."),
    ],
    operator: OperatorOption = None,
) -> None:
    """注销（须另一人复核）。
    Cancel a card for good; another person approves.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        desk.propose(CancelCard(card_id_of(desk, card), reason))


def _find_lot(tx: Reader, wanted: str) -> Batch:
    """A batch, or a stock that was taken over. Raises BatchError."""
    try:
        return find_batch(tx, wanted)
    except BatchError as error:
        with suppress(BatchError):
            return find_stock(tx, wanted)
        raise error from None


def _new_password(desk: Desk, holder: Holder, password_file: Path | None) -> str:
    """Let the holder choose; returns the hash. Raises WeakPasswordError."""
    if password_file:
        password = read_secret(password_file).decode(errors="replace")
    else:
        password = screen.ask_new_secret(
            "6 位密码（由持卡人输入）", "6-digit password (typed by the holder)",
            instead="--password-file",
        )  # fmt: skip
    check_new_password(password, holder)
    site = desk.site
    return hash_password(
        password, pepper=site.pepper, random_bytes=random_bytes, profile=site.profile
    )
