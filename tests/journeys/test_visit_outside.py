"""A visit on a running service: registered, settled, dispensed, refunded, ended by the holder.

The terminals and the phone know the documents alone (`outside`).
"""

import pytest
from installation import Installation, Person
from outside import Answer, Holder, Terminal


@pytest.fixture
def person(embedded: Installation) -> Person:
    return embedded.person()


@pytest.fixture
def holder(embedded: Installation, person: Person) -> Holder:
    return embedded.sign_in(person)


def take(terminal: Terminal, token: str, business_type: str, step: str, **more: object) -> Answer:
    return terminal.post(
        "/v1/visit-steps", visit_token=token, business_type=business_type, step=step, **more
    )


def test_one_code_carries_a_visit_to_a_refund(
    embedded: Installation, person: Person, holder: Holder
) -> None:
    desk, cashier = embedded.hospital, embedded.terminal("H44060400001")
    code = holder.code()
    registered = desk.scan(code, operator="0017").body
    assert registered["outcome"] == "accepted"
    assert registered["holder"]["social_security_number"] == person.number
    token = registered["visit"]["token"]
    assert desk.scan(code).word == "already_used"
    # Another terminal of the same hospital settles and dispenses without a code.
    settled = take(cashier, token, "01301", "bill-7", amount_fen=2000).body
    dispensed = take(cashier, token, "01302", "rx-7").body
    assert [settled["outcome"], dispensed["outcome"]] == ["accepted", "accepted"]
    assert settled["holder"]["name"] == person.name
    assert settled["pseudonym"] == dispensed["pseudonym"] == registered["pseudonym"]
    assert take(desk, token, "01301", "bill-7", amount_fen=2000).word == "already_used"
    # A part of the money goes back; what was refunded in part is not void any more.
    reversals = f"/v1/scans/{settled['scan_id']}/reversals"
    back = cashier.post(reversals, kind="refund", amount_fen=500)
    assert (back.status, back.body["left_fen"]) == (200, 1500)
    voided = cashier.post(reversals, kind="void")
    assert (voided.status, voided.word) == (409, "not_reversible")
    for stranger in (embedded.other_hospital, embedded.pharmacy):
        strange = stranger.post(reversals, kind="refund", amount_fen=1)
        assert (strange.status, strange.word) == (404, "not_found")
    # The holder sees all of it.
    seen = {one["scan_id"]: one for one in holder.get("/v1/holder/scans")["scans"]}
    assert [one["amount_fen"] for one in seen[settled["scan_id"]]["reversals"]] == [500]
    (visit,) = holder.get("/v1/holder/visits")["visits"]
    assert (visit["state"], visit["steps"], visit["amount_fen"]) == ("open", 2, 2000)


def test_from_the_holders_end_of_it_on_no_step_is_taken(
    embedded: Installation, holder: Holder
) -> None:
    desk = embedded.hospital
    token = desk.scan(holder.code()).body["visit"]["token"]
    assert take(desk, token, "01303", "report-1").word == "accepted"
    (visit,) = holder.get("/v1/holder/visits")["visits"]
    assert holder.delete(f"/v1/holder/visits/{visit['visit_id']}") == 204
    assert take(desk, token, "01303", "report-2").word == "visit_ended"
    assert take(desk, token, "01301", "bill-1", amount_fen=100).word == "visit_ended"


def test_a_token_is_worth_nothing_elsewhere(embedded: Installation, holder: Holder) -> None:
    token = embedded.hospital.scan(holder.code()).body["visit"]["token"]
    elsewhere = take(embedded.other_hospital, token, "01301", "bill-1", amount_fen=100)
    assert elsewhere.word == "visit_not_here"
    assert take(embedded.pharmacy, token, "02121", "bill-1", amount_fen=100).word in {
        "visit_not_here",
        "business_type_not_allowed",
    }
    assert embedded.pharmacy.scan(holder.code(), "02121", amount_fen=100).body["visit"] is None
    # None of it spent anything of the visit.
    assert take(embedded.hospital, token, "01301", "bill-1", amount_fen=100).word == "accepted"
