"""What the counter says of codes that must not pass, in words for a clerk and a pensioner; what it
says aloud; what it keeps of the day; and how it works with no network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bureau import Bureau
from offline_rig import OfflineTerminal
from phone import publisher_of, registered_phone
from playwright.sync_api import Browser, expect
from scan_service import ScanService
from stage import PHONE, Screen, Stage, listening, served, sign_in, type_code, url_of

from card_core.business_types import ALL_PURPOSES, Purpose
from card_core.codes import PurposeClass
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.store.devices import Grade
from scan_api.terminal import create_counter_app

DAY_SECONDS = 86_400
# As a browser does that was told to keep nothing.
KEEPING_NOTHING = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("Access is denied.", "SecurityError"); } });"""
# Notes what is said, in place of a voice, which a machine without sound hasn't.
LISTENING = "window.heard = []; speechSynthesis.speak = said => { window.heard.push(said.text) };"


def refused(counter: Screen, code: str, reason: str, tell: str, name: str) -> None:
    """The code is refused with these words; a picture of it is kept."""
    type_code(counter, code)
    page = counter.page
    expect(page.locator("#verdict")).to_have_class("verdict refused")
    expect(page.locator("#verdict-reason")).to_contain_text(reason)
    expect(page.locator("#verdict-next")).not_to_be_empty()
    expect(page.locator("#verdict-tell")).to_contain_text(tell)
    counter.keep(f"counter-{name}-zh")


def test_a_screenshot_of_yesterday_is_no_code_of_today(
    stage: Stage, phone: Screen, counter: Screen
) -> None:
    sign_in(phone, stage.bureau.person())
    screenshot = phone.read_code()
    stage.bureau.clock.advance(DAY_SECONDS)
    refused(counter, screenshot, "过期", "截图", "yesterday")


def test_of_a_code_on_two_phones_the_second_scan_is_refused(
    stage: Stage, phone: Screen, counter: Screen
) -> None:
    person = stage.bureau.person()
    sign_in(phone, person)
    code = phone.read_code()
    type_code(counter, code)
    expect(counter.page.locator("#verdict")).to_have_class("verdict accepted")
    expect(counter.page.locator("#verdict-tell")).to_be_hidden()
    counter.keep("counter-accepted-zh")
    refused(counter, code, "已使用过", "只能用一次", "second-phone")


def test_a_code_for_another_purpose_is_refused(stage: Stage, counter: Screen) -> None:
    minted = stage.bureau.minter.mint(
        stage.bureau.person().holder_id, purposes=Purpose.MEDICAL_IDENTIFY
    )
    refused(counter, minted.text, "不能用于此项业务", "什么业务都行", "other-purpose")


def test_a_code_after_a_loss_is_refused(stage: Stage, counter: Screen) -> None:
    person = stage.bureau.person()
    code = stage.bureau.minter.mint(person.holder_id).text
    stage.bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    refused(counter, code, "挂失", "", "lost")


def test_a_phone_of_low_grade_buys_nothing(stage: Stage, counter: Screen) -> None:
    bureau = stage.bureau
    phone = registered_phone(bureau, bureau.person(), Grade.BROWSER, days=1)
    publisher_of(bureau).round()
    code = phone.show(bureau.clock(), purposes=ALL_PURPOSES, purpose_class=PurposeClass.ANY_USE)
    refused(counter, code, "只能证明持卡人是谁", "连上网", "low-grade")
    expect(counter.page.locator("#verdict-next")).to_contain_text("没有扣款")


def test_results_are_said_aloud_without_a_name_until_it_is_switched_off(
    stage: Stage, counter: Screen
) -> None:
    page = counter.page
    page.add_init_script(LISTENING)
    page.reload()
    page.locator("input[type=radio]").first.wait_for()
    person = stage.bureau.person()
    code = stage.bureau.minter.mint(person.holder_id).text
    type_code(counter, code)
    expect(page.locator("#verdict-holder")).to_contain_text(person.name)
    page.wait_for_function("heard.length == 1")
    said = page.evaluate("heard[0]")
    assert "通过" in said
    assert person.name not in said
    assert person.number not in said

    switch = page.get_by_role("button", name="语音播报结果")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(switch).to_have_attribute("aria-pressed", "false")
    page.locator("input[type=radio]").first.wait_for()
    type_code(counter, code)
    expect(page.locator("#verdict")).to_have_class("verdict refused")
    assert page.evaluate("heard") == []


def test_the_scans_of_today_stay_without_names_and_those_of_yesterday_go(
    stage: Stage, counter: Screen
) -> None:
    page = counter.page
    page.clock.install(time=stage.bureau.clock())
    page.reload()
    page.locator("input[type=radio]").first.wait_for()
    person = stage.bureau.person()
    code = stage.bureau.minter.mint(person.holder_id).text
    for look in ("accepted", "refused"):
        type_code(counter, code)
        expect(page.locator("#verdict")).to_have_class(f"verdict {look}")
    page.reload()
    expect(page.locator("#recent li")).to_have_count(2)
    expect(page.locator("#recent-totals")).to_have_text("通过 1 次，不通过 1 次，没有结果 0 次")
    kept = page.evaluate("JSON.stringify({...localStorage})")
    assert person.name not in kept
    assert person.number not in kept
    assert code not in kept

    page.clock.set_system_time(stage.bureau.clock().timestamp() * 1000 + DAY_SECONDS * 1000)
    page.reload()
    page.locator("input[type=radio]").first.wait_for()
    expect(page.locator("#recent li")).to_have_count(0)
    assert page.evaluate("localStorage.getItem('sscard.today')") is None


def test_the_amount_goes_with_one_scan_and_a_scanner_may_type_into_it(
    stage: Stage, counter: Screen
) -> None:
    page = counter.page
    # The day's list is there as long as the page is open.
    page.add_init_script(KEEPING_NOTHING)
    page.reload()
    page.locator("input[type=radio]").first.wait_for()
    first, second = (
        stage.bureau.minter.mint(person.holder_id).text for person in stage.bureau.people(2)
    )
    amount = page.get_by_label("金额（元）")
    amount.fill("45.8x")
    page.locator("#code-text").focus()
    type_code(counter, first)
    expect(page.locator("#verdict-title")).to_have_text("金额不对")

    amount.fill("45.8")
    page.locator("#code-text").focus()
    with page.expect_request("**/scans") as asked:
        type_code(counter, first)
    assert asked.value.post_data_json["amount_fen"] == 4580
    expect(page.locator("#verdict")).to_have_class("verdict accepted")
    expect(amount).to_have_value("")

    amount.focus()
    with page.expect_request("**/scans") as asked:
        type_code(counter, second)
    assert (asked.value.post_data_json["code"], "amount_fen" in asked.value.post_data_json) == (
        second,
        False,
    )
    expect(page.locator("#verdict")).to_have_class("verdict accepted")
    expect(page.locator("#recent li")).to_have_count(2)


# ---- with no network


@pytest.fixture
def ward_terminal(bureau: Bureau, tmp_path: Path) -> OfflineTerminal:
    """A hospital's terminal that was online once, a quarter of an hour ago."""
    return OfflineTerminal(ScanService(bureau), ScanService(bureau).hospital, tmp_path)


@pytest.fixture
def cut_off(
    browser: Browser, ward_terminal: OfflineTerminal, screens: list[Screen]
) -> Iterator[Screen]:
    """That terminal's page on a small screen."""
    context = browser.new_context(viewport=PHONE)
    with listening() as bound:
        port = bound.getsockname()[1]
        with served(create_counter_app(ward_terminal.counter, port=port), bound):
            screens.append(Screen.open(context, f"{url_of(bound)}/"))
            yield screens[-1]
            context.close()


def test_with_no_network_it_says_so_and_how_old_its_data_is(
    bureau: Bureau, ward_terminal: OfflineTerminal, cut_off: Screen
) -> None:
    phone = registered_phone(bureau, bureau.person(), days=1)
    publisher_of(bureau).round()
    ward_terminal.rounds.round()
    ward_terminal.network.is_up = False
    bureau.clock.advance(900)
    page = cut_off.page
    page.reload()
    expect(page.locator("#service-state")).to_have_text("没有网络，离线核验")
    expect(page.locator("#bundle-age")).to_have_text("15 分钟前")
    expect(page.locator("#list-age")).to_have_text("15 分钟前")
    page.locator("input[type=radio]").first.wait_for()
    type_code(cut_off, phone.show(bureau.clock()))
    expect(page.locator("#verdict")).to_have_class("verdict accepted")
    expect(page.locator("#verdict-reason")).to_contain_text("离线核验通过")
    expect(page.locator("#recent li")).to_contain_text("离线")
    cut_off.keep("counter-offline-zh")
    assert cut_off.barriers() == []
    assert not cut_off.scrolls_sideways()
