"""The addresses that a holder's phone calls: what they refuse, and what they tell."""

from datetime import datetime, timedelta

import pytest
from bureau import HOLDER_PASSWORD
from phone import Phone, PhoneApp, day_ends, with_offline_keys
from scan_service import ScanService

from card_core.codes import PurposeClass
from card_core.store.devices import Grade


@pytest.fixture
def app(service: ScanService) -> PhoneApp:
    with_offline_keys(service.bureau)
    return PhoneApp(service.signed_in())


def registered(app: PhoneApp) -> PhoneApp:
    assert app.register(password=HOLDER_PASSWORD).status_code == 201
    return app


def test_a_phone_is_registered_listed_and_removed(service: ScanService, app: PhoneApp) -> None:
    registered(app)
    service.clock.advance(1)
    browser = PhoneApp(app.http, Phone(Grade.BROWSER))
    assert browser.register().json()["grade"] == "browser"
    listed = app.http.get("/v1/holder/devices").json()["devices"]
    assert [(one["device_id"], one["grade"]) for one in listed] == [
        (app.phone.device_id, "app"),
        (browser.phone.device_id, "browser"),
    ]
    assert app.remove().status_code == 204
    again = app.remove()
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    listed = app.http.get("/v1/holder/devices").json()["devices"]
    assert [one["device_id"] for one in listed] == [browser.phone.device_id]


@pytest.mark.parametrize("password", [None, "000000"])
def test_an_app_needs_the_password_again(app: PhoneApp, password: str | None) -> None:
    answer = app.register(password=password)
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_refused")
    assert app.http.get("/v1/holder/devices").json()["devices"] == []


def test_the_challenge_is_the_sessions_own(service: ScanService, app: PhoneApp) -> None:
    assert app.challenge() == app.challenge()
    other = PhoneApp(service.signed_in(), app.phone)
    assert other.challenge() != app.challenge()
    stolen = app.phone.registers(app.challenge()).hex()
    answer = other.register(signature=stolen, password=HOLDER_PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "signature" in answer.json()["detail"]


def test_a_page_in_a_browser_is_no_app_whatever_it_says(app: PhoneApp) -> None:
    app.http.headers |= {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
    answer = app.register(password=HOLDER_PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "grade" in answer.json()["detail"]
    app.phone.grade = Grade.BROWSER
    assert app.register().json()["grade"] == "browser"


def test_an_app_can_not_be_made_of_a_browsers_proof(app: PhoneApp) -> None:
    app.phone.grade = Grade.BROWSER
    answer = app.register(grade="app", password=HOLDER_PASSWORD)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "changed",
    [
        {"public_key": "04" + "11" * 32},
        {"public_key": "02" + "11" * 31},
        {"public_key": "02" + "FF" * 32},
        {"public_key": "02" + "ff" * 32},
        {"signature": "00" * 63},
        {"signature": "00" * 64},
        {"grade": "king"},
        {"grade": None},
        {"extra": 1},
    ],
)
def test_a_registration_that_is_wrong_is_told_so(app: PhoneApp, changed: dict[str, object]) -> None:
    answer = app.register(**{"password": HOLDER_PASSWORD} | changed)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_the_limit_is_told_in_both_languages(app: PhoneApp) -> None:
    for _ in range(3):
        assert PhoneApp(app.http, Phone(Grade.BROWSER)).register().status_code == 201
    answer = PhoneApp(app.http, Phone(Grade.BROWSER)).register()
    assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")
    assert "(3)" in answer.json()["detail"]
    assert "3 部" in answer.json()["detail_zh"]


def test_credentials_come_with_their_days(service: ScanService, app: PhoneApp) -> None:
    registered(app)
    days = day_ends(service.clock(), 7)
    first = app.fetch(days, request_id="week")
    assert first.status_code == 201
    assert [one["expires_at"] for one in first.json()["credentials"]] == [
        int(day.timestamp()) for day in days
    ]
    assert all(len(one["credential"]) == 226 for one in first.json()["credentials"])
    again = app.fetch(days, request_id="week")
    assert again.content == first.content
    other = app.fetch(days[:1], request_id="another")
    assert (other.status_code, other.json()["code"]) == (409, "already_exists")


@pytest.mark.parametrize("keys", [[], [{}], "x", [{"expires_at": -1}], [{"expires_at": 1 << 32}]])
def test_a_request_for_credentials_that_is_wrong_is_told_so(app: PhoneApp, keys: object) -> None:
    registered(app)
    answer = app.fetch([], keys=keys)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_lost_card_gets_no_credentials(service: ScanService, app: PhoneApp) -> None:
    registered(app)
    app.http.post("/v1/holder/loss-reports", json={}).raise_for_status()
    answer = app.fetch(day_ends(service.clock(), 1))
    assert (answer.status_code, answer.json()["reason"]) == (409, "card_lost")


def test_another_holders_phone_can_neither_be_used_nor_removed(
    service: ScanService, app: PhoneApp
) -> None:
    registered(app)
    other = PhoneApp(service.signed_in(service.bureau.person()), app.phone)
    assert other.http.get("/v1/holder/devices").json()["devices"] == []
    assert other.remove().status_code == 404
    assert other.fetch(day_ends(service.clock(), 1)).status_code == 404
    unknown = other.http.delete(f"/v1/holder/devices/{'0' * 32}")
    assert unknown.status_code == 404
    assert unknown.json() == other.remove().json()


def test_nobody_without_a_session_and_no_other_page(service: ScanService, app: PhoneApp) -> None:
    registered(app)
    path = f"/v1/holder/devices/{app.phone.device_id}"
    for method, address in (
        ("GET", "/v1/holder/devices"),
        ("POST", "/v1/holder/devices"),
        ("DELETE", path),
        ("POST", f"{path}/credentials"),
    ):
        origin = {"Origin": "https://sscard.test"}
        stranger = service.client().request(method, address, json={}, headers=origin)
        assert stranger.status_code in {401, 422}, address
        if method != "GET":
            elsewhere = {"Origin": "https://evil.example"}
            answer = app.http.request(method, address, json={}, headers=elsewhere)
            assert answer.json()["code"] == "cross_site", address
    assert len(app.http.get("/v1/holder/devices").json()["devices"]) == 1


def shown(service: ScanService, app: PhoneApp) -> str:
    """A code that the phone makes by itself, under today's credential."""
    return app.phone.show(service.clock())


def test_a_phones_own_code_is_accepted_once_where_there_is_a_network(
    service: ScanService, app: PhoneApp
) -> None:
    registered(app)
    assert app.fetch(day_ends(service.clock(), 1)).status_code in {200, 201}
    text = shown(service, app)
    verdict = service.scan(service.hospital, text).json()
    assert (verdict["reason"], verdict["medium"]) == ("accepted", "offline_code")
    assert verdict["holder"]["name"] == service.person.name
    assert service.scan(service.hospital, text).json()["reason"] == "already_used"
    consuming = service.scan(service.pharmacy, shown(service, app)).json()
    assert consuming["reason"] in {"offline_not_allowed", "purpose_mismatch"}


def test_the_code_of_a_phone_that_was_removed_is_refused(
    service: ScanService, app: PhoneApp
) -> None:
    registered(app)
    app.fetch(day_ends(service.clock(), 1))
    text = shown(service, app)
    assert app.remove().status_code == 204
    verdict = service.scan(service.hospital, text).json()
    assert (verdict["outcome"], verdict["reason"]) == ("refused", "credential_withdrawn")


def test_the_code_of_a_phone_whose_card_was_lost_is_refused(
    service: ScanService, app: PhoneApp
) -> None:
    registered(app)
    app.fetch(day_ends(service.clock(), 1))
    text = shown(service, app)
    loss: dict[str, str] = {}
    assert app.http.post("/v1/holder/loss-reports", json=loss).status_code == 200
    assert service.scan(service.hospital, text).json()["reason"] == "card_lost"


@pytest.mark.parametrize("wrong", [74, -74])
def test_a_phone_whose_clock_is_off_is_told_by_how_much_and_learns_the_time(
    service: ScanService, app: PhoneApp, wrong: int
) -> None:
    registered(app)
    app.fetch(day_ends(service.clock(), 1))
    by_itself = service.clock() + timedelta(seconds=wrong if wrong > 0 else wrong - 20)
    text = app.phone.show(by_itself, purpose_class=PurposeClass.ANY_USE)
    refused = service.scan(service.hospital, text, request_id="till-1")
    verdict = refused.json()
    if wrong > 0:
        assert (verdict["reason"], verdict["phone_clock_seconds"]) == ("not_yet_valid", 74)
        assert verdict["text_en"] == "This phone is 74 s fast"
        assert verdict["text_zh"] == "此手机的时钟快 74 秒"
    else:
        assert (verdict["reason"], verdict["phone_clock_seconds"]) == ("expired", -94)
        assert "this phone is 94 s slow" in verdict["text_en"]
    # A retry is told the same, byte for byte, however much later.
    service.clock.advance(7)
    again = service.scan(service.hospital, text, request_id="till-1")
    assert again.content == refused.content
    told = datetime.fromisoformat(app.http.get("/v1/holder/devices").json()["server_time"])
    right = app.phone.show(told, purpose_class=PurposeClass.ANY_USE)
    accepted = service.scan(service.hospital, right).json()
    assert accepted["outcome"] == "accepted"
    assert accepted["phone_clock_seconds"] is None


def test_an_online_code_that_expired_says_nothing_of_a_phones_clock(service: ScanService) -> None:
    text = service.mint()
    service.clock.advance(90)
    verdict = service.scan(service.hospital, text).json()
    assert verdict["reason"] == "expired"
    assert verdict["phone_clock_seconds"] is None
