"""The holder's page as time passes and the network goes: the code is never blank and never late."""

import io
import re
from datetime import UTC, datetime

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, expect
from stage import PHONE, Screen, Stage, sign_in

from card_core.kernel.kernel import SHORT_CODES_MAX
from card_core.short_codes import ShortCodes
from card_core.store import short_codes


@pytest.fixture
def old_phone(browser: Browser, stage: Stage, screens: list[Screen]) -> Screen:
    """A phone whose clock is years behind, and whose time the test can move on."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=3)
    context.clock.install(time=datetime(2019, 6, 1, tzinfo=UTC))
    screens.append(Screen.open(context, f"{stage.service_url}/holder"))
    return screens[-1]


def later(stage: Stage, phone: Screen, seconds: int) -> None:
    """Time passes for the service and for the phone."""
    stage.bureau.clock.advance(seconds)
    phone.page.clock.fast_forward(seconds * 1000)


def test_the_code_changes_by_itself_and_counts_the_services_seconds(
    stage: Stage, old_phone: Screen
) -> None:
    sign_in(old_phone, stage.bureau.person())
    countdown = old_phone.page.locator("#countdown-seconds")
    expect(countdown).to_have_text(re.compile(r"^(30|29|28) 秒后自动换新$"))
    first = old_phone.read_code()

    later(stage, old_phone, 20)
    expect(countdown).to_have_text(re.compile(r"^(10|9|8) 秒后自动换新$"))
    assert old_phone.read_code() == first

    picture = old_phone.page.locator("#code-picture")
    shown = picture.get_attribute("src") or ""
    later(stage, old_phone, 11)
    expect(picture).not_to_have_attribute("src", shown)
    expect(countdown).to_have_text(re.compile(r"^(30|29|28) 秒后自动换新$"))
    assert old_phone.read_code() != first


def test_a_holder_can_have_a_new_code_at_once(stage: Stage, old_phone: Screen) -> None:
    sign_in(old_phone, stage.bureau.person())
    picture = old_phone.page.locator("#code-picture")
    shown = picture.get_attribute("src") or ""
    old_phone.page.get_by_role("button", name="现在换新").click()
    expect(picture).not_to_have_attribute("src", shown)


def test_without_a_network_the_code_stays_and_the_page_says_so(
    stage: Stage, old_phone: Screen
) -> None:
    sign_in(old_phone, stage.bureau.person())
    code = old_phone.read_code()
    old_phone.expected.append("ERR_INTERNET_DISCONNECTED")
    old_phone.page.context.set_offline(True)

    later(stage, old_phone, 31)
    notice = old_phone.page.locator("#code-notice")
    expect(notice).to_contain_text("网络不通")
    expect(notice).to_contain_text("还能用")
    assert old_phone.read_code() == code

    later(stage, old_phone, 30)
    expect(notice).not_to_contain_text("还能用")
    expect(old_phone.page.locator("#code-cover")).to_have_text("这张码已过期")
    expect(old_phone.page.locator("#code-picture")).to_be_visible()

    old_phone.page.context.set_offline(False)
    later(stage, old_phone, 4)
    expect(notice).to_be_hidden()
    expect(old_phone.page.locator("#code-cover")).to_be_hidden()
    assert old_phone.read_code() != code


def test_a_session_that_ended_leads_back_to_the_form(stage: Stage, old_phone: Screen) -> None:
    sign_in(old_phone, stage.bureau.person())
    old_phone.expected.append("401")
    later(stage, old_phone, 3600)
    expect(old_phone.page.get_by_role("heading", name="登录电子社保卡")).to_be_visible()
    expect(old_phone.page.locator("#notice")).to_contain_text("登录已失效")
    expect(old_phone.page.locator("#code-picture")).to_be_hidden()


def test_the_bars_are_shown_on_demand_and_name_the_same_code(
    stage: Stage, old_phone: Screen
) -> None:
    sign_in(old_phone, stage.bureau.person())
    bars, toggle = old_phone.page.locator("#bars"), old_phone.page.locator("#show-bars")
    expect(bars).to_be_hidden()
    toggle.click()
    expect(bars).to_be_visible()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    digits = old_phone.page.locator("#bars-digits").inner_text().replace(" ", "")
    picture = Image.open(io.BytesIO(old_phone.page.screenshot(full_page=True)))
    # Halved, as a camera that does not see every pixel of the screen.
    for seen in (picture, picture.reduce(2)):
        texts = {found.format: found.text for found in zxingcpp.read_barcodes(seen)}
        assert texts[zxingcpp.BarcodeFormat.Code128] == digits
    with stage.bureau.store.read() as tx:
        assert short_codes.find_code(tx, digits) == texts[zxingcpp.BarcodeFormat.QRCode]

    later(stage, old_phone, 31)
    expect(old_phone.page.locator("#bars-digits")).not_to_have_text(
        " ".join(re.findall("....", digits))
    )
    toggle.click()
    expect(bars).to_be_hidden()
    expect(old_phone.page.locator("#code-picture")).to_be_visible()


def test_without_bars_to_have_the_qr_code_stays(stage: Stage, old_phone: Screen) -> None:
    person = stage.bureau.person()
    sign_in(old_phone, person)
    service = ShortCodes(
        stage.bureau.store, stage.bureau.kernel, random_bytes=stage.bureau.kernel.random_bytes
    )
    for _ in range(SHORT_CODES_MAX):
        code = stage.bureau.minter.mint(person.holder_id)
        service.name(code.text, holder_id=person.holder_id, minted_at=code.minted_at)
    old_phone.expected.append("429")
    old_phone.page.locator("#show-bars").click()
    expect(old_phone.page.locator("#show-bars")).to_have_attribute("aria-pressed", "false")
    expect(old_phone.page.locator("#bars")).to_be_hidden()
    expect(old_phone.page.locator("#code-picture")).to_be_visible()
    assert len(old_phone.read_code()) == 253
