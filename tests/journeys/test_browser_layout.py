"""Every page fits a small phone, also with text twice as large, is whole in both languages, and
keeps nobody out (axe-core)."""

from bureau import HOLDER_PASSWORD, Person
from looks import Look, in_each_look
from playwright.sync_api import Browser, Page, expect
from stage import Screen, Stage, type_code

from card_core.identity import mask_name


class Reader:
    """Goes from state to state and looks at each."""

    def __init__(self, screen: Screen, chosen: Look, own_names: tuple[str, ...]) -> None:
        """own_names: what stands on the page in Chinese whatever the language."""
        self.screen = screen
        self.chosen = chosen
        self.own_names = own_names
        self.seen = 0

    def keep(self, name: str) -> None:
        self.screen.keep(f"{name}-{self.chosen}")

    def look(self) -> None:
        page = self.screen.page
        for size in ("", "225%"):
            page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
            assert not self.screen.scrolls_sideways(), (page.url, size)
        page.evaluate("document.documentElement.style.fontSize = ''")
        assert self.screen.barriers() == [], page.url
        text = page.locator("main").inner_text()
        for name in self.own_names:
            text = text.replace(name, "")
        assert self.chosen.is_whole(text), text
        self.seen += 1


def is_one_row(page: Page) -> bool:
    """Whether the name of the service and the reader's choices stand beside each other."""
    boxes = [page.locator(f".bar .{one}").bounding_box() for one in ("brand", "choices-of-reader")]
    brand, choices = (box or {"y": 0, "height": 0} for box in boxes)
    return choices["y"] < brand["y"] + brand["height"]


def read_start_page(page: Page, reader: Reader) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    reader.look()


# The section of each place.
PLACES = {"card": "#face", "scans": "#scans", "family": "#family", "more": "#more"}


def read_holder_page(page: Page, reader: Reader, person: Person) -> None:
    reader.look()
    page.locator("#number").fill(person.number)
    page.locator("#password").fill("12")
    page.keyboard.press("Enter")
    expect(page.locator("#sign-in-problem")).not_to_be_empty()
    reader.look()
    page.locator("#password").fill(HOLDER_PASSWORD)
    page.keyboard.press("Enter")
    is_large = reader.chosen.size == "large"
    if is_large:
        expect(page.locator("#home")).to_be_visible()
        reader.look()
        reader.keep("holder-home")
        page.locator("#home-code").click()
    expect(page.locator("#code-picture")).to_be_visible()
    reader.look()
    if is_large:
        page.locator(".other-choices summary").click()
    page.locator("#show-bars").click()
    expect(page.locator("#bars")).to_be_visible()
    reader.look()
    for place, section in PLACES.items():
        page.evaluate("place => { location.hash = `#/${place}` }", place)
        expect(page.locator(section)).to_be_visible()
        reader.look()
        reader.keep(f"holder-{place}")
    page.evaluate("() => { location.hash = '#/code' }")
    expect(page.locator("#code-picture")).to_be_visible()
    read_without_network(page, reader)
    page.locator("#report-loss").click()
    reader.look()
    page.locator("#confirm-loss").click()
    expect(page.locator("#lost")).to_be_visible()
    reader.look()


def read_without_network(page: Page, reader: Reader) -> None:
    """A code that still works while the network is gone, and none any more."""
    reader.screen.expected.append("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    page.locator("#refresh-code").click()
    expect(page.locator("#code-notice")).to_be_visible()
    reader.look()
    page.evaluate("() => { location.hash = '#/more' }")
    page.evaluate("() => { location.hash = '#/code' }")
    expect(page.locator("#code-cover")).to_contain_text(
        reader.chosen.word("取不到码", "No code yet")
    )
    reader.look()
    reader.keep("holder-no-network")
    page.context.set_offline(False)
    expect(page.locator("#code-picture")).to_be_visible()


def read_counter(page: Page, reader: Reader, codes: list[str]) -> None:
    page.locator("input[type=radio]").first.wait_for()
    reader.look()
    for code, look in zip(codes, ("accepted", "refused"), strict=True):
        type_code(reader.screen, code)
        expect(page.locator("#verdict")).to_have_class(f"verdict {look}")
        reader.look()


@in_each_look
def test_every_page_fits_a_small_phone_and_is_whole_in_its_language(
    browser: Browser, stage: Stage, screens: list[Screen], look: Look
) -> None:
    person = stage.bureau.person()
    names = (person.name, mask_name(person.name))
    code = stage.bureau.minter.mint(person.holder_id).text

    def open_page(url: str) -> tuple[Page, Reader]:
        screens.append(look.open(browser, url))
        return screens[-1].page, Reader(screens[-1], look, names)

    page, counter = open_page(f"{stage.counter_url}/")
    read_counter(page, counter, [code, code])
    names += (page.locator("#institution").inner_text(),)
    page, start = open_page(f"{stage.service_url}/")
    read_start_page(page, start)
    page, holder = open_page(f"{stage.service_url}/holder")
    read_holder_page(page, holder, person)
    assert is_one_row(page)
    assert (counter.seen, start.seen, holder.seen) == (3, 1, 13 if look.size == "large" else 12)
    for screen in screens:
        screen.page.context.close()


def test_a_barrier_would_be_found(stage: Stage, phone: Screen) -> None:
    assert phone.barriers() == []
    phone.page.evaluate("document.querySelector('label[for=number]').remove()")
    assert "label" in {text.split(":")[0] for text in phone.barriers()}


def test_the_language_chosen_once_stays(
    browser: Browser, stage: Stage, screens: list[Screen]
) -> None:
    screens.append(Screen.open(browser.new_context(), f"{stage.service_url}/"))
    page = screens[-1].page
    page.get_by_role("link", name="English").click()
    page.get_by_role("link", name="Open my code").click()
    expect(page.get_by_role("heading", name="Sign in to your e-card")).to_be_visible()
    page.get_by_role("link", name="中文").click()
    expect(page.get_by_role("heading", name="登录电子社保卡")).to_be_visible()


def test_the_keyboard_alone_is_enough(stage: Stage, phone: Screen) -> None:
    person = stage.bureau.person()
    keyboard = phone.page.keyboard
    for _ in range(4):  # past "skip to the content", the brand, the size of type and the language
        keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.type(person.number)
    keyboard.press("Tab")
    keyboard.type(HOLDER_PASSWORD)
    keyboard.press("Tab")
    keyboard.press("Space")
    expect(phone.page.locator("#code-picture")).to_be_visible()
    expect(phone.page.get_by_role("heading", name="电子社保卡", exact=True)).to_be_focused()
