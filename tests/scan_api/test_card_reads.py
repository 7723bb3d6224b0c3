"""Chip cards over the whole service, on both databases: from a challenge to a verdict."""

import dataclasses
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from bureau import MemorySigner
from chip_card import AUTHENTICATION_KEY, OK, ChipCard, card_of, personalised_key
from scan_service import REGISTRATION, ScanService, TerminalDevice, running
from servers.databases import Databases
from sqlalchemy import func, select

from card_core.chip_cards import CHALLENGE_LIFE_SECONDS
from card_core.kernel.acts.cards import (
    CancelCard,
    CancelReason,
    ReportTemporaryLoss,
    WithdrawTemporaryLoss,
)
from card_core.store import schema
from scan_api.refusal_limit import REFUSALS_MAX
from scan_api.terminal import TerminalClient, TerminalKey

UNKNOWN_TERMINAL = 0xEE


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    found: Databases = request.getfixturevalue(f"{request.param}_databases")
    return found


@pytest.fixture
def card(service: ScanService) -> ChipCard:
    """The service's person's card."""
    person = service.person
    return card_of(service.bureau.store, person.card_id, number=person.number, name=person.name)


def challenge_of(service: ScanService, device: TerminalDevice) -> dict[str, Any]:
    answer = device.post(service.http, "/v1/card-challenges", b"")
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def fields_of(
    service: ScanService, card: ChipCard, asked: dict[str, Any], **changed: Any
) -> dict[str, Any]:
    """What a terminal sends of a card that answered this challenge."""
    return {
        "challenge_id": asked["challenge_id"],
        "card_text": card.text(),
        "cryptogram": card.cryptogram(asked["session_factor"], asked["challenge"]),
        "business_type": REGISTRATION,
        "request_id": service.bureau.request_id(),
    } | changed


def send(service: ScanService, device: TerminalDevice, fields: dict[str, Any]) -> httpx2.Response:
    return device.post(service.http, "/v1/card-reads", json.dumps(fields).encode())


def read(service: ScanService, card: ChipCard, **changed: Any) -> dict[str, Any]:
    """A whole reading at the hospital; its verdict."""
    asked = challenge_of(service, service.hospital)
    answer = send(service, service.hospital, fields_of(service, card, asked, **changed))
    assert answer.status_code == 200, answer.text
    verdict: dict[str, Any] = answer.json()
    return verdict


@pytest.mark.parametrize("form", [ChipCard.text, ChipCard.vendor_text], ids=["bars", "colons"])
def test_a_genuine_card_is_accepted_in_both_forms(
    service: ScanService, card: ChipCard, form: Callable[[ChipCard], str]
) -> None:
    verdict = read(service, card, card_text=form(card))
    assert (verdict["outcome"], verdict["reason"]) == ("accepted", "accepted")
    assert verdict["card_state"] == "normal"
    assert verdict["holder"]["name"] == service.person.name
    assert verdict["holder"]["social_security_number"] == service.person.number


def test_the_scan_says_that_it_was_a_card_without_a_pin(
    service: ScanService, card: ChipCard
) -> None:
    verdict = read(service, card)
    with service.bureau.store.read() as tx:
        table = schema.scans
        row = tx.connection.execute(select(table).where(table.c.id == verdict["scan_id"])).one()
    assert (row.medium, row.presence, row.card_id) == ("chip_card", 0, service.person.card_id)


def test_a_recorded_cryptogram_is_refused(service: ScanService, card: ChipCard) -> None:
    fields = fields_of(service, card, challenge_of(service, service.hospital))
    assert send(service, service.hospital, fields).json()["reason"] == "accepted"
    again = fields | {"request_id": service.bureau.request_id()}
    assert send(service, service.hospital, again).json()["reason"] == "already_used"
    fresh = challenge_of(service, service.hospital)
    moved = again | {
        "challenge_id": fresh["challenge_id"],
        "request_id": service.bureau.request_id(),
    }
    assert send(service, service.hospital, moved).json()["reason"] == "card_not_genuine"


def test_a_challenge_is_good_at_its_own_terminal_only(service: ScanService, card: ChipCard) -> None:
    fields = fields_of(
        service, card, challenge_of(service, service.hospital), business_type="02121"
    )
    assert send(service, service.pharmacy, fields).json()["reason"] == "challenge_invalid"
    own = fields | {"business_type": REGISTRATION, "request_id": service.bureau.request_id()}
    assert send(service, service.hospital, own).json()["reason"] == "accepted"


def test_a_challenge_ends_with_its_minute(service: ScanService, card: ChipCard) -> None:
    fields = fields_of(service, card, challenge_of(service, service.hospital))
    service.clock.advance(CHALLENGE_LIFE_SECONDS)
    assert send(service, service.hospital, fields).json()["reason"] == "challenge_invalid"


def test_a_challenge_that_nobody_gave_is_refused(service: ScanService, card: ChipCard) -> None:
    asked = challenge_of(service, service.hospital)
    changed = f"{int(asked['challenge_id'], 16) ^ 1:072x}"
    fields = fields_of(service, card, asked, challenge_id=changed)
    assert send(service, service.hospital, fields).json()["reason"] == "challenge_invalid"


def test_strangers_forgeries_and_unknown_cards_get_one_answer(
    service: ScanService, card: ChipCard
) -> None:
    """Without a genuine chip nobody learns which cards there are."""
    wrong_key = dataclasses.replace(card, key=bytes(16))
    unknown = dataclasses.replace(wrong_key, card_number="ZZ9999999")
    foreign_key = personalised_key(bytes(16), "330106", card.card_number)
    foreign = dataclasses.replace(card, region="330106", key=foreign_key)
    answers = []
    for stranger in (wrong_key, unknown, foreign):
        verdict = read(service, stranger)
        answers.append(
            {key: value for key, value in verdict.items() if key not in {"scan_id", "scanned_at"}}
        )
    assert answers[0]["reason"] == "card_not_genuine"
    assert answers[0]["card_state"] is None
    assert answers[0] == answers[1] == answers[2]


def test_a_genuine_chip_of_no_card_of_ours_is_unknown(service: ScanService, card: ChipCard) -> None:
    key = personalised_key(AUTHENTICATION_KEY, card.region, "ZZ9999999")
    verdict = read(service, dataclasses.replace(card, card_number="ZZ9999999", key=key))
    assert (verdict["reason"], verdict["card_state"]) == ("unknown_card", None)


def test_what_the_reader_says_must_be_what_is_registered(
    service: ScanService, card: ChipCard
) -> None:
    other = service.bureau.person()
    key = personalised_key(AUTHENTICATION_KEY, "440605", card.card_number)
    for liar in (
        dataclasses.replace(card, name="测试乙"),
        dataclasses.replace(card, social_security_number=other.number),
        dataclasses.replace(card, social_security_number=other.number, name=other.name),
        dataclasses.replace(card, region="440605", key=key),
    ):
        assert read(service, liar)["reason"] == "card_data_mismatch"
    longer = dataclasses.replace(card, name_continuation="甲")
    assert read(service, longer, card_text=longer.vendor_text())["reason"] == "card_data_mismatch"
    assert read(service, card)["reason"] == "accepted"


def test_the_cards_state_decides_as_for_a_code(service: ScanService, card: ChipCard) -> None:
    person, bureau = service.person, service.bureau
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    assert read(service, card)["reason"] == "card_lost"
    bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)
    assert read(service, card)["reason"] == "accepted"
    bureau.decide(CancelCard(person.card_id, CancelReason.DEATH))
    verdict = read(service, card)
    assert (verdict["reason"], verdict["card_state"]) == ("card_cancelled", "cancelled")


def test_of_two_requests_that_race_with_one_cryptogram_one_is_accepted(
    service: ScanService, card: ChipCard
) -> None:
    for _ in range(3):
        fields = fields_of(service, card, challenge_of(service, service.hospital))
        start = threading.Barrier(2)

        def race(
            request_id: str, fields: dict[str, Any] = fields, start: threading.Barrier = start
        ) -> str:
            start.wait()
            sent = fields | {"request_id": request_id}
            return str(send(service, service.hospital, sent).json()["reason"])

        ids = [service.bureau.request_id() for _ in range(2)]
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(race, ids)) == ["accepted", "already_used"]


def test_a_retry_gets_the_same_bytes_even_when_the_challenge_is_over(
    service: ScanService, card: ChipCard
) -> None:
    fields = fields_of(service, card, challenge_of(service, service.hospital))
    first = send(service, service.hospital, fields)
    service.clock.advance(3600)
    again = send(service, service.hospital, fields)
    assert first.json()["reason"] == "accepted"
    assert again.content == first.content


@pytest.mark.parametrize("changed", ["card_text", "cryptogram", "challenge_id"])
def test_the_same_request_id_with_another_reading_is_refused(
    service: ScanService, card: ChipCard, changed: str
) -> None:
    fields = fields_of(service, card, challenge_of(service, service.hospital))
    other = fields_of(service, card, challenge_of(service, service.hospital))
    other["card_text"] = card.vendor_text()
    send(service, service.hospital, fields)
    answer = send(service, service.hospital, fields | {changed: other[changed]})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_conflict")


def test_every_wrong_field_of_the_text_is_named_and_nothing_is_recorded(
    service: ScanService, card: ChipCard
) -> None:
    asked = challenge_of(service, service.hospital)
    bad = dataclasses.replace(card, spec_version="9.99", card_number="sb-1")
    answer = send(service, service.hospital, fields_of(service, card, asked, card_text=bad.text()))
    document = answer.json()
    assert (answer.status_code, document["code"]) == (422, "invalid_request")
    fields = [one["field"] for one in document["errors"]]
    assert fields == ["card_text.card_number", "card_text.spec_version"]
    assert all(one["message_zh"] and one["message_en"] for one in document["errors"])
    assert card.social_security_number not in answer.text
    with service.bureau.store.read() as tx:
        count = tx.connection.execute(select(func.count()).select_from(schema.scans)).scalar_one()
    assert count == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"cryptogram": "00" * 15},
        {"cryptogram": "zz" * 16},
        {"challenge_id": "00" * 35},
        {"challenge_id": "AB" * 36},
        {"card_text": ""},
        {"card_text": "x" * 513},
        {"pin": "123456"},
    ],
)
def test_fields_out_of_their_form_are_problems(
    service: ScanService, card: ChipCard, changed: dict[str, str]
) -> None:
    asked = challenge_of(service, service.hospital)
    answer = send(service, service.hospital, fields_of(service, card, asked, **changed))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_business_type_that_is_not_offered_is_refused_before_the_card(
    service: ScanService, card: ChipCard
) -> None:
    asked = challenge_of(service, service.hospital)
    answer = send(
        service,
        service.hospital,
        fields_of(service, card, asked, business_type="02121", card_text="nothing"),
    )
    assert answer.json()["code"] == "business_type_not_allowed"


def test_only_an_enrolled_terminal_is_served_and_each_request_once(
    service: ScanService, card: ChipCard
) -> None:
    stranger = TerminalDevice(UNKNOWN_TERMINAL.to_bytes(8), service.clock)
    for target in ("/v1/card-challenges", "/v1/card-reads"):
        assert stranger.post(service.http, target, b"").status_code == 401
    headers = {"Authorization": service.hospital.authorization("POST", "/v1/card-challenges")}
    assert service.http.post("/v1/card-challenges", headers=headers).status_code == 201
    assert service.http.post("/v1/card-challenges", headers=headers).status_code == 401


def test_a_signed_reading_that_is_sent_again_as_it_was_is_no_retry(
    service: ScanService, card: ChipCard
) -> None:
    fields = fields_of(service, card, challenge_of(service, service.hospital))
    body = json.dumps(fields).encode()
    headers = {
        "Authorization": service.hospital.authorization("POST", "/v1/card-reads", body),
        "Content-Type": "application/json",
    }
    answers = [service.http.post("/v1/card-reads", content=body, headers=headers) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 401]


def test_a_challenge_is_asked_for_without_a_body(service: ScanService) -> None:
    answer = service.hospital.post(service.http, "/v1/card-challenges", b"{}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_no_two_challenges_are_the_same(service: ScanService) -> None:
    asked = [challenge_of(service, service.hospital) for _ in range(20)]
    for field in ("challenge_id", "session_factor", "challenge"):
        assert len({one[field] for one in asked}) == 20


def test_guessing_meets_a_limit_and_genuine_cards_do_not(
    service: ScanService, card: ChipCard
) -> None:
    forged = dataclasses.replace(card, key=bytes(16))
    for _ in range(REFUSALS_MAX):
        assert read(service, forged)["reason"] == "card_not_genuine"
    asked = challenge_of(service, service.hospital)
    refused = send(service, service.hospital, fields_of(service, forged, asked))
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_refusals")
    assert read(service, card)["reason"] == "accepted"


def test_the_terminals_own_program_reads_a_card_over_http(
    service: ScanService, card: ChipCard
) -> None:
    device = service.hospital
    key = TerminalKey(device.serial_number, MemorySigner(device.key))
    with (
        running(service.app) as url,
        TerminalClient(url, key, clock=lambda: service.clock().timestamp()) as terminal,
    ):
        asked = terminal.challenge_card()
        data = bytes.fromhex(asked["session_factor"] + asked["challenge"])
        answer = card.transmit(bytes.fromhex("0088000010") + data)
        assert answer.endswith(OK)
        verdict = terminal.read_card(
            asked["challenge_id"], card.text(), answer[:16], REGISTRATION, operator="0042"
        )
    assert verdict["outcome"] == "accepted"
    assert verdict["holder"]["name"] == service.person.name
