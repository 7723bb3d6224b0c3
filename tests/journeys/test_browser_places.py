"""The places of the holder's page: what is where, and what is seen only while it is looked at."""

import pytest
from phone import registered_phone
from playwright.sync_api import Browser, expect
from stage import Screen, Stage, sign_in, type_code

from card_core.identity import mask_name, mask_number
from card_core.store import devices, scan_reports, scans


@pytest.fixture
def still_phone(phone: Screen) -> Screen:
    phone.page.clock.install()
    phone.page.reload()
    return phone


def go(phone: Screen, place: str) -> None:
    phone.page.locator(f".places a[href='#/{place}']").click()


def test_the_full_number_is_seen_for_some_seconds_alone(stage: Stage, still_phone: Screen) -> None:
    phone, person = still_phone, stage.bureau.person()
    sign_in(phone, person)
    go(phone, "card")
    face = phone.page.locator("#face-identity")
    expect(face).to_contain_text(mask_number(person.number))
    expect(face).to_contain_text(mask_name(person.name))
    assert person.number not in phone.page.content()

    eye = phone.page.locator("#face-eye")
    eye.click()
    expect(face).to_contain_text(person.number)
    expect(face).to_contain_text(person.name)
    phone.page.clock.fast_forward(15_000)
    expect(face).not_to_contain_text(person.number)
    assert person.number not in phone.page.content()

    eye.click()
    expect(face).to_contain_text(person.number)
    go(phone, "more")
    expect(phone.page.get_by_role("heading", name="更多")).to_be_visible()
    assert person.number not in phone.page.content()


def test_the_back_button_knows_the_places_and_leaves_no_code_behind(
    stage: Stage, phone: Screen
) -> None:
    sign_in(phone, stage.bureau.person())
    go(phone, "card")
    expect(phone.page.get_by_role("heading", name="我的卡")).to_be_focused()
    assert phone.page.locator("#code-picture").get_attribute("src") is None
    phone.page.go_back()
    expect(phone.page.locator("#code-picture")).to_be_visible()
    phone.page.go_forward()
    phone.page.reload()
    expect(phone.page.get_by_role("heading", name="我的卡")).to_be_visible()


def test_a_code_waits_for_no_other_place(
    browser: Browser, stage: Stage, screens: list[Screen]
) -> None:
    """The rest of the page does not come, then it does: a network as it is in a cellar."""
    context = browser.new_context(service_workers="block")
    context.route("**/holder_rest.js", lambda route: route.abort())
    phone = Screen.open(context, f"{stage.service_url}/holder")
    screens.append(phone)
    phone.expected += ["Failed to load resource: net::ERR_FAILED", "registration blocked by"]
    sign_in(phone, stage.bureau.person())
    go(phone, "card")
    expect(phone.page.locator("#notice")).to_contain_text("连不上服务")
    expect(phone.page.locator("#code-picture")).to_be_visible()

    context.unroute("**/holder_rest.js")
    phone.page.reload()
    go(phone, "card")
    expect(phone.page.get_by_role("heading", name="我的卡")).to_be_visible()
    context.close()


def test_a_code_to_identify_pays_for_nothing(stage: Stage, phone: Screen, counter: Screen) -> None:
    sign_in(phone, stage.bureau.person())
    with phone.page.expect_response("**/v1/holder/codes") as answered:
        phone.page.get_by_label("只证明我是谁").check()
    assert answered.value.ok
    expect(phone.page.locator("#code-purpose")).to_be_visible()
    expect(phone.page.locator("#code-picture")).to_be_visible()

    type_code(counter, phone.read_code())
    expect(counter.page.locator("#verdict")).to_have_class("verdict refused")
    expect(counter.page.locator("#verdict")).to_contain_text("没有扣款")


def test_a_use_is_told_and_can_be_denied(stage: Stage, phone: Screen, counter: Screen) -> None:
    sign_in(phone, stage.bureau.person())
    phone.page.wait_for_function("localStorage.getItem('sscard-scans-seen-until') !== null")
    type_code(counter, phone.read_code())
    expect(counter.page.locator("#verdict")).to_have_class("verdict accepted")
    phone.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(phone.page.locator("#news-text")).to_contain_text("药店购药")

    phone.page.get_by_role("link", name="看看是谁扫的").click()
    line = phone.page.locator("#scans-days li")
    expect(line).to_contain_text("通过")
    expect(phone.page.locator("#news")).to_be_hidden()
    phone.keep("holder-scans-zh")
    line.get_by_role("button").click()
    phone.page.locator("#confirm-report").click()
    expect(phone.page.locator("#report-done")).to_be_visible()
    phone.keep("holder-reported-zh")
    with stage.bureau.store.read() as tx:
        (report,) = scan_reports.latest(tx)
        (scan,) = scans.of_holder(tx, report.holder_id)
    assert report.scan_id == scan.id

    phone.page.locator("#report-then-loss").click()
    phone.page.locator("#confirm-loss").click()
    expect(phone.page.get_by_role("heading", name="卡已临时挂失")).to_be_visible()
    go(phone, "scans")
    expect(line).to_contain_text("您已告诉发卡机构")
    assert phone.barriers() == []


def test_a_lost_phone_is_unbound_from_another(stage: Stage, phone: Screen) -> None:
    person = stage.bureau.person()
    registered_phone(stage.bureau, person, days=1)
    sign_in(phone, person)
    go(phone, "more")
    bound = phone.page.locator("#devices li")
    expect(bound).to_have_count(1)
    assert phone.barriers() == []
    phone.keep("holder-more-zh")
    bound.get_by_role("button").click()
    expect(phone.page.locator("#devices-empty")).to_be_visible()
    with stage.bureau.store.read() as tx:
        assert devices.of_holder(tx, person.holder_id) == []
