"""Activating an e-card and setting a password with no window: what is told, and to whom."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from bureau import HOLDER_PASSWORD, PEPPER, SYSTEM, Bureau, make_number
from person_checks import (
    OTHER_PASSWORD,
    at_hand,
    begun,
    claim_of,
    collected,
    forgetful,
    passed,
    post,
)
from phone import registered_phone
from request_keys import HEADER, new_key
from scan_service import BASE_URL, ScanService
from sqlalchemy import event

from card_core.errors import NotAllowedError
from card_core.holder_errors import PersonCheckOverError, PersonCheckUnavailableError
from card_core.kernel.acts.cards import (
    ActivateCard,
    CancelCard,
    CancelReason,
    Evidence,
    ReportTemporaryLoss,
)
from card_core.kernel.acts.online_access import (
    PROVED_WITHIN,
    ActivateOnline,
    ChangeHolderPassword,
    ResetPassword,
)
from card_core.kernel.acts.person_checks import CHECK_FAILURES_MAX, CHECK_LIFE, STARTS_MAX
from card_core.kernel.acts.sessions import FAILURES_MAX, LOCK_MINUTES
from card_core.sign_in import sign_in_holder
from card_core.sign_in.entering import token_digest
from card_core.sign_in.person_check import Outcome, SimulatedPersonCheck
from card_core.states import CardState, DeviceState, ECardState
from card_core.store import cards, devices, outbox
from scan_api.holders.person_check_routes import STARTS_A_MINUTE

RESULTS = "person-checks/results"


def states_of(bureau: Bureau, card_id: str) -> tuple[CardState, ECardState]:
    with bureau.store.read() as tx:
        card = cards.get(tx, card_id)
        assert card is not None
        return card.state, cards.ecard_of(tx, card_id).state


def sign_in(service: ScanService, number: str, password: str) -> int:
    body = {"social_security_number": number, "password": password}
    return int(post(service, "sign-ins", body).status_code)


def test_a_card_that_was_collected_is_put_to_use_with_its_ecard(service: ScanService) -> None:
    person = collected(service.bureau)
    ticket = passed(service, claim_of(person, name=f" {person.name} "))
    body = {"ticket": ticket, "new_password": OTHER_PASSWORD}
    answer = post(service, "activations", body)
    assert (answer.status_code, answer.json()) == (201, {"e_card_state": "active"})
    assert states_of(service.bureau, person.card_id) == (CardState.NORMAL, ECardState.ACTIVE)
    assert sign_in(service, person.number, OTHER_PASSWORD) == 201
    (told,) = events(service, "activate_online")
    assert json.loads(told.payload) | {"evidence": "online", "provider": "simulated"} == {
        **json.loads(told.payload),
        "card_id": person.card_id,
        "card_from": "not_activated",
    }
    # The ticket is used up.
    again = post(service, "activations", body)
    assert (again.status_code, again.json()["code"]) == (409, "person_check_over")


def test_a_card_in_use_gets_its_ecard_and_every_weak_password_is_told(
    service: ScanService,
) -> None:
    (card,) = service.bureau.issued_cards(1)
    service.bureau.perform(ActivateCard(card.id, Evidence.IDENTITY_DOCUMENT), service.bureau.maker)
    person = at_hand(service.bureau, card.id)
    ticket = passed(service, claim_of(person, card_number=person.card_number.lower()))
    for weak in ("123456", "987654", "111111", "121212", person.number[:6], person.number[6:12]):
        answer = post(service, "activations", {"ticket": ticket, "new_password": weak})
        assert (answer.status_code, answer.json()["code"]) == (422, "weak_password")
        assert weak not in answer.text
    assert states_of(service.bureau, card.id)[1] is ECardState.NOT_ACTIVATED
    body = {"ticket": ticket, "new_password": OTHER_PASSWORD}
    assert post(service, "activations", body).status_code == 201


def unknown(service: ScanService) -> dict[str, Any]:
    person = collected(service.bureau)
    return claim_of(person, social_security_number=make_number(77_000).text)


def another_name(service: ScanService) -> dict[str, Any]:
    return claim_of(collected(service.bureau), name="王某某")


def another_card(service: ScanService) -> dict[str, Any]:
    other = collected(service.bureau)
    return claim_of(collected(service.bureau), card_number=other.card_number)


def on_its_way(service: ScanService) -> dict[str, Any]:
    (card,) = service.bureau.issued_cards(1)
    return claim_of(at_hand(service.bureau, card.id))


def active_already(service: ScanService) -> dict[str, Any]:
    return claim_of(at_hand(service.bureau, service.bureau.person().card_id))


def lost(service: ScanService) -> dict[str, Any]:
    (card,) = service.bureau.issued_cards(1)
    service.bureau.perform(ActivateCard(card.id, Evidence.IDENTITY_DOCUMENT), service.bureau.maker)
    service.bureau.perform(ReportTemporaryLoss(card.id), service.bureau.maker)
    return claim_of(at_hand(service.bureau, card.id))


def no_password_yet(service: ScanService) -> dict[str, Any]:
    return forgetful(collected(service.bureau))


def unknown_and_forgetful(service: ScanService) -> dict[str, Any]:
    number = make_number(77_001).text
    return forgetful(service.bureau.person(), social_security_number=number)


def another_name_and_forgetful(service: ScanService) -> dict[str, Any]:
    return forgetful(service.bureau.person(), name="王某某")


REFUSED = (
    unknown,
    another_name,
    another_card,
    on_its_way,
    active_already,
    lost,
    no_password_yet,
    unknown_and_forgetful,
    another_name_and_forgetful,
)


def test_whoever_passes_the_check_and_fits_nobody_is_told_one_thing(service: ScanService) -> None:
    """Also where the check itself was failed; and as much of the database is asked each time."""
    person = collected(service.bureau)
    claims = [make(service) for make in REFUSED]
    answers, asked = set(), set()
    for claim in (*claims, claim_of(person)):
        body = begun(service, claim)
        if claim["social_security_number"] == person.number:
            body["typed"] = "no"
        with counted(service.bureau) as statements:
            answer = post(service, RESULTS, body)
        answers.add((answer.status_code, answer.text))
        asked.add(tuple(statements))
        fails = post(service, "activations", {"ticket": body["ticket"], "new_password": "618204"})
        assert fails.json()["code"] == "person_check_over"
    ((status, text),) = answers
    assert (status, json.loads(text)["code"]) == (403, "person_check_refused")
    assert len(asked) == 1
    assert states_of(service.bureau, person.card_id)[0] is CardState.NOT_ACTIVATED


@contextmanager
def counted(bureau: Bureau) -> Iterator[list[str]]:
    """The statements that the database is asked meanwhile."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        # Which field key seals is looked at now and then, whoever asks for what.
        if "field_keys" not in statement:
            found.append(statement)

    engine = bureau.store._engine
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def test_begun_checks_tell_nothing_of_who_is_known(service: ScanService) -> None:
    told = []
    for claim in (claim_of(collected(service.bureau)), unknown(service), on_its_way(service)):
        answer = post(service, "person-checks", claim)
        document = answer.json()
        told.append((answer.status_code, set(document), document["simulated"], document["digits"]))
    assert told[0] == told[1] == told[2]
    assert told[0][0] == 201


def test_a_check_ends_with_its_tries_its_time_and_its_number_is_locked(
    service: ScanService,
) -> None:
    person = collected(service.bureau)
    claim = claim_of(person)
    late = begun(service, claim)
    service.bureau.clock.advance(CHECK_LIFE.total_seconds())
    assert post(service, RESULTS, late).json()["code"] == "person_check_over"
    first = begun(service, claim)
    wrong = {**first, "typed": "0000" if first["typed"] != "0000" else "1111"}
    for _ in range(CHECK_FAILURES_MAX):
        assert post(service, RESULTS, wrong).status_code == 403
    # The right answer comes too late for this check.
    assert post(service, RESULTS, first).json()["code"] == "person_check_over"
    second = begun(service, claim)
    for _ in range(FAILURES_MAX - CHECK_FAILURES_MAX):
        assert post(service, RESULTS, {**second, "typed": "no"}).status_code == 403
    locked = [post(service, RESULTS, second), post(service, "person-checks", claim)]
    assert {one.status_code for one in locked} == {429}
    assert all("Retry-After" in one.headers for one in locked)
    assert states_of(service.bureau, person.card_id)[0] is CardState.NOT_ACTIVATED
    service.bureau.clock.advance(LOCK_MINUTES * 60)
    assert passed(service, claim)


@pytest.mark.parametrize("make", [lambda service: claim_of(collected(service.bureau)), unknown])
def test_a_number_begins_so_many_checks_known_or_not(
    service: ScanService, make: Callable[[ScanService], dict[str, Any]]
) -> None:
    claim = make(service)
    answers = [post(service, "person-checks", claim).status_code for _ in range(STARTS_MAX + 1)]
    assert answers == [201] * STARTS_MAX + [429]


def test_one_address_begins_so_many_checks_in_a_minute(service: ScanService) -> None:
    statuses = [
        post(service, "person-checks", forgetful_of(number)).status_code
        for number in range(STARTS_A_MINUTE + 1)
    ]
    assert statuses == [201] * STARTS_A_MINUTE + [429]


def forgetful_of(serial: int) -> dict[str, Any]:
    number = make_number(80_000 + serial).text
    return {"purpose": "new_password", "social_security_number": number, "name": "王某"}


def test_a_number_says_by_itself_that_it_is_none_or_a_childs(service: ScanService) -> None:
    child = make_number(5, date(2015, 1, 1)).text
    for number, code in ((child, "family_refused"), ("440604198001011", "invalid_request")):
        claim = forgetful_of(0) | {"social_security_number": number}
        assert post(service, "person-checks", claim).json()["code"] == code


class Deciding(SimulatedPersonCheck):
    """A provider that says what it is told to; `None`: it gives no answer."""

    outcome: Outcome | None = Outcome.UNDECIDED

    def result(self, reference: str, typed: str) -> Outcome:
        if self.outcome is None:
            raise PersonCheckUnavailableError
        return self.outcome


def test_where_nothing_is_decided_nothing_is_done_or_counted(service: ScanService) -> None:
    provider = Deciding(random_bytes=service.bureau.kernel.random_bytes)
    object.__setattr__(service.services, "person_check", provider)
    person = collected(service.bureau)
    body = begun(service, claim_of(person))
    for outcome, status, code in (
        (Outcome.UNDECIDED, 409, "person_check_undecided"),
        (None, 503, "person_check_unavailable"),
    ):
        provider.outcome = outcome
        for _ in range(FAILURES_MAX):
            answer = post(service, RESULTS, body)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
    new = {"ticket": body["ticket"], "new_password": OTHER_PASSWORD}
    assert post(service, "activations", new).json()["code"] == "person_check_over"
    provider.outcome = Outcome.PASSED
    assert post(service, RESULTS, body).status_code == 200
    object.__setattr__(service.services, "person_check", None)
    missing = post(service, "person-checks", claim_of(person))
    assert (missing.status_code, missing.json()["code"]) == (409, "person_check_missing")


def test_a_ticket_serves_for_what_it_was_asked_for_alone(service: ScanService) -> None:
    person = service.bureau.person()
    ticket = passed(service, forgetful(person))
    body = {"ticket": ticket, "new_password": OTHER_PASSWORD}
    assert post(service, "activations", body).json()["code"] == "person_check_over"
    kernel, hashed = service.bureau.kernel, service.bureau.hash(OTHER_PASSWORD)
    check_id = kernel.store.cipher.blind_index("person_check_ticket", ticket).hex()
    with pytest.raises(PersonCheckOverError):
        service.bureau.perform(ActivateOnline(check_id, hashed), SYSTEM)
    # Nor is it good for somebody whose card went meanwhile.
    service.bureau.decide(CancelCard(person.card_id, CancelReason.MOVED_AWAY))
    with pytest.raises(PersonCheckOverError):
        service.bureau.perform(ResetPassword(check_id, hashed), SYSTEM)
    card = collected(service.bureau)
    ticket = passed(service, claim_of(card))
    service.bureau.decide(CancelCard(card.card_id, CancelReason.MOVED_AWAY))
    body = {"ticket": ticket, "new_password": OTHER_PASSWORD}
    assert post(service, "activations", body).json()["code"] == "person_check_over"
    assert states_of(service.bureau, card.card_id)[0] is CardState.CANCELLED


def test_each_step_is_done_once_under_its_key(service: ScanService) -> None:
    person = collected(service.bureau)
    client = service.client()
    origin = {"Origin": BASE_URL}

    def twice(path: str, body: dict[str, Any]) -> Any:
        key = {HEADER: new_key(), **origin}
        answers = [client.post(f"/v1/holder/{path}", json=body, headers=key) for _ in range(2)]
        assert answers[0].content == answers[1].content
        other = client.post(f"/v1/holder/{path}", json=body | {"extra": 1}, headers=key)
        assert other.status_code == 422
        return answers[0].json()

    began = twice("person-checks", claim_of(person))
    typed = re.search(r"\d{4}", began["message_zh"])
    assert typed is not None
    twice(RESULTS, {"ticket": began["ticket"], "typed": typed[0]})
    twice("activations", {"ticket": began["ticket"], "new_password": OTHER_PASSWORD})
    assert len(events(service, "activate_online")) == 1
    missing = client.post("/v1/holder/activations", json={}, headers={**origin, HEADER: "?"})
    assert missing.status_code in {400, 422}


def test_a_new_password_signs_everybody_out_and_unbinds_the_phones(service: ScanService) -> None:
    person = service.bureau.person()
    phone = registered_phone(service.bureau, person, days=1)
    elsewhere = service.signed_in(person)
    for _ in range(FAILURES_MAX):
        assert sign_in(service, person.number, "000000") == 401
    ticket = passed(service, forgetful(person))
    body = {"ticket": ticket, "new_password": OTHER_PASSWORD}
    answer = post(service, "password-resets", body)
    assert (answer.status_code, answer.json()) == (201, {"changed": True, "devices_removed": 1})
    assert elsewhere.get("/v1/holder/card").status_code == 401
    again = post(service, "password-resets", {**body, "new_password": HOLDER_PASSWORD})
    assert again.json()["code"] == "person_check_over"  # a check that was passed is good once
    with service.bureau.store.read() as tx:
        device = devices.get(tx, phone.device_id)
    assert device is not None
    assert device.state is DeviceState.REMOVED
    # Failures at the forgotten password lock nobody out of the new one.
    assert sign_in(service, person.number, OTHER_PASSWORD) == 201
    assert sign_in(service, person.number, HOLDER_PASSWORD) == 401
    (told,) = events(service, "reset_password")
    assert told.subject == f"holder/{person.holder_id}"
    assert "person_check" not in told.payload


def test_a_password_is_changed_with_the_old_one_alone(service: ScanService) -> None:
    person = service.bureau.person()
    browser, elsewhere = service.signed_in(person), service.signed_in(person)
    body = {"password": "000001", "new_password": OTHER_PASSWORD}
    assert browser.post("/v1/holder/passwords", json=body).json()["code"] == "sign_in_refused"
    for weak in ("123456", HOLDER_PASSWORD):
        body = {"password": HOLDER_PASSWORD, "new_password": weak}
        assert browser.post("/v1/holder/passwords", json=body).json()["code"] == "weak_password"
    body = {"password": HOLDER_PASSWORD, "new_password": OTHER_PASSWORD}
    assert browser.post("/v1/holder/passwords", json=body).status_code == 204
    assert elsewhere.get("/v1/holder/card").status_code == 401
    assert sign_in(service, person.number, HOLDER_PASSWORD) == 401
    assert sign_in(service, person.number, OTHER_PASSWORD) == 201


def test_nobody_changes_a_password_from_an_old_or_another_session(bureau: Bureau) -> None:
    person, other = bureau.people(2)
    opened = sign_in_holder(bureau.kernel, person.number, HOLDER_PASSWORD, pepper=PEPPER)
    act = ChangeHolderPassword(token_digest(bureau.kernel, opened.token), bureau.hash("618204"))
    with pytest.raises(NotAllowedError):
        bureau.perform(act, other.actor)
    bureau.clock.advance(PROVED_WITHIN.total_seconds() + 1)
    with pytest.raises(NotAllowedError):
        bureau.perform(act, person.actor)


def events(service: ScanService, topic: str) -> list[outbox.Event]:
    with service.bureau.store.read() as tx:
        last = outbox.last(tx, "bureau")
        found = outbox.page(tx, "bureau", after=max(0, last - 100))
    return [one for one in found if one.topic == topic]
