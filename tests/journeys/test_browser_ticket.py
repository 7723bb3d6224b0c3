"""The desk in the profile `sm`: the operator's key stays outside the browser and gets a ticket."""

from bureau import OPERATOR_PASSWORD, Bureau, signing_key
from bureau_desk import desk_of
from looks import Look, in_each_look
from playwright.sync_api import Browser, expect
from stage import PHONE
from test_browser_layout import Reader

from card_core.sign_in import Profile, by_key
from issuance.cli.desk_ticket import ask_ticket


@in_each_look
def test_the_page_for_a_ticket_is_whole_in_its_language(
    bureau: Bureau, browser: Browser, look: Look
) -> None:
    with desk_of(bureau, browser, (), Profile.SM) as desk:
        screen = desk.open(f"/?{look.query}", viewport=PHONE, color_scheme=look.scheme)
        reader = Reader(screen, look, ())
        reader.look()
        reader.keep("desk-sign_in_sm")
        assert desk.problems() == {}


def test_an_operator_signs_in_by_the_ticket_of_their_own_key(
    bureau: Bureau, browser: Browser
) -> None:
    with desk_of(bureau, browser, (), Profile.SM) as desk:
        screen = desk.open("/?lang=zh")
        screen.expected = ["401"]  # what a browser says of a refused request
        page = screen.page
        page.locator("#ticket-form button").click()
        expect(page.locator("#ticket-problem")).to_have_text("请填登录码。")
        page.locator("#ticket").fill("7KQM-X2VT-NC9R")
        page.keyboard.press("Enter")
        expect(page.locator("#ticket-problem")).to_contain_text("再运行一次命令")
        expect(page.locator("#ticket")).to_have_value("")
        key = by_key(signing_key("maker").sign)
        ticket = ask_ticket(desk.url, "maker", OPERATOR_PASSWORD, key)
        page.locator("#ticket").fill(ticket.lower())
        screen.keep("desk-ticket-zh")
        page.keyboard.press("Enter")
        page.locator("nav.desk-pages").wait_for()
        assert page.url.startswith(f"{desk.url}/desk/")
        assert ticket not in page.evaluate("JSON.stringify(performance.getEntries())")
        other = desk.open("/?lang=zh")
        other.expected = ["401"]
        other.page.locator("#ticket").fill(ticket)
        other.page.keyboard.press("Enter")
        expect(other.page.locator("#ticket-problem")).to_contain_text("已用过")
        page.reload()
        expect(page.locator("#ticket-form")).to_be_visible()  # both are out: somebody read along
        assert desk.problems() == {}
