"""The holder's page in large type: three buttons, all else behind "more", what is said aloud."""

from bureau import HOLDER_PASSWORD, Person
from playwright.sync_api import Browser, Page, expect
from stage import PHONE, Screen, Stage, type_code

# Notes what is said, in place of a voice, which a machine without sound hasn't.
LISTENING = """
    window.heard = [];
    speechSynthesis.speak = (said) => { window.heard.push(said.text); };
    speechSynthesis.getVoices = () => [{ lang: "LANGUAGE", default: true }];
    SpeechSynthesisUtterance.prototype.__defineSetter__("voice", () => {});
"""


def open_large(
    browser: Browser, stage: Stage, screens: list[Screen], person: Person, voice: str
) -> Page:
    """Signed in, on a small phone with a voice of one language."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    context.add_init_script(LISTENING.replace("LANGUAGE", voice))
    screens.append(Screen.open(context, f"{stage.service_url}/holder?type=large"))
    page = screens[-1].page
    page.locator("#number").fill(person.number)
    page.locator("#password").fill(HOLDER_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="您要做什么？")).to_be_focused()
    return page


def heard(page: Page, words: str) -> None:
    """These are the last words said; and they are forgotten."""
    page.wait_for_function("words => heard.at(-1)?.includes(words)", arg=words)
    page.evaluate("() => { heard.length = 0 }")


def test_three_buttons_do_it_and_what_comes_up_is_said_once(
    browser: Browser, stage: Stage, screens: list[Screen], counter: Screen
) -> None:
    person = stage.bureau.person()
    page = open_large(browser, stage, screens, person, "zh-HK")
    screen = screens[-1]
    said: list[str] = page.evaluate("heard")
    assert said == ["您要做什么？请按大按钮"]
    assert page.locator("#home .big > *").count() == 3
    assert page.locator(".places a").all_inner_texts() == ["首页", "更多"]

    page.get_by_role("link", name="出示我的码").click()
    expect(page.locator("#code-picture")).to_be_visible()
    page.locator("#refresh-code").click()
    heard(page, "请让窗口扫这个码")
    type_code(counter, screen.read_code())
    expect(counter.page.locator("#verdict")).to_have_class("verdict accepted")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#news-text")).to_contain_text("药店购药")
    assert page.evaluate("heard") == ["您的卡刚刚用过，请看屏幕"]

    page.get_by_role("link", name="返回").click()
    page.get_by_role("link", name="谁用过我的卡").click()
    expect(page.locator("#scans-days li")).to_have_count(1)
    heard(page, "这不是我")
    page.get_by_role("link", name="返回").click()
    page.get_by_role("button", name="卡丢了").click()
    heard(page, "确定要挂失吗")
    page.locator("#confirm-loss").click()
    expect(page.locator("#lost")).to_be_visible()
    heard(page, "卡已经挂失")
    page.get_by_role("link", name="返回").click()
    expect(page.get_by_role("button", name="卡丢了")).to_be_hidden()
    heard(page, "您要做什么")
    page.get_by_role("button", name="按了就念出来").click()
    page.get_by_role("link", name="卡找到了，解除挂失").click()
    expect(page.locator("#lost")).to_be_visible()
    assert page.evaluate("heard") == []
    page.context.close()


def test_everything_else_is_behind_more(
    browser: Browser, stage: Stage, screens: list[Screen]
) -> None:
    """And nothing is said where no voice speaks the language."""
    page = open_large(browser, stage, screens, stage.bureau.person(), "fr-FR")
    page.get_by_role("link", name="更多").click()
    expect(page.get_by_role("button", name="在这部手机上开启")).to_be_visible()
    expect(page.get_by_role("link", name="亲情服务")).to_be_visible()
    page.get_by_role("link", name="我的卡").click()
    expect(page.get_by_role("heading", name="我的卡")).to_be_focused()
    page.get_by_role("link", name="返回").click()
    page.get_by_role("link", name="出示我的码").click()
    expect(page.locator("#show-bars")).to_be_hidden()
    page.get_by_text("其他选择").click()
    expect(page.locator("#show-bars")).to_be_visible()
    expect(page.get_by_label("只证明我是谁")).to_be_visible()
    assert page.evaluate("heard") == []
    page.context.close()
