"""Clerks at service channels: who may sign in where, for whom they act, and what they are told."""

import json
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from bureau import OPERATOR_PASSWORD, Bureau, MemorySigner, Person, signing_key
from clerks import (
    BRANCH,
    CLERK,
    OTHER_BRANCH,
    Waiting,
    adult_fields,
    bank_branch,
    cards_at_branch,
    clerk_of,
    new_attempt,
)
from filing import next_card
from scan_service import HOSPITAL_CODE, ScanService, TerminalDevice
from second_factors import NEW_PASSWORD, digits, with_dynamic_password
from test_channels import asked, code_of, signed_in

from card_core.application import ApplicationKind
from card_core.applying import MakingMode
from card_core.kernel.acts.filings import FileApplication
from card_core.kernel.acts.institutions import SuspendTerminal
from card_core.kernel.acts.operators import ChangeRoles, SuspendOperator
from card_core.service_channels import CLERK_SESSION_IDLE, CLERK_SESSION_LIFE, ChannelKind
from card_core.sign_in import Profile, challenge_of
from card_core.states import CardState, MakingState
from card_core.store import cards, makings
from card_core.store.operators import Role
from scan_api.app import create_app
from scan_api.refusal_limit import REFUSALS_MAX


@pytest.fixture
def counter(service: ScanService) -> TerminalDevice:
    """A bank's counter, with a clerk who may sign in there."""
    bank_branch(service.bureau)
    clerk_of(service.bureau)
    return service.enrol(BRANCH, 0xD1, ChannelKind.BANK_COUNTER)


@pytest.fixture
def tablet(service: ScanService, counter: TerminalDevice) -> TerminalDevice:
    return service.enrol(BRANCH, 0xD2, ChannelKind.HOME_VISIT)


def sign_in(
    service: ScanService,
    device: TerminalDevice,
    name: str = CLERK,
    drawn: str | None = None,
    **more: Any,
) -> httpx2.Response:
    """With the own key, as the channel's program does. drawn: what was drawn for this attempt."""
    attempt = drawn or new_attempt()
    signer = MemorySigner(signing_key(name))
    body = {
        "name": name,
        "password": OPERATOR_PASSWORD,
        "attempt": attempt,
        "signature": signer.sign(challenge_of(service.bureau.kernel, name, attempt)).hex(),
    }
    return asked(service, device, "clerk/sessions", **body | more)


def session_of(service: ScanService, device: TerminalDevice) -> str:
    answer = sign_in(service, device)
    assert answer.status_code == 201, answer.text
    assert answer.json()["clerk"] == "周经办"
    return str(answer.json()["session"])


def person(found: Person | Waiting) -> dict[str, str]:
    return {"social_security_number": found.number, "name": found.name}


def activation(session: str, found: Waiting, **more: Any) -> dict[str, Any]:
    fields = {
        "session": session,
        "request_id": "a-1",
        "person": person(found),
        "card_number": found.card.card_number,
        "evidence": "identity_document",
    }
    return fields | more


def states_of(bureau: Bureau, card_id: str) -> tuple[CardState, MakingState | None]:
    with bureau.store.read() as tx:
        card, making = cards.get(tx, card_id), makings.get(tx, card_id)
    assert card is not None
    return card.state, None if making is None else making.state


# ---- who signs in where


def test_a_channel_with_a_clerk_says_so(
    service: ScanService, counter: TerminalDevice, tablet: TerminalDevice
) -> None:
    for device, expected in (
        (counter, ["activate_card", "hand_over_card", "report_temporary_loss"]),
        (tablet, ["activate_card", "file_application", "report_temporary_loss"]),
    ):
        headers = {"Authorization": device.authorization("GET", "/v1/channel")}
        answer = service.http.get("/v1/channel", headers=headers).json()
        assert (answer["is_attended"], answer["rights"]) == (True, expected)


def test_clerks_sign_in_where_they_serve_and_holders_where_nobody_does(
    service: ScanService, counter: TerminalDevice
) -> None:
    kiosk = service.enrol(HOSPITAL_CODE, 0xC1, ChannelKind.KIOSK)
    assert sign_in(service, kiosk).status_code == 403
    body = {"social_security_number": service.person.number, "password": "274095"}
    answer = asked(service, counter, "sessions", **body)
    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    # What a clerk's session opens at a counter, a holder's does not.
    session = signed_in(service, kiosk)
    lost = {"session": session, "request_id": "l", "person": person(service.person)}
    assert code_of(asked(service, counter, "clerk/loss-reports", **lost)) == "sign_in_needed"
    clerks = session_of(service, counter)
    for what in ("printed-codes", "applications/progress"):
        answer = asked(service, counter, what, session=clerks)
        assert code_of(answer) in {"sign_in_needed", "not_allowed"}, what


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "guess 1 guess"},
        {"signature": "0" * 128},
        {"attempt": "A" * 43},
        {"signature": None, "attempt": None},
    ],
    ids=["password", "signature", "attempt", "no factor"],
)
def test_a_clerk_needs_password_and_second_factor(
    service: ScanService, counter: TerminalDevice, wrong: dict[str, str]
) -> None:
    answer = sign_in(service, counter, **wrong)
    assert (answer.status_code, code_of(answer)) == (401, "sign_in_refused")


def test_who_is_no_clerk_is_told_what_a_wrong_password_is(
    service: ScanService, counter: TerminalDevice
) -> None:
    for name in ("maker", "checker", "nobody"):
        answer = sign_in(service, counter, name)
        assert (answer.status_code, code_of(answer)) == (401, "sign_in_refused"), name


def test_an_attempt_is_good_once(service: ScanService, counter: TerminalDevice) -> None:
    first = sign_in(service, counter)
    again = sign_in(service, counter, drawn=first.json()["session"])
    assert (again.status_code, code_of(again)) == (401, "sign_in_refused")


def test_a_dynamic_password_serves_where_the_profile_has_it(
    service: ScanService, counter: TerminalDevice
) -> None:
    bureau = service.bureau
    with_dynamic_password(bureau)
    roles = ChangeRoles("newcomer", frozenset({Role.CLERK}))
    bureau.decide(roles, bureau.administrator, bureau.security)
    typed = {"name": "newcomer", "password": NEW_PASSWORD, "dynamic_password": digits(bureau)}
    answers = []
    for profile in (Profile.SM, Profile.STANDARD):
        service.app = create_app(replace(service.services, profile=profile))
        service.http = service.client()
        answers.append(asked(service, counter, "clerk/sessions", **typed).status_code)
    assert answers == [401, 201]


def test_a_clerks_session_is_good_at_its_channel_alone_and_ends_by_itself(
    service: ScanService, counter: TerminalDevice, tablet: TerminalDevice
) -> None:
    lost = {"request_id": "l-1", "person": person(service.person)}

    def told(device: TerminalDevice, session: str) -> str:
        answer = asked(service, device, "clerk/loss-reports", session=session, **lost)
        return str(answer.json().get("code", answer.status_code))

    session = session_of(service, counter)
    assert told(tablet, session) == "sign_in_needed"
    service.clock.advance(CLERK_SESSION_IDLE.total_seconds())
    assert told(counter, session) == "sign_in_needed"
    session = session_of(service, counter)
    step = CLERK_SESSION_IDLE.total_seconds() - 1
    for _ in range(int(CLERK_SESSION_LIFE.total_seconds() // step)):
        service.clock.advance(step)
        assert told(counter, session) == "200"
    service.clock.advance(step)
    assert told(counter, session) == "sign_in_needed"
    session = session_of(service, counter)
    assert asked(service, counter, "sessions/end", session=session).status_code == 200
    assert told(counter, session) == "sign_in_needed"


@pytest.mark.parametrize("who", ["clerk", "machine", "role"])
def test_whoever_is_suspended_serves_nobody_from_then_on(
    service: ScanService, counter: TerminalDevice, who: str
) -> None:
    bureau = service.bureau
    session = session_of(service, counter)
    if who == "machine":
        bureau.perform(SuspendTerminal(counter.serial_number), bureau.maker)
    else:
        act = {
            "clerk": SuspendOperator(CLERK),
            "role": ChangeRoles(CLERK, frozenset({Role.MAKER})),
        }[who]
        bureau.decide(act, bureau.administrator, bureau.security)
    lost = {"session": session, "request_id": "l-1", "person": person(service.person)}
    answer = asked(service, counter, "clerk/loss-reports", **lost)
    assert answer.status_code in {401, 403}
    assert states_of(bureau, service.person.card_id)[0] is CardState.NORMAL


# ---- what is done


def test_a_card_of_the_branch_is_handed_over_and_in_use(
    service: ScanService, counter: TerminalDevice
) -> None:
    (found,) = cards_at_branch(service.bureau, 1)
    session = session_of(service, counter)
    body = activation(session, found)
    answer = asked(service, counter, "clerk/activations", **body)
    assert (answer.status_code, answer.json()) == (200, {"card_state": "normal"}), answer.text
    handed_over = (CardState.NORMAL, MakingState.HANDED_OVER)
    assert states_of(service.bureau, found.card.id) == handed_over
    again = asked(service, counter, "clerk/activations", **body)
    assert again.json() == answer.json()
    anew = asked(service, counter, "clerk/activations", **body | {"request_id": "a-2"})
    assert (anew.status_code, code_of(anew)) == (409, "wrong_state")


def test_what_does_not_fit_is_one_answer_and_a_clerk_does_not_try_for_long(
    service: ScanService, counter: TerminalDevice
) -> None:
    bureau = service.bureau
    (found,) = cards_at_branch(bureau, 1)
    other = bureau.person()
    bank_branch(bureau, OTHER_BRANCH)
    elsewhere = service.enrol(OTHER_BRANCH, 0xD3, ChannelKind.BANK_COUNTER)
    session, there = session_of(service, counter), session_of(service, elsewhere)
    right = activation(session, found)
    wrong: list[dict[str, Any]] = [
        right | {"person": {**right["person"], "name": other.name}},
        right | {"person": {**right["person"], "social_security_number": "110101199003074557"}},
        right | {"card_number": "FS9999999"},
        right | {"person": person(other)},
    ]
    answers = [asked(service, counter, "clerk/activations", **body) for body in wrong]
    # In another branch the very card is as good as none.
    body = activation(there, found)
    answers.append(asked(service, elsewhere, "clerk/activations", **body))
    assert {one.status_code for one in answers} == {404}
    assert len({one.content for one in answers}) == 1
    assert code_of(answers[0]) == "card_not_here"
    for _ in range(REFUSALS_MAX - len(answers)):
        assert asked(service, counter, "clerk/activations", **wrong[2]).status_code == 404
    limited = asked(service, counter, "clerk/activations", **wrong[2])
    assert (limited.status_code, code_of(limited)) == (429, "too_many_tries")
    assert int(limited.headers["Retry-After"]) > 0
    assert states_of(bureau, found.card.id)[0] is CardState.NOT_ACTIVATED


def test_a_tablet_hands_nothing_over_and_a_counter_applies_for_nobody(
    service: ScanService, counter: TerminalDevice, tablet: TerminalDevice
) -> None:
    (found,) = cards_at_branch(service.bureau, 1)
    body = activation(session_of(service, tablet), found)
    answer = asked(service, tablet, "clerk/activations", **body)
    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    applying = {
        "request_id": "f-1",
        "applicant": adult_fields(1),
        "evidence": "identity_document",
    }
    at_counter = {"session": session_of(service, counter), **applying}
    answer = asked(service, counter, "clerk/applications", **at_counter)
    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    at_home = {"session": session_of(service, tablet), **applying}
    filed = asked(service, tablet, "clerk/applications", **at_home)
    assert (filed.status_code, filed.json()["state"]) == (201, "filed"), filed.text
    faults = at_home | {"request_id": "f-2", "applicant": adult_fields(2) | {"phone": "12"}}
    answer = asked(service, tablet, "clerk/applications", **faults)
    assert [one["field"] for one in answer.json()["errors"]] == ["phone"]


def test_a_loss_reported_by_a_clerk_stops_the_card(
    service: ScanService, counter: TerminalDevice
) -> None:
    session, code = session_of(service, counter), service.mint()
    body = {"session": session, "request_id": "l-1", "person": person(service.person)}
    answer = asked(service, counter, "clerk/loss-reports", **body)
    assert answer.json()["card_state"] == "temporary_loss"
    assert service.scan(service.pharmacy, code).json()["reason"] == "card_lost"


def test_a_holder_sees_at_a_kiosk_how_far_the_application_is(service: ScanService) -> None:
    kiosk = service.enrol(HOSPITAL_CODE, 0xC1, ChannelKind.KIOSK)
    one, other = service.person, service.bureau.person()
    application = next_card(service.bureau, one, ApplicationKind.EXCHANGE)
    service.bureau.perform(FileApplication(application, MakingMode.AT_ONCE), one.actor)
    seen = []
    for who in (one, other):
        session = signed_in(service, kiosk, who)
        answer = asked(service, kiosk, "applications/progress", session=session)
        seen.append([(a["kind"], a["state"]) for a in answer.json()["applications"]])
        assert one.name not in json.dumps(answer.json(), ensure_ascii=False)
    assert seen == [[("exchange", "filed")], []]
