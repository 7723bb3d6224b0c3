"""Institutions and terminals over the operators' API: two people, and a code that is given once."""

from typing import Any

import pytest
from bureau import SYSTEM, Bureau
from servers.databases import Databases, SQLiteDatabases
from starlette.testclient import TestClient
from test_console import PLACE, V1, Window, done

from card_core.kernel import enrolment_codes
from card_core.kernel.acts.enrolment import CODE_LIFE, EnrolTerminal
from card_core.store import answers, approvals
from card_core.store.answers import RequestKey
from crypto import sm2

CODE = PLACE["code"]
SERIAL = "00000000000000d4"
TERMINALS = f"{V1}/institutions/{CODE}/terminals"
KEY = {"Idempotency-Key": '"enrolment"'}


@pytest.fixture
def databases(sqlite_databases: SQLiteDatabases) -> Databases:
    """What the database is makes no difference to the API."""
    return sqlite_databases


@pytest.fixture
def window(bureau: Bureau) -> Window:
    return Window(bureau)


def approve(checker: TestClient, proposed: dict[str, Any]) -> Any:
    body = {"content_hash": proposed["content_hash"]}
    return done(checker.post(f"{V1}/approvals/{proposed['approval_id']}/approval", json=body))


def come(bureau: Bureau, typed: str, serial: str = SERIAL) -> str:
    """What becomes of a terminal that brings a key by this code."""
    code, serial_number = enrolment_codes.parse(typed), bytes.fromhex(serial)
    digest = code.digest(bureau.store.cipher, serial_number)
    point = sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)
    outcome: str = bureau.perform(EnrolTerminal(serial_number, code.name, digest, point), SYSTEM)[
        "outcome"
    ]
    return outcome


def test_a_place_and_its_terminal_are_entered_by_two_people(window: Window) -> None:
    maker, checker = window.sign_in("maker"), window.sign_in("checker")
    bureau = window.bureau
    body = PLACE | {"business_types": ["02121"]}
    proposed = done(maker.post(f"{V1}/institutions", json=body))
    assert maker.post(TERMINALS, json={"serial_number": SERIAL}).status_code == 404
    own = {"content_hash": proposed["content_hash"]}
    refused = maker.post(f"{V1}/approvals/{proposed['approval_id']}/approval", json=own)
    assert (refused.status_code, refused.json()["code"]) == (403, "same_person")
    approve(checker, proposed)
    found = done(maker.get(f"{V1}/institutions"))["institutions"][-1]
    assert found == body | {"state": "active"}

    prepared = done(maker.post(TERMINALS, json={"serial_number": SERIAL.upper()}))
    code = prepared["enrolment_code"]
    assert code[:5] in prepared["summary"]
    assert done(maker.get(TERMINALS)) == {"terminals": [], "waiting": []}
    ends_at = bureau.clock() + CODE_LIFE
    approve(checker, prepared)
    listed = checker.get(TERMINALS)
    assert code not in listed.text
    assert done(listed)["waiting"] == [
        {
            "serial_number": SERIAL,
            "channel": None,
            "code_name": code[:5],
            "ends_at": ends_at.isoformat().replace("+00:00", "Z"),
        }
    ]
    assert come(bureau, code) == "enrolled"
    there = {"serial_number": SERIAL, "channel": None, "state": "active", "has_key": True}
    assert done(maker.get(TERMINALS)) == {"terminals": [there], "waiting": []}
    done(maker.post(f"{V1}/terminals/{SERIAL}/revocation", json={}))
    assert done(maker.get(TERMINALS))["terminals"] == [there | {"has_key": False}]

    place = f"{V1}/institutions/{CODE}/business-types"
    approve(checker, done(maker.post(place, json={"business_types": None})))
    assert done(maker.get(f"{V1}/institutions"))["institutions"][-1]["business_types"] is None


def test_a_code_is_given_once_and_kept_nowhere(window: Window) -> None:
    maker, bureau = window.sign_in("maker"), window.bureau
    place = f"{V1}/institutions/P44060400002/terminals"
    body = {"serial_number": SERIAL}
    prepared = done(maker.post(place, json=body, headers=KEY))
    again = maker.post(place, json=body, headers=KEY)
    assert (again.status_code, again.json()["code"]) == (409, "code_shown_once")
    (waiting,) = done(maker.get(f"{V1}/approvals"))["approvals"]
    assert waiting["approval_id"] == prepared["approval_id"]
    secret = enrolment_codes.parse(prepared["enrolment_code"]).text[5:]
    with bureau.store.read() as tx:
        content = str(approvals.content_of(tx, prepared["approval_id"]))
    key = RequestKey("operator", bureau.maker.id, "enrolment")
    with bureau.kernel.store.write() as tx:
        content += answers.reopen(tx, key).decode()
    assert secret not in content.replace("-", "")


def test_a_code_that_is_out_can_be_withdrawn(window: Window) -> None:
    maker, checker = window.sign_in("maker"), window.sign_in("checker")
    place = f"{V1}/institutions/P44060400002/terminals"
    prepared = done(maker.post(place, json={"serial_number": SERIAL}))
    approve(checker, prepared)
    done(checker.post(f"{V1}/terminals/{SERIAL}/withdrawal", json={}))
    assert done(maker.get(place))["waiting"] == []
    assert come(window.bureau, prepared["enrolment_code"]) == "refused"
    nothing = checker.post(f"{V1}/terminals/{SERIAL}/withdrawal", json={})
    assert (nothing.status_code, nothing.json()["code"]) == (404, "not_found")


def test_what_cant_be_enrolled_there_is_told_before_it_is_proposed(window: Window) -> None:
    maker = window.sign_in("maker")
    for body, status, code in (
        ({"serial_number": "00000000000000a1"}, 409, "terminal_elsewhere"),  # the hospital's
        ({"serial_number": "00000000000000b2", "channel": "kiosk"}, 422, "invalid_act"),
        ({"serial_number": "0" * 16}, 422, "invalid_act"),
        ({"serial_number": "a1"}, 422, "invalid_request"),
    ):
        answer = maker.post(f"{V1}/institutions/P44060400002/terminals", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert done(maker.get(f"{V1}/approvals"))["approvals"] == []
