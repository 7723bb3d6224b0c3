"""Over HTTP: a holder applies for a card, and shows a relative's e-card."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from bureau import HOLDER_PASSWORD, Person
from filing import REGISTER, bound, child, child_fields, file, next_card, ward_of
from person_checks import OTHER_PASSWORD, forgetful, passed, post
from scan_service import ScanService
from sqlalchemy import event, select
from starlette.testclient import TestClient

from card_core.application import ApplicationKind
from card_core.applying import FilingEvidence
from card_core.errors import NotFoundError
from card_core.identity import Sex
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.cards import CancelCard, CancelReason, ReportTemporaryLoss
from card_core.kernel.acts.filings import AcceptFiling
from card_core.kernel.acts.guardians import EndGuardianship
from card_core.kernel.acts.taking_in import BatchFilings
from card_core.kernel.dates import SHANGHAI
from card_core.store import cards, holders
from card_core.store.schema import audit_events

APPLICATIONS = "/v1/holder/applications"
FAMILY = "/v1/holder/family"


@pytest.fixture
def pair(service: ScanService) -> tuple[Person, TestClient, Person, TestClient]:
    """A parent and a grown child, each signed in."""
    parent, child = service.person, service.bureau.person()
    return parent, service.signed_in(parent), child, service.signed_in(child)


def offered(browser: TestClient) -> dict[str, Any]:
    answer = browser.post(f"{FAMILY}/offers", json={})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_parent_consents_and_the_child_shows_the_code(
    service: ScanService, pair: tuple[Person, TestClient, Person, TestClient]
) -> None:
    parent, parents, child, childs = pair
    offer = offered(parents)
    assert [one["family_member_id"] for one in parents.get(FAMILY).json()["offers"]] == [
        offer["family_member_id"]
    ]
    body = {"consent_code": offer["consent_code"].lower(), "relation": "parent"}
    taken = childs.post(f"{FAMILY}/members", json=body)
    assert taken.status_code == 201, taken.text
    member = f"{FAMILY}/members/{taken.json()['family_member_id']}"
    shown = childs.post(f"{member}/codes", json={})
    assert shown.status_code == 201, shown.text
    scanned = service.bureau.scan(shown.json()["text"])
    assert (scanned["outcome"], scanned["for_whom"]) == ("accepted", "family")
    # Each sees the other's masked name, and no more.
    (seen,) = childs.get(FAMILY).json()["members"]
    assert (seen["relation"], seen["name"][-1]) == ("parent", parent.name[-1])
    for browser, other in ((childs, parent), (parents, child)):
        page = json.dumps(browser.get(FAMILY).json(), ensure_ascii=False)
        assert other.name not in page
        assert other.number not in page
    (scan,) = parents.get("/v1/holder/scans").json()["scans"]
    assert scan["outcome"] == "accepted"
    assert childs.get("/v1/holder/scans").json()["scans"] == []
    assert parents.delete(member).status_code == 204
    ended = childs.post(f"{member}/codes", json={})
    assert (ended.status_code, ended.json()["code"], ended.json()["reason"]) == (
        409,
        "family_refused",
        "family_ended",
    )
    assert childs.get(FAMILY).json()["members"] == []


def test_a_code_is_refused_in_both_languages_and_tells_nothing(
    pair: tuple[Person, TestClient, Person, TestClient],
) -> None:
    _, parents, _, childs = pair
    wrong = childs.post(f"{FAMILY}/members", json={"consent_code": "7KQMX-2VTNC-9RZ4D-WH3SP"})
    assert (wrong.status_code, wrong.json()["code"]) == (404, "not_found")
    unreadable = childs.post(f"{FAMILY}/members", json={"consent_code": "?" * 20})
    assert (unreadable.status_code, unreadable.json()["code"]) == (422, "invalid_request")
    both = {"consent_code": "7KQMX-2VTNC-9RZ4D-WH3SP", "guardianship_id": "0" * 32}
    assert childs.post(f"{FAMILY}/members", json=both).status_code == 422
    assert childs.post(f"{FAMILY}/members", json={}).status_code == 422
    for _ in range(3):
        offered(parents)
    full = parents.post(f"{FAMILY}/offers", json={}).json()
    assert full["reason"] == "too_many_offers"
    assert "解除" in full["detail_zh"]


def test_a_retried_offer_is_the_same_offer(
    pair: tuple[Person, TestClient, Person, TestClient],
) -> None:
    _, parents, _, _ = pair
    key = {"Idempotency-Key": '"one-offer"'}
    first = parents.post(f"{FAMILY}/offers", json={}, headers=key)
    again = parents.post(f"{FAMILY}/offers", json={}, headers=key)
    assert (first.status_code, first.content) == (201, again.content)
    assert len(parents.get(FAMILY).json()["offers"]) == 1


def test_a_guardian_shows_the_ward(service: ScanService) -> None:
    mother = service.person
    ward = ward_of(service.bureau, mother)
    guardianship_id = bound(service.bureau, ward, mother)
    browser = service.signed_in(mother)
    (seen,) = browser.get(FAMILY).json()["wards"]
    assert (seen["guardianship_id"], seen["ends_on"]) == (guardianship_id, "2036-05-01")
    assert not seen["is_member"]
    taken = browser.post(f"{FAMILY}/members", json={"guardianship_id": guardianship_id})
    member_id = taken.json()["family_member_id"]
    shown = browser.post(f"{FAMILY}/members/{member_id}/codes", json={})
    assert service.bureau.scan(shown.json()["text"])["for_whom"] == "family"
    # Once added, the child is not offered to be added again, until that has ended.
    assert browser.get(FAMILY).json()["wards"] == [{**seen, "is_member": True}]
    browser.delete(f"{FAMILY}/members/{member_id}")
    assert browser.get(FAMILY).json()["wards"] == [seen]


def test_a_guardian_applies_for_a_child_until_the_card_is_there(service: ScanService) -> None:
    mother, bureau = service.person, service.bureau
    browser = service.signed_in(mother)
    body = {"kind": "new", "child": child_fields()}
    filed = browser.post(APPLICATIONS, json=body)
    assert (filed.status_code, filed.json()["state"]) == (201, "filed"), filed.text
    again = browser.post(APPLICATIONS, json=body)
    assert (again.status_code, again.json()["reason"]) == (409, "has_open_application")
    assert "在办" in again.json()["detail_zh"]
    filing_id = filed.json()["application_id"]
    accept = AcceptFiling(filing_id, FilingEvidence.HOUSEHOLD_REGISTER, "户 1")
    bureau.perform(accept, bureau.checker)
    (seen,) = browser.get(APPLICATIONS).json()["applications"]
    assert (seen["state"], seen["name"]) == ("accepted", "**童")
    taken = bureau.perform(BatchFilings("网上"), bureau.maker)
    bureau.approve(taken)
    bureau.perform(IssueChunk(taken["batch_id"], 1), bureau.maker)
    with bureau.store.read() as tx:
        (card,) = cards.page(tx, batch_id=taken["batch_id"])
        holder = holders.get(tx, card.holder_id)
    assert holder is not None
    assert (holder.guardian_name, holder.guardian_number) == (mother.name, mother.number)
    assert browser.delete(f"{APPLICATIONS}/{filing_id}").status_code == 409


def test_fields_are_judged_as_a_rosters(service: ScanService) -> None:
    browser = service.signed_in()
    child = child_fields() | {"sex": "x", "phone": "12", "number": "44060420200501100X"}
    answer = browser.post(APPLICATIONS, json={"kind": "new", "child": child})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    errors = {one["field"]: one for one in answer.json()["errors"]}
    assert {"sex", "phone", "number"} <= errors.keys()
    assert errors["sex"]["code"] == "sex_unknown"
    assert errors["sex"]["message_zh"]
    assert "12" not in answer.json()["errors"][0]["message_en"]
    adult = child_fields() | {"number": "110101199003074557", "birth_on": "1990-03-07", "sex": "男"}
    refused = browser.post(APPLICATIONS, json={"kind": "new", "child": adult})
    assert refused.status_code in {403, 422}


def test_the_own_next_card(service: ScanService) -> None:
    person, bureau = service.person, service.bureau
    browser = service.signed_in(person)
    refused = browser.post(APPLICATIONS, json={"kind": "replacement"})
    assert (refused.status_code, refused.json()["reason"]) == (409, "not_lost")
    batch = browser.post(APPLICATIONS, json={"kind": "exchange"})
    assert batch.json()["reason"] == "exchange_at_once"
    filed = browser.post(APPLICATIONS, json={"kind": "exchange", "mode": "at_once"})
    assert filed.json()["state"] == "filed"
    filing_id = filed.json()["application_id"]
    assert browser.delete(f"{APPLICATIONS}/{filing_id}").status_code == 204
    (seen,) = browser.get(APPLICATIONS).json()["applications"]
    assert seen["state"] == "withdrawn"
    assert next_card(bureau, person, ApplicationKind.EXCHANGE).name == person.name


def test_the_sixteenth_birthday_is_told_to_both_before_and_after(service: ScanService) -> None:
    bureau, guardian = service.bureau, service.person
    child = ward_of(bureau, guardian, born_on=date(2010, 3, 5))
    bound(bureau, child, guardian)

    def told(person: Person) -> dict[str, Any]:
        found = service.signed_in(person).get(FAMILY).json()
        return {name: found[name] for name in ("wards", "grown", "guardians")}

    before, childs = told(guardian), told(child)
    ((ward,), ()) = before["wards"], before["grown"]
    assert (ward["ends_on"], ward["name"][-1]) == ("2026-03-05", child.name[-1])
    (own,) = childs["guardians"]
    assert (own["ends_on"], own["is_over"]) == ("2026-03-05", False)
    bureau.clock.advance(3 * 86_400)
    after = told(guardian)
    # Of one who is grown, how it is with the card is not told any more.
    assert ward["card_state"] == "normal"
    assert (after["wards"], after["grown"]) == ([], [{**ward, "card_state": None}])
    assert [one["is_over"] for one in told(child)["guardians"]] == [True]
    bureau.clock.advance(365 * 86_400)
    assert told(guardian)["grown"] == told(child)["guardians"] == []


def test_a_child_sets_a_password_of_their_own_at_sixteen_and_not_before(
    service: ScanService,
) -> None:
    child = ward_of(service.bureau, service.person, born_on=date(2010, 3, 5))
    early = post(service, "person-checks", forgetful(child))
    assert (early.status_code, early.json()["reason"]) == (409, "under_age")
    service.bureau.clock.advance(3 * 86_400)
    body = {"ticket": passed(service, forgetful(child)), "new_password": OTHER_PASSWORD}
    assert post(service, "password-resets", body).status_code == 201


def lost_and_found(browser: TestClient, path: str) -> tuple[Any, Any]:
    """What somebody is told who reports a loss there, and then takes it back."""
    lost = browser.post(f"{path}/loss-reports", json={})
    return lost, browser.post(f"{path}/loss-withdrawals", json={"password": HOLDER_PASSWORD})


def test_a_guardian_reports_a_wards_loss_as_their_own(service: ScanService) -> None:
    mother, bureau = service.person, service.bureau
    ward = ward_of(bureau, mother)
    path = f"{FAMILY}/wards/{bound(bureau, ward, mother)}"
    browser = service.signed_in(mother)
    shown = service.mint(ward)
    lost = browser.post(f"{path}/loss-reports", json={})
    assert (lost.status_code, lost.json()) == (200, {"card_state": "temporary_loss"})
    assert bureau.scan(shown)["reason"] == "card_lost"
    assert bureau.scan(service.mint(mother))["outcome"] == "accepted"
    wrong = browser.post(f"{path}/loss-withdrawals", json={"password": "000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "sign_in_refused")
    again = browser.post(f"{path}/loss-reports", json={})
    browser.post("/v1/holder/loss-reports", json={})
    own = browser.post("/v1/holder/loss-reports", json={})
    assert (again.status_code, again.content) == (409, own.content)
    found = browser.post(f"{path}/loss-withdrawals", json={"password": HOLDER_PASSWORD})
    assert (found.status_code, found.json()) == (200, {"card_state": "normal"})
    with bureau.store.read() as tx:
        asked = select(audit_events).where(audit_events.c.act == "report_temporary_loss")
        first = tx.connection.execute(asked.order_by(audit_events.c.seq)).first()
    assert first is not None
    assert first.actor_id == mother.holder_id
    assert "guardianship_id" in str(first.detail)


def test_whoever_is_no_guardian_any_more_is_told_what_a_stranger_is(service: ScanService) -> None:
    mother, bureau = service.person, service.bureau
    today = bureau.clock().astimezone(SHANGHAI).date()
    almost = ward_of(bureau, mother, today.replace(year=today.year - 16) + timedelta(days=1))
    stranger = bureau.person()
    ended, cardless, strangers = (
        ward_of(bureau, one, date(2020, 5, day))
        for one, day in ((mother, 1), (mother, 2), (stranger, 3))
    )
    over = bound(bureau, ended, mother)
    bureau.perform(EndGuardianship(over), bureau.maker)
    without = bound(bureau, cardless, mother)
    bureau.decide(CancelCard(cardless.card_id, CancelReason.MADE_IN_ERROR))
    foreign = bound(bureau, strangers, stranger)
    grown = bound(bureau, almost, mother)
    bureau.clock.advance(2 * 86_400)
    browser = service.signed_in(mother)
    never_was = lost_and_found(browser, f"{FAMILY}/wards/{'0' * 32}")
    assert {one.status_code for one in never_was} == {404}
    for bound_id in (over, without, foreign, grown):
        told = lost_and_found(browser, f"{FAMILY}/wards/{bound_id}")
        assert [one.content for one in told] == [one.content for one in never_was]
        assert [one.headers for one in told] == [one.headers for one in never_was]
    # The act itself asks again: what was looked up before it may be over by then.
    for ward in (ended, strangers, almost):
        with pytest.raises(NotFoundError):
            bureau.perform(ReportTemporaryLoss(ward.card_id), mother.actor)


def test_whoever_guesses_learns_nothing_of_a_child(service: ScanService) -> None:
    """Known or not, with a card, an application, another name: one answer, by the same work."""
    bureau = service.bureau
    mother, *guessers = bureau.people(3)
    ward_of(bureau, mother)
    children = [child(mother, serial) for serial in range(5)]
    filed = file(bureau, children[1], actor=mother.actor)
    bureau.perform(AcceptFiling(filed["filing_id"], REGISTER, "户 1"), bureau.checker)
    file(bureau, children[2], actor=mother.actor)
    bureau.import_roster((children[3]._replace(row=1),))
    # Beside those four a child whom nobody knows; in each round the names are right, or wrong.
    statements: list[str] = []
    engine = bureau.store._engine
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    # Which field keys there are is looked at as time goes by, whatever is asked.
    seen: dict[tuple[Any, ...], list[str]] = {}
    for guesser, right in zip(guessers, (True, False), strict=True):
        browser = service.signed_in(guesser)
        for one in (*children[:4], child(mother, 9 + right)):
            asked = child_fields() | {
                "name": one.name if right else "别家孩子",
                "number": one.number.text,
                "sex": "男" if one.sex is Sex.MALE else "女",
            }
            statements.clear()
            answer = browser.post(APPLICATIONS, json={"kind": "new", "child": asked})
            told = (answer.status_code, answer.json().get("state"), len(answer.content))
            headers = tuple(sorted(answer.headers.items()))
            work = [one for one in statements if "FROM field_keys" not in one]
            seen.setdefault((*told, headers, *work), []).append(asked["number"])
    assert len(seen) == 1, [(key[:3], len(key), who) for key, who in seen.items()]
    ((status, state, *_),) = seen
    assert (status, state) == (201, "filed")
    assert len(statements) > 5
