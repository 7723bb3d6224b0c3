"""Service channels: a person before a machine, and what the machine may do for them."""

import json
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from bureau import HOLDER_PASSWORD, Person
from scan_service import HOSPITAL_CODE, REGISTRATION, ScanService, TerminalDevice

from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.acts.institutions import SuspendInstitution, SuspendTerminal
from card_core.kernel.acts.printed_codes import PRINTED_LIFE
from card_core.service_channels import SESSION_IDLE, SESSION_LIFE, ChannelKind
from card_core.states import CardState
from card_core.store import audit_reading, cards, institutions, printed_codes

FIELDS: dict[str, Any] = {"request_id": "r-1"}


@pytest.fixture
def kiosk(service: ScanService) -> TerminalDevice:
    return service.enrol(HOSPITAL_CODE, 0xC1, ChannelKind.KIOSK)


@pytest.fixture
def other_kiosk(service: ScanService) -> TerminalDevice:
    return service.enrol(HOSPITAL_CODE, 0xC2, ChannelKind.KIOSK)


def asked(
    service: ScanService, device: TerminalDevice, what: str, **fields: Any
) -> httpx2.Response:
    return device.post(service.http, f"/v1/channel/{what}", json.dumps(fields).encode())


def signed_in(service: ScanService, device: TerminalDevice, person: Person | None = None) -> str:
    found = person or service.person
    answer = asked(
        service,
        device,
        "sessions",
        social_security_number=found.number,
        password=HOLDER_PASSWORD,
    )
    assert answer.status_code == 201, answer.text
    session: str = answer.json()["session"]
    return session


def printed(service: ScanService, device: TerminalDevice, session: str) -> str:
    answer = asked(service, device, "printed-codes", session=session)
    assert answer.status_code == 201, answer.text
    text: str = answer.json()["text"]
    return text


def code_of(answer: httpx2.Response) -> str:
    return str(answer.json()["code"])


def verdict(service: ScanService, text: str, **fields: Any) -> tuple[str, str]:
    """At the pharmacy, for medicine."""
    answer = service.scan(service.pharmacy, text, **fields).json()
    return answer["outcome"], answer["reason"]


# ---- which machine it is


def test_a_channel_says_what_it_is_and_may(service: ScanService, kiosk: TerminalDevice) -> None:
    headers = {"Authorization": kiosk.authorization("GET", "/v1/channel")}
    answer = service.http.get("/v1/channel", headers=headers).json()
    assert answer["kind"] == "kiosk"
    assert answer["institution_code"] == HOSPITAL_CODE
    assert answer["rights"] == ["print_code", "report_temporary_loss", "see_applications"]
    assert answer["is_attended"] is False


def test_a_terminal_is_no_channel_and_a_channel_no_terminal(
    service: ScanService, kiosk: TerminalDevice
) -> None:
    body = {"social_security_number": service.person.number, "password": HOLDER_PASSWORD}
    answer = asked(service, service.hospital, "sessions", **body)
    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    answer = service.scan(kiosk, service.mint(), business_type=REGISTRATION)
    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    # Nor does it read what terminals read, where no act would ask the kernel.
    headers = {"Authorization": kiosk.authorization("GET", "/v1/terminal")}
    answer = service.http.get("/v1/terminal", headers=headers)
    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")


def test_a_signed_request_of_a_channel_is_taken_once(
    service: ScanService, kiosk: TerminalDevice
) -> None:
    headers = {"Authorization": kiosk.authorization("GET", "/v1/channel")}
    assert service.http.get("/v1/channel", headers=headers).status_code == 200
    assert service.http.get("/v1/channel", headers=headers).status_code == 401


@pytest.mark.parametrize("whole_place", [False, True])
def test_a_suspended_channel_does_nothing_any_more(
    service: ScanService, kiosk: TerminalDevice, whole_place: bool
) -> None:
    session = signed_in(service, kiosk)
    bureau = service.bureau
    act = SuspendInstitution(HOSPITAL_CODE) if whole_place else SuspendTerminal(kiosk.serial_number)
    bureau.perform(act, bureau.maker)
    # Also before the process has read it: the act's own transaction reads the row anew.
    answer = asked(service, kiosk, "loss-reports", session=session, **FIELDS)
    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    service.registry.refresh()
    answer = asked(service, kiosk, "loss-reports", session=session, **FIELDS)
    assert answer.status_code == 403
    assert code_of(answer) == ("institution_suspended" if whole_place else "terminal_suspended")
    with bureau.store.read() as tx:
        card = cards.get(tx, service.person.card_id)
    assert card is not None
    assert card.state is CardState.NORMAL


# ---- whose session it is


def test_a_session_is_good_at_its_own_channel_alone(
    service: ScanService, kiosk: TerminalDevice, other_kiosk: TerminalDevice
) -> None:
    session = signed_in(service, kiosk)
    for what, fields in (("printed-codes", {}), ("loss-reports", FIELDS)):
        answer = asked(service, other_kiosk, what, session=session, **fields)
        assert (answer.status_code, code_of(answer)) == (401, "sign_in_needed")
    page = service.client()
    page.cookies.set("sscard_holder", session)
    assert page.get("/v1/holder/card").status_code == 401
    # And a page's session is none at a channel.
    browser = service.signed_in()
    token = browser.cookies["sscard_holder"]
    answer = asked(service, kiosk, "printed-codes", session=token)
    assert (answer.status_code, code_of(answer)) == (401, "sign_in_needed")


def test_another_channel_ends_nobodys_session(
    service: ScanService, kiosk: TerminalDevice, other_kiosk: TerminalDevice
) -> None:
    session = signed_in(service, kiosk)
    assert asked(service, other_kiosk, "sessions/end", session=session).status_code == 200
    printed(service, kiosk, session)
    assert asked(service, kiosk, "sessions/end", session=session).status_code == 200
    answer = asked(service, kiosk, "printed-codes", session=session)
    assert (answer.status_code, code_of(answer)) == (401, "sign_in_needed")


def test_a_session_ends_by_itself_without_use_and_after_five_minutes(
    service: ScanService, kiosk: TerminalDevice
) -> None:
    session = signed_in(service, kiosk)
    service.clock.advance(SESSION_IDLE.total_seconds())
    answer = asked(service, kiosk, "printed-codes", session=session)
    assert (answer.status_code, code_of(answer)) == (401, "sign_in_needed")
    session = signed_in(service, kiosk)
    for _ in range(int(SESSION_LIFE / timedelta(minutes=1)) - 1):
        service.clock.advance(60)
        printed(service, kiosk, session)
    service.clock.advance(60)
    answer = asked(service, kiosk, "printed-codes", session=session)
    assert (answer.status_code, code_of(answer)) == (401, "sign_in_needed")


def test_wrong_passwords_lock_the_number_wherever_they_are_tried(
    service: ScanService, kiosk: TerminalDevice
) -> None:
    body = {"social_security_number": service.person.number, "password": "135791"}
    for _ in range(5):
        answer = asked(service, kiosk, "sessions", **body)
        assert (answer.status_code, code_of(answer)) == (401, "sign_in_refused")
    answer = asked(service, kiosk, "sessions", **body)
    assert (answer.status_code, code_of(answer)) == (429, "sign_in_locked")


# ---- what is done


def test_a_loss_counts_from_its_answer_and_the_log_says_where(
    service: ScanService, kiosk: TerminalDevice
) -> None:
    code = service.mint()
    session = signed_in(service, kiosk)
    answer = asked(service, kiosk, "loss-reports", session=session, **FIELDS)
    assert answer.json()["card_state"] == "temporary_loss"
    again = asked(service, kiosk, "loss-reports", session=session, **FIELDS)
    assert again.json() == answer.json()
    assert verdict(service, code) == ("refused", "card_lost")
    with service.bureau.store.read() as tx:
        channel = institutions.terminal_by_serial(tx, kiosk.serial_number)
        events = list(audit_reading.events(tx, "bureau", until=10_000))
    assert channel is not None
    found = {
        one.act: (one.actor_kind, json.loads(one.detail).get("channel_id"))
        for one in events
        if one.act in {"sign_in", "report_temporary_loss"}
    }
    assert found == {
        "sign_in": ("system", channel.id),
        "report_temporary_loss": ("holder", channel.id),
    }


def test_a_printed_code_is_accepted_once_within_its_half_hour(
    service: ScanService, kiosk: TerminalDevice
) -> None:
    text = printed(service, kiosk, signed_in(service, kiosk))
    service.clock.advance(PRINTED_LIFE.total_seconds() - 1)
    assert verdict(service, text) == ("accepted", "accepted")
    assert verdict(service, text) == ("refused", "already_used")
    service.clock.advance(70)
    assert verdict(service, text) == ("refused", "expired")


def test_of_two_that_show_a_paper_at_once_the_first_ones_code_is_kept(
    service: ScanService, kiosk: TerminalDevice
) -> None:
    text = printed(service, kiosk, signed_in(service, kiosk))
    kernel, codes = service.bureau.kernel, (service.mint(), service.mint())
    with service.bureau.store.read() as tx:
        index = printed_codes.index(tx, text)
    assert [kernel.keep_code_of_print(index, code) for code in codes] == [codes[0]] * 2
    assert service.services.printed_codes.find_code(text) == codes[0]


def test_a_retry_of_the_same_scan_gets_the_same_answer(
    service: ScanService, kiosk: TerminalDevice
) -> None:
    text = printed(service, kiosk, signed_in(service, kiosk))
    first = service.scan(service.pharmacy, text, request_id="same").json()
    again = service.scan(service.pharmacy, text, request_id="same").json()
    assert first == again
    assert first["outcome"] == "accepted"


def test_a_printed_code_is_over_after_its_half_hour(
    service: ScanService, kiosk: TerminalDevice
) -> None:
    session = signed_in(service, kiosk)
    answer = asked(service, kiosk, "printed-codes", session=session).json()
    assert datetime.fromisoformat(answer["valid_until"]) == service.clock() + PRINTED_LIFE
    service.clock.advance(PRINTED_LIFE.total_seconds())
    assert verdict(service, answer["text"]) == ("refused", "expired")


def test_a_new_print_ends_the_one_before(service: ScanService, kiosk: TerminalDevice) -> None:
    session = signed_in(service, kiosk)
    first, second = printed(service, kiosk, session), printed(service, kiosk, session)
    assert verdict(service, first) == ("refused", "unknown_short_code")
    assert verdict(service, second) == ("accepted", "accepted")


def test_a_loss_ends_what_was_printed(service: ScanService, kiosk: TerminalDevice) -> None:
    text = printed(service, kiosk, signed_in(service, kiosk))
    service.bureau.perform(ReportTemporaryLoss(service.person.card_id), service.person.actor)
    assert verdict(service, text) == ("refused", "card_lost")
    answer = asked(service, kiosk, "printed-codes", session=signed_in(service, kiosk))
    assert (answer.status_code, code_of(answer)) == (409, "card_unusable")


def test_a_printed_code_serves_for_medicine_and_for_nothing_else(
    service: ScanService, kiosk: TerminalDevice
) -> None:
    text = printed(service, kiosk, signed_in(service, kiosk))
    answer = service.scan(service.hospital, text, business_type="91101").json()
    assert (answer["outcome"], answer["reason"]) == ("refused", "purpose_mismatch")
    # Refused, it is not used up.
    answer = service.scan(service.hospital, text, business_type=REGISTRATION).json()
    assert answer["outcome"] == "accepted"


def test_nothing_printed_stays_in_the_database(service: ScanService, kiosk: TerminalDevice) -> None:
    text = printed(service, kiosk, signed_in(service, kiosk))
    with service.bureau.store.read() as tx:
        dump = "\n".join(tx.connection.connection.driver_connection.iterdump())
    assert text not in dump
    assert text.encode().hex() not in dump.lower()
