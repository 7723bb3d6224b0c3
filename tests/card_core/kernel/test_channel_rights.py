"""Service channels in the kernel: every kind, every act, and whoever stands before it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from bureau import SYSTEM, Bureau, Person
from test_kernel_permissions import attempt, sample_acts

from card_core.errors import (
    AlreadyExistsError,
    InvalidActError,
    NotAllowedError,
    NotFoundError,
)
from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.cards import CancelCard, CancelReason, ReportTemporaryLoss
from card_core.kernel.acts.enrolment import PrepareEnrolment, RotateTerminalKey
from card_core.kernel.acts.institutions import ReinstateTerminal, SuspendTerminal
from card_core.kernel.acts.printed_codes import PrintCode
from card_core.kernel.acts.sessions import SignOut
from card_core.service_channels import ChannelKind
from card_core.states import CardState
from card_core.store import cards
from card_core.store.institutions import Terminal
from crypto import sm2

HOSPITAL, PHARMACY = "H44060400001", "P44060400002"
# Written by hand, beside the table: who does what at each kind.
MATRIX = {
    ChannelKind.KIOSK: {
        "report_temporary_loss": "holder",
        "print_code": "holder",
        "sign_in": "system",
        "sign_out": "holder",
    },
}

# Acts that name nobody: they are about whoever does them.
OF_NOBODY = {"print_code", "sign_in", "sign_out"}


def new_key() -> bytes:
    return sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)


def enrolled(bureau: Bureau, kind: ChannelKind, serial: int = 0xC1) -> Terminal:
    return bureau.enrol(serial.to_bytes(8), HOSPITAL, new_key(), channel=kind)


def state_of(bureau: Bureau, person: Person) -> CardState:
    with bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
    assert card is not None
    return card.state


@pytest.mark.parametrize("kind", list(ChannelKind))
def test_every_act_at_every_kind_of_channel(bureau: Bureau, kind: ChannelKind) -> None:
    channel = enrolled(bureau, kind)
    person, other = bureau.people(2)
    before: dict[str, Actor] = {
        "holder": person.actor,
        "maker": bureau.maker,
        "checker": bureau.checker,
        "administrator": bureau.administrator,
        "security": bureau.security,
        "auditor": bureau.auditor,
        "system": SYSTEM,
        "channel": Actor(ActorKind.CHANNEL, channel.id),
    }
    rights = MATRIX[kind]
    # All that is about anybody is about somebody else than who stands there.
    for name, act in sample_acts(bureau, other).items():
        for who, actor in before.items():
            if name in OF_NOBODY and who in rights.get(name, "").split():
                continue
            outcome = attempt(bureau, act, replace(actor, channel_id=channel.id))
            right = who in rights.get(name, "").split()
            # Somebody else's is as good as none.
            assert outcome is (NotFoundError if right else NotAllowedError), (name, who, outcome)
    assert state_of(bureau, other) is CardState.NORMAL
    # What is allowed is done, about the own card.
    at = replace(person.actor, channel_id=channel.id)
    assert attempt(bureau, PrintCode("0" * 64), at) is None
    assert attempt(bureau, ReportTemporaryLoss(person.card_id), at) is None
    assert state_of(bureau, person) is CardState.TEMPORARY_LOSS


def test_nothing_is_approved_or_rejected_at_a_channel(bureau: Bureau) -> None:
    channel = enrolled(bureau, ChannelKind.KIOSK)
    act = CancelCard(bureau.person().card_id, CancelReason.DEATH)
    proposed = bureau.kernel.propose(act, actor=bureau.maker, request_id=bureau.request_id())
    at = replace(bureau.checker, channel_id=channel.id)
    with pytest.raises(NotAllowedError):
        bureau.approve(proposed, at)
    with pytest.raises(NotAllowedError):
        bureau.kernel.reject(proposed["approval_id"], actor=at, request_id=bureau.request_id())
    bureau.approve(proposed)


def test_a_terminal_is_no_channel_and_a_channel_no_terminal(bureau: Bureau) -> None:
    channel = enrolled(bureau, ChannelKind.KIOSK)
    person = bureau.person()
    as_channel = Actor(ActorKind.CHANNEL, bureau.hospital.id)
    as_terminal = Actor(ActorKind.TERMINAL, channel.id)
    for actor, terminal in ((as_channel, bureau.hospital), (as_terminal, channel)):
        with pytest.raises(NotAllowedError):
            bureau.perform(RotateTerminalKey(new_key(), terminal.public_key), actor)
    for channel_id in (bureau.hospital.id, "f" * 32):
        with pytest.raises(NotAllowedError):
            bureau.perform(PrintCode("0" * 64), replace(person.actor, channel_id=channel_id))
    # The group recorder drops what a channel would scan; its own key it may change.
    with pytest.raises(NotAllowedError):
        bureau.scan(bureau.minter.mint(person.holder_id).text, channel)
    own = Actor(ActorKind.CHANNEL, channel.id)
    bureau.perform(RotateTerminalKey(new_key(), channel.public_key), own)


def test_a_suspended_channel_serves_nobody_until_two_people_say_so(bureau: Bureau) -> None:
    channel = enrolled(bureau, ChannelKind.KIOSK)
    at = replace(bureau.person().actor, channel_id=channel.id)
    bureau.perform(PrintCode("0" * 64), at)
    bureau.perform(SuspendTerminal(channel.serial_number), bureau.maker)
    for act in (PrintCode("1" * 64), SignOut(bytes(32))):
        with pytest.raises(NotAllowedError):
            bureau.perform(act, at)
    bureau.decide(ReinstateTerminal(channel.serial_number))
    bureau.perform(PrintCode("1" * 64), at)


def let_out(serial: int, code: str, kind: ChannelKind | None) -> PrepareEnrolment:
    return PrepareEnrolment(serial.to_bytes(8), code, "7KQMX", bytes(32), kind)


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda: let_out(0xC1, HOSPITAL, None), AlreadyExistsError),
        (lambda: let_out(0xA1, HOSPITAL, ChannelKind.KIOSK), AlreadyExistsError),
        (lambda: let_out(0xC2, PHARMACY, ChannelKind.KIOSK), InvalidActError),
    ],
    ids=["channel to terminal", "terminal to channel", "at a pharmacy"],
)
def test_a_kind_never_changes_and_stands_where_it_may(
    bureau: Bureau, act: Callable[[], PrepareEnrolment], error: type[Exception]
) -> None:
    enrolled(bureau, ChannelKind.KIOSK)
    with pytest.raises(error):
        bureau.decide(act())


def test_approvers_read_that_it_is_a_channel(bureau: Bureau) -> None:
    with bureau.store.read() as tx:
        summary = let_out(0xC1, HOSPITAL, ChannelKind.KIOSK).summary(tx)
    assert "登记服务渠道" in summary
    assert "service channel (kiosk)" in summary
