"""Service channels in the kernel: every kind, every act, and whoever stands before it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from bureau import SYSTEM, Bureau, Person
from clerks import BRANCH, OTHER_BRANCH, Waiting, bank_branch, cards_at_branch, clerk_of, waiting
from filing import newcomer
from servers.databases import Databases, SQLiteDatabases
from test_kernel_permissions import attempt, sample_acts

from card_core.applying import Channel, FilingEvidence, MakingMode
from card_core.errors import (
    AlreadyExistsError,
    InvalidActError,
    NotAllowedError,
    NotFoundError,
)
from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.cards import (
    ActivateCard,
    CancelCard,
    CancelReason,
    Evidence,
    ReportTemporaryLoss,
)
from card_core.kernel.acts.enrolment import PrepareEnrolment, RotateTerminalKey
from card_core.kernel.acts.filings import AcceptFiling, FileApplication
from card_core.kernel.acts.handing_over import HandOverCard
from card_core.kernel.acts.institutions import ReinstateTerminal, SuspendTerminal
from card_core.kernel.acts.printed_codes import PrintCode
from card_core.kernel.acts.sessions import SignOut
from card_core.kernel.permissions import CHANNEL_ERRANDS, RULES, is_dangerous
from card_core.service_channels import ATTENDED, HANDING_OVER, ChannelKind
from card_core.states import CardState
from card_core.store import cards, filings
from card_core.store.cards import Card
from card_core.store.institutions import Terminal
from card_core.store.operators import Role
from crypto import sm2

OWN = Evidence.IDENTITY_DOCUMENT
HOSPITAL, PHARMACY = "H44060400001", "P44060400002"
# Written by hand, beside the table: who does what at each kind.
MATRIX = {
    ChannelKind.KIOSK: {
        "report_temporary_loss": "holder",
        "print_code": "holder",
        "sign_in": "system",
        "sign_out": "holder",
    },
    ChannelKind.BANK_COUNTER: {
        "hand_over_card": "clerk",
        "activate_card": "clerk",
        "report_temporary_loss": "clerk",
        "sign_out": "clerk",
    },
    ChannelKind.HOME_VISIT: {
        "activate_card": "clerk",
        "report_temporary_loss": "clerk",
        "file_application": "clerk",
        "sign_out": "clerk",
    },
}

# Acts that name nobody: they are about whoever does them.
OF_NOBODY = {"print_code", "sign_in", "sign_out"}


@pytest.fixture
def databases(sqlite_databases: SQLiteDatabases) -> Databases:
    """What the database is makes no difference to a right."""
    return sqlite_databases


def new_key() -> bytes:
    return sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)


def enrolled(bureau: Bureau, kind: ChannelKind, serial: int = 0xC1, at: str = HOSPITAL) -> Terminal:
    return bureau.enrol(serial.to_bytes(8), at, new_key(), channel=kind)


def at_branch(bureau: Bureau, kind: ChannelKind, clerk: Actor, branch: str = BRANCH) -> Actor:
    """The clerk at a new channel of this kind there."""
    bank_branch(bureau, branch)
    channel = enrolled(bureau, kind, int(branch), branch)
    return replace(clerk, channel_id=channel.id)


def state_of(bureau: Bureau, person: Person | Card) -> CardState:
    with bureau.store.read() as tx:
        card = cards.get(tx, person.id if isinstance(person, Card) else person.card_id)
    assert card is not None
    return card.state


@pytest.mark.parametrize("kind", list(ChannelKind))
def test_every_act_at_every_kind_of_channel(bureau: Bureau, kind: ChannelKind) -> None:
    bank_branch(bureau)
    channel = enrolled(bureau, kind, at=BRANCH)
    clerk = clerk_of(bureau)
    person, other = bureau.people(2)
    before: dict[str, Actor] = {
        "holder": person.actor,
        "maker": bureau.maker,
        "checker": bureau.checker,
        "administrator": bureau.administrator,
        "security": bureau.security,
        "auditor": bureau.auditor,
        "clerk": clerk,
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
            assert (outcome is not NotAllowedError) is right, (name, who, outcome)
            # Somebody else's is as good as none; a clerk serves whoever comes.
            assert outcome is NotFoundError or not right or kind in ATTENDED, (name, who, outcome)
    lost = CardState.TEMPORARY_LOSS if kind in ATTENDED else CardState.NORMAL
    assert state_of(bureau, other) is lost
    if kind in ATTENDED:
        return
    # What is allowed is done, about the own card.
    at = replace(person.actor, channel_id=channel.id)
    assert attempt(bureau, PrintCode("0" * 64), at) is None
    assert attempt(bureau, ReportTemporaryLoss(person.card_id), at) is None
    assert state_of(bureau, person) is CardState.TEMPORARY_LOSS


def test_a_clerk_does_nothing_away_from_a_channel(bureau: Bureau) -> None:
    clerk, person = clerk_of(bureau), bureau.person()
    for name, act in sample_acts(bureau, person).items():
        allowed = name == "sign_out"
        assert (attempt(bureau, act, clerk) is not NotAllowedError) is allowed, name
    assert state_of(bureau, person) is CardState.NORMAL


def test_what_clerks_do_alone_a_maker_does_alone_at_the_window() -> None:
    for kind in ATTENDED:
        for act in CHANNEL_ERRANDS[kind]:
            assert not is_dangerous(act), act
            assert Role.MAKER in RULES[act].roles, act
    handing_over = {kind for kind in ChannelKind if HandOverCard in CHANNEL_ERRANDS[kind]}
    assert handing_over == HANDING_OVER


def test_a_banks_counter_hands_over_what_was_dispatched_to_it_and_nothing_else(
    bureau: Bureau,
) -> None:
    first, second = cards_at_branch(bureau, 2)
    (on_its_way,) = bureau.issued_cards(1)
    clerk = clerk_of(bureau)
    here = at_branch(bureau, ChannelKind.BANK_COUNTER, clerk)
    elsewhere = at_branch(bureau, ChannelKind.BANK_COUNTER, clerk, OTHER_BRANCH)

    def outcome(found: Waiting, actor: Actor, evidence: Evidence = OWN) -> object:
        return attempt(bureau, ActivateCard(found.card.id, evidence), actor)

    assert outcome(first, elsewhere) is NotFoundError
    assert attempt(bureau, HandOverCard(first.card.id), elsewhere) is NotFoundError
    assert outcome(waiting(bureau, on_its_way), here) is NotFoundError
    # An employer collects for many at the bureau alone.
    assert outcome(first, here, Evidence.EMPLOYER_COLLECTS) is NotAllowedError
    assert attempt(bureau, HandOverCard(first.card.id, to_employer=True), here) is NotAllowedError
    assert state_of(bureau, first.card) is CardState.NOT_ACTIVATED
    assert outcome(first, here) is None
    assert state_of(bureau, first.card) is CardState.NORMAL
    # Collected without being activated, it is activated wherever the holder comes with it.
    assert attempt(bureau, HandOverCard(second.card.id), here) is None
    assert outcome(second, elsewhere) is None


def test_a_tablet_activates_what_was_collected_and_hands_nothing_over(bureau: Bureau) -> None:
    (found,) = cards_at_branch(bureau, 1)
    tablet = at_branch(bureau, ChannelKind.HOME_VISIT, clerk_of(bureau))
    activate = ActivateCard(found.card.id, OWN)
    assert attempt(bureau, activate, tablet) is NotAllowedError
    assert state_of(bureau, found.card) is CardState.NOT_ACTIVATED
    bureau.perform(HandOverCard(found.card.id), bureau.maker)
    assert attempt(bureau, activate, tablet) is None


def test_what_a_tablet_files_somebody_else_looks_at(bureau: Bureau) -> None:
    tablet = at_branch(bureau, ChannelKind.HOME_VISIT, clerk_of(bureau))
    act = FileApplication(newcomer(), MakingMode.BATCH, FilingEvidence.IDENTITY_DOCUMENT)
    filed = bureau.perform(act, tablet)
    assert filed["state"] == "filed"
    # At the window the same goes on at once.
    at_window = replace(act, application=newcomer(1))
    assert bureau.perform(at_window, bureau.maker)["state"] == "accepted"
    with bureau.store.read() as tx:
        kept = filings.get(tx, filed["filing_id"])
    assert kept is not None
    assert kept.channel is Channel.HOME_VISIT
    accepted = bureau.perform(AcceptFiling(filed["filing_id"]), bureau.checker)
    assert accepted["state"] == "accepted"


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
        (lambda: let_out(0xC2, HOSPITAL, ChannelKind.BANK_COUNTER), InvalidActError),
    ],
    ids=["to terminal", "terminal to channel", "pharmacy", "counter in hospital"],
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
