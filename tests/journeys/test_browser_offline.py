"""A phone with no network, before a terminal with none: the code is never blank, and identifies."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from offline_rig import REGISTRATION, OfflineTerminal, Ward
from phone import publisher_of, with_offline_keys
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from qr_reading import the_code
from stage import PHONE, Screen, Stage, sign_in

from card_core.kernel.acts.cards import ReportTemporaryLoss

SIDE_MODULES = 65
OFFLINE_DIGITS = 493
SETTLEMENT = "01301"
MINUTE = 61


@pytest.fixture(autouse=True)
def _keys(stage: Stage) -> None:
    with_offline_keys(stage.bureau)


@pytest.fixture
def terminal(stage: Stage, tmp_path: Path) -> OfflineTerminal:
    """A hospital's, which had a network once and has none now."""
    publisher_of(stage.bureau).round()
    return Ward(stage.service, tmp_path).cut_off()


@pytest.fixture
def own_phone(browser: Browser, stage: Stage, screens: list[Screen]) -> Iterator[Screen]:
    """The holder's page on a phone whose clock is years behind, and whose time a test moves on."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    context.clock.install(time=datetime(2019, 6, 1, tzinfo=UTC))
    screens.append(Screen.open(context, f"{stage.service_url}/holder"))
    screens[-1].expected.append("ERR_INTERNET_DISCONNECTED")
    yield screens[-1]
    context.close()


def later(stage: Stage, phone: Screen, seconds: int) -> None:
    stage.bureau.clock.advance(seconds)
    phone.page.clock.fast_forward(seconds * 1000)


def turn_on(phone: Screen) -> None:
    phone.page.get_by_role("button", name="在这部手机上开启").click()
    expect(phone.page.locator("#phone-text")).to_contain_text("已开启")
    expect(phone.page.locator("#phone-text")).to_contain_text("3月9日")


def lose_network(stage: Stage, phone: Screen) -> None:
    """And wait until the service's last code is over."""
    phone.page.context.set_offline(True)
    later(stage, phone, MINUTE)
    expect(phone.page.locator("#code-kind")).to_be_visible()


def code_at_three_pixels(page: Page) -> str:
    """What an independent decoder reads from a screenshot with three pixels a module."""
    picture = page.locator("#code-picture")
    picture.evaluate(
        """(one, side) => {
            one.style.width = one.style.height = `${side}px`;
            Object.assign(one.style, {position: "fixed", top: 0, left: 0, padding: 0});
        }""",
        3 * SIDE_MODULES,
    )
    taken = Image.open(io.BytesIO(picture.screenshot()))
    assert taken.size == (3 * SIDE_MODULES, 3 * SIDE_MODULES)
    found = the_code(taken)
    picture.evaluate("one => one.removeAttribute('style')")
    return found.text


def kept(page: Page) -> Any:
    """Everything in the phone's database, as text."""
    return page.evaluate(
        """async () => {
            const open = indexedDB.open("sscard-phone");
            await new Promise((done) => (open.onsuccess = done));
            const all = open.result.transaction("kept").objectStore("kept").getAll();
            await new Promise((done) => (all.onsuccess = done));
            open.result.close();
            return all.result.map((one) => one instanceof CryptoKey ? "key" : JSON.stringify(one));
        }"""
    )


def test_phone_and_terminal_without_a_network(
    stage: Stage, own_phone: Screen, terminal: OfflineTerminal
) -> None:
    sign_in(own_phone, stage.bureau.person())
    turn_on(own_phone)
    own_phone.keep("holder-offline-ready-zh")
    own_phone.page.locator("#code").scroll_into_view_if_needed()
    online = own_phone.read_code()
    lose_network(stage, own_phone)
    own_phone.keep("holder-offline-code-zh")
    code = code_at_three_pixels(own_phone.page)
    assert (len(online), len(code)) == (253, OFFLINE_DIGITS)
    expect(own_phone.page.locator("#code-notice")).to_contain_text("只能核验身份")
    expect(own_phone.page.locator("#code-notice")).to_contain_text("这部手机的时间慢了约")

    verdict = terminal.scan(code, REGISTRATION)
    assert (verdict["outcome"], verdict["offline"]) == ("accepted", True), verdict
    assert terminal.reason(code, REGISTRATION) == "already_used"

    # By itself a new one every half minute; it moves no goods, here or anywhere.
    picture = own_phone.page.locator("#code-picture")
    shown = picture.get_attribute("src") or ""
    later(stage, own_phone, 31)
    expect(picture).not_to_have_attribute("src", shown)
    second = code_at_three_pixels(own_phone.page)
    assert second != code
    assert terminal.reason(second, SETTLEMENT) == "offline_not_allowed"
    assert terminal.reason(second, REGISTRATION) == "accepted"

    own_phone.page.context.set_offline(False)
    later(stage, own_phone, 4)
    expect(own_phone.page.locator("#code-kind")).to_be_hidden()
    expect(own_phone.page.locator("#code-notice")).to_be_hidden()
    own_phone.page.locator("#code").scroll_into_view_if_needed()
    assert len(own_phone.read_code()) == 253


def test_opened_without_network_and_session_it_shows_a_code_at_once(
    stage: Stage, own_phone: Screen, terminal: OfflineTerminal
) -> None:
    person = stage.bureau.person()
    sign_in(own_phone, person)
    turn_on(own_phone)
    page, context = own_phone.page, own_phone.page.context
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    # Two days later: the session is over, and the browser has forgotten its cookie.
    context.clear_cookies(name="sscard_holder")
    context.set_offline(True)
    later(stage, own_phone, 2 * 86_400)
    page.goto(f"{stage.service_url}/holder?source=home")
    expect(page.locator("#code-kind")).to_be_visible()
    code = code_at_three_pixels(page)
    publisher_of(stage.bureau).round()
    terminal.network.is_up = True
    terminal.rounds.round()
    terminal.network.is_up = False
    assert terminal.reason(code, REGISTRATION) == "accepted"
    assert person.name not in page.locator("body").inner_text()

    # With the network back the code stays in the hand; the usual one needs the password.
    own_phone.expected.append("401")
    context.set_offline(False)
    later(stage, own_phone, 4)
    page.get_by_role("button", name="登录", exact=True).click()
    sign_in(own_phone, person)
    expect(page.locator("#code-kind")).to_be_hidden()
    assert {path for path in cached(page) if not path.startswith("/static/")} == {"/holder"}


def cached(page: Page) -> set[str]:
    """The paths that the worker keeps."""
    found: list[str] = page.evaluate(
        """async () => {
            const boxes = (await caches.keys()).map((name) => caches.open(name));
            const all = (await Promise.all(boxes)).map((box) => box.keys());
            return (await Promise.all(all)).flat().map(({ url }) => new URL(url).pathname);
        }"""
    )
    return set(found)


def test_yesterdays_screenshot_is_refused(
    stage: Stage, own_phone: Screen, terminal: OfflineTerminal
) -> None:
    sign_in(own_phone, stage.bureau.person())
    turn_on(own_phone)
    lose_network(stage, own_phone)
    code = code_at_three_pixels(own_phone.page)
    stage.bureau.clock.advance(100)
    assert terminal.reason(code, REGISTRATION) == "expired"
    stage.bureau.clock.advance(86_400)
    assert terminal.reason(code, REGISTRATION) == "credential_expired"


def test_a_phone_that_is_turned_off_or_signed_out_keeps_nothing(
    stage: Stage, own_phone: Screen
) -> None:
    page = own_phone.page
    sign_in(own_phone, stage.bureau.person())
    turn_on(own_phone)
    assert any("credential" in one for one in kept(page))
    page.get_by_role("button", name="在这部手机上停用").click()
    expect(page.get_by_role("button", name="在这部手机上开启")).to_be_visible()
    assert kept(page) == []
    turn_on(own_phone)
    # From the list of phones: at once, and not when the service is asked the next time.
    page.locator(".places a[href='#/more']").click()
    page.get_by_role("button", name="解除绑定：这部手机").click()
    expect(page.locator("#devices-empty")).to_be_visible()
    assert kept(page) == []
    page.locator(".places a[href='#/code']").click()
    turn_on(own_phone)
    page.locator(".places a[href='#/more']").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", name="登录电子社保卡")).to_be_visible()
    assert kept(page) == []
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#code-kind")).to_be_hidden()
    expect(page.locator("#code-picture")).to_be_hidden()


def test_a_phone_removed_elsewhere_shows_nothing_any_more(stage: Stage, own_phone: Screen) -> None:
    page = own_phone.page
    sign_in(own_phone, stage.bureau.person())
    turn_on(own_phone)
    # As from another phone of the same holder.
    removed = page.evaluate(
        """async () => {
            const { devices } = await (await fetch("/v1/holder/devices")).json();
            const headers = { "Idempotency-Key": '"elsewhere"' };
            const path = `/v1/holder/devices/${devices[0].device_id}`;
            return (await fetch(path, { method: "DELETE", headers })).status;
        }"""
    )
    assert removed == 204
    page.reload()
    expect(page.get_by_role("button", name="在这部手机上开启")).to_be_visible()
    page.wait_for_function(
        "() => document.getElementById('phone-text').textContent.includes('自己的')"
    )
    assert kept(page) == []


def test_a_lost_cards_phone_gets_no_credentials_and_shows_no_code(
    stage: Stage, own_phone: Screen
) -> None:
    person = stage.bureau.person()
    sign_in(own_phone, person)
    turn_on(own_phone)
    stage.bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    own_phone.expected.append("409")
    refused = own_phone.page.evaluate(
        """async () => {
            const { KeyBox } = await import("/static/phone/key_box.js");
            const device = await import("/static/phone/device.js");
            const box = await KeyBox.open();
            const listed = await (await fetch("/v1/holder/devices")).json();
            const challenge = (await import("/static/phone/bytes.js")).fromHex(listed.challenge);
            const record = { ...(await box.read("phone")), days: [] };
            const now = Date.parse(listed.server_time) / 1000;
            const asking = await device.withKeys(box, record, now, null);
            const refused = ({ answer }) => answer.reason;
            return device.withCredentials(box, asking, challenge).catch(refused);
        }"""
    )
    assert refused == "card_lost"
    later(stage, own_phone, 31)
    expect(own_phone.page.get_by_role("heading", name="卡已临时挂失")).to_be_visible()
    own_phone.page.context.set_offline(True)
    own_phone.page.reload()
    later(stage, own_phone, 5)
    expect(own_phone.page.locator("#code-picture")).to_be_hidden()
    assert any('"isHeldBack":true' in one for one in kept(own_phone.page))


def test_no_private_key_lies_in_the_open(stage: Stage, own_phone: Screen) -> None:
    sign_in(own_phone, stage.bureau.person())
    turn_on(own_phone)
    exported = own_phone.page.evaluate(
        """async () => {
            const open = indexedDB.open("sscard-phone");
            await new Promise((done) => (open.onsuccess = done));
            const one = open.result.transaction("kept").objectStore("kept").get("sealing key");
            await new Promise((done) => (one.onsuccess = done));
            open.result.close();
            const { extractable, algorithm } = one.result;
            const raw = await crypto.subtle.exportKey("raw", one.result).catch(() => "refused");
            return [extractable, algorithm.name, algorithm.length, raw];
        }"""
    )
    assert exported == [False, "AES-GCM", 256, "refused"]
    record = own_phone.page.evaluate(
        """async () => {
            const { KeyBox } = await import("/static/phone/key_box.js");
            const box = await KeyBox.open();
            const { device, days } = await box.read("phone");
            return [device, ...days].map((one) => [...Object.keys(one), one.key.sealed.length]);
        }"""
    )
    # A key of 32 bytes and its tag of 16; the public key and the credential stand beside it.
    assert all(one[-1] == 48 for one in record)
    assert {name for one in record for name in one[:-1]} == {
        "publicKey", "key", "requestKey", "id", "expiresAt", "credential"
    }  # fmt: skip
