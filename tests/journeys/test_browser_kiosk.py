"""A person without a phone before a kiosk: a code on paper, a lost card, and nothing that stays."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import zxingcpp
from bureau import HOLDER_PASSWORD, MemorySigner, Person
from filing import next_card
from looks import Look, in_each_look
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from scan_service import HOSPITAL_CODE
from stage import Screen, Stage, listening, served, type_code, url_of

from card_core.application import ApplicationKind
from card_core.applying import MakingMode
from card_core.identity import mask_name
from card_core.kernel.acts.filings import FileApplication
from card_core.kernel.acts.institutions import SuspendTerminal
from card_core.service_channels import ChannelKind
from card_core.states import CardState
from card_core.store import cards
from scan_api.kiosk import ChannelClient, create_kiosk_app
from scan_api.terminal import TerminalKey

KIOSK = {"width": 1080, "height": 1440}
SERIAL = 0xC1


@contextmanager
def kiosk_before(stage: Stage) -> Iterator[str]:
    """The page of a kiosk that is enrolled at the hospital; its address."""
    device = stage.service.enrol(HOSPITAL_CODE, SERIAL, ChannelKind.KIOSK)
    client = ChannelClient(
        stage.service_url,
        TerminalKey(device.serial_number, MemorySigner(device.key)),
        clock=lambda: stage.bureau.clock().timestamp(),
        pause=lambda _: None,
    )
    with listening() as bound, client:
        app = create_kiosk_app(client, port=bound.getsockname()[1])
        with served(app, bound):
            yield url_of(bound)


@pytest.fixture
def kiosk(stage: Stage) -> Iterator[str]:
    with kiosk_before(stage) as url:
        yield url


def press(page: Page, pad: str, text: str) -> None:
    for key in text:
        page.locator(f"#{pad}-keys [data-key='{key}']").click()


def arrive(page: Page, person: Person, right: str) -> None:
    """To the question whether it is meant."""
    page.locator(f"[data-right={right}]").click()
    press(page, "number", person.number)
    page.locator("#number-next").click()
    press(page, "password", HOLDER_PASSWORD)
    page.locator("#password-next").click()


def paper(page: Page) -> Image.Image:
    """What the printer gets."""
    page.emulate_media(media="print")
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    page.emulate_media(media="null")
    return picture


def read_paper(page: Page) -> str:
    """What an independent decoder reads in what the printer gets: one page, two pictures of one
    code, in modules that an old scanner resolves."""
    picture = paper(page)
    picture.save("build/pages/kiosk-paper.png")
    assert page.pdf(width="80mm", height="200mm").count(b"/Type /Page\n") == 1
    found = {one.format: one.text for one in zxingcpp.read_barcodes(picture)}
    formats = zxingcpp.BarcodeFormat
    assert set(found) == {formats.QRCode, formats.Code128}
    assert len(set(found.values())) == 1
    module_mm = page.locator("#slip-picture").evaluate(
        "one => one.getBoundingClientRect().width / 29 * 25.4 / 96"
    )
    assert module_mm >= 2.2
    return found[formats.QRCode]


def test_a_code_on_paper_is_accepted_once_and_nothing_stays(
    stage: Stage, browser: Browser, counter: Screen, screens: list[Screen], kiosk: str
) -> None:
    person = stage.bureau.person()
    # At twice the pixels a picture of the paper has the 203 dots an inch of a receipt printer.
    context = browser.new_context(viewport=KIOSK, has_touch=True, device_scale_factor=2)
    context.add_init_script("window.print = () => { window.prints = (window.prints ?? 0) + 1 }")
    screens.append(Screen.open(context, f"{kiosk}/"))
    screen, page = screens[-1], screens[-1].page
    screen.expected.append("401")
    expect(page.get_by_role("heading", name="您要办什么")).to_be_visible()
    screen.keep("kiosk-start")

    # 1 too few digits, and a wrong password, are said; the right one goes on
    page.locator("[data-right=print_code]").click()
    press(page, "number", person.number[:-1])
    page.locator("#number-next").click()
    expect(page.locator("#number-problem")).to_contain_text("还差 1 位")
    press(page, "number", person.number[-1])
    screen.keep("kiosk-number")
    page.locator("#number-next").click()
    press(page, "password", "135791")
    screen.keep("kiosk-password")
    page.locator("#password-next").click()
    expect(page.locator("#password-problem")).to_contain_text("不正确")
    press(page, "password", HOLDER_PASSWORD)
    page.locator("#password-next").click()
    expect(page.get_by_role("heading", name="打印一次性码？")).to_be_visible()
    expect(page.locator("[data-screen=print] [data-name]")).to_have_text(mask_name(person.name))
    screen.keep("kiosk-print")
    page.locator("#print-go").click()
    expect(page.get_by_role("heading", name="请取走您的纸")).to_be_visible()
    assert page.evaluate("window.prints") == 1
    screen.keep("kiosk-printed")

    # 2 the paper: one page, both codes readable, nobody's number on it
    text = read_paper(page)
    expect(page.locator("#slip-until")).to_have_text("10:00")
    for shown in (page.content(), "".join(page.locator(".slip").all_inner_texts())):
        assert person.number not in shown
        assert person.name not in shown

    # 3 at the counter it is accepted, once
    type_code(counter, text)
    verdict = counter.page.locator("#verdict")
    expect(verdict).to_have_class("verdict accepted")
    type_code(counter, text)
    expect(verdict).to_have_class("verdict refused")

    # 4 the end: nothing in the page, nothing in the process
    page.locator("[data-screen=printed] [data-leave]").click()
    expect(page.get_by_role("heading", name="办理已结束")).to_be_visible()
    screen.keep("kiosk-over")
    assert text not in page.content().replace(" ", "")
    assert mask_name(person.name) not in page.content()
    screen.expected.append("503")
    answer = page.evaluate(
        """async () => {
             const token = document.querySelector("meta[name=page-token]").content;
             const headers = { "X-Counter-Token": token };
             const answer = await fetch("/printed-codes", { method: "POST", headers });
             return (await answer.json()).code;
           }"""
    )
    assert answer == "nobody_here"
    context.close()


def test_whoever_walks_away_is_forgotten_and_a_loss_stops_the_card(
    stage: Stage, browser: Browser, screens: list[Screen], kiosk: str
) -> None:
    person = stage.bureau.person()
    context = browser.new_context(viewport=KIOSK, has_touch=True)
    page = context.new_page()
    page.close()
    screens.append(Screen.open(context, "about:blank"))
    page = screens[-1].page
    screens[-1].url = kiosk
    page.clock.install()
    page.goto(f"{kiosk}/")

    arrive(page, person, "report_temporary_loss")
    expect(page.locator("#loss-go")).to_be_visible()
    page.clock.run_for(60_000)
    expect(page.get_by_role("heading", name="您还在吗")).to_be_visible()
    screens[-1].keep("kiosk-idle")
    page.locator("#idle-stay").click()
    expect(page.locator("#loss-go")).to_be_visible()
    page.clock.run_for(60_000)
    page.clock.run_for(15_000)
    expect(page.get_by_role("heading", name="办理已结束")).to_be_visible()
    assert mask_name(person.name) not in page.content()
    page.clock.run_for(10_000)
    expect(page.get_by_role("heading", name="您要办什么")).to_be_visible()

    arrive(page, person, "report_temporary_loss")
    page.locator("#loss-go").click()
    expect(page.get_by_role("heading", name="已挂失")).to_be_visible()
    expect(page.locator("#lost-until")).to_contain_text("2026年3月")
    screens[-1].keep("kiosk-lost")
    with stage.bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
    assert card is not None
    assert card.state is CardState.TEMPORARY_LOSS
    page.locator("[data-screen=lost] [data-leave]").click()
    page.locator("#again").click()

    # A card that is lost already is told so; and a machine that is suspended serves nobody.
    arrive(page, person, "report_temporary_loss")
    expect(page.get_by_role("heading", name="这张卡已经挂失了")).to_be_visible()
    page.locator("[data-screen=problem] [data-leave]").click()
    page.locator("#again").click()
    screens[-1].expected.append("403")
    stage.bureau.perform(SuspendTerminal(SERIAL.to_bytes(8)), stage.bureau.maker)
    stage.service.registry.refresh()
    page.clock.run_for(15_000)
    expect(page.get_by_role("heading", name="这台机器暂停服务")).to_be_visible()
    context.close()


@in_each_look
def test_every_screen_fits_and_is_whole_in_its_language(
    stage: Stage, browser: Browser, screens: list[Screen], kiosk: str, look: Look
) -> None:
    person = stage.bureau.person()
    application = next_card(stage.bureau, person, ApplicationKind.EXCHANGE)
    stage.bureau.perform(FileApplication(application, MakingMode.AT_ONCE), person.actor)
    screens.append(look.open(browser, f"{kiosk}/"))
    assert len(visit(screens[-1], person, look)) == 9
    screens[-1].page.context.close()


def visit(screen: Screen, person: Person, chosen: Look) -> set[str]:
    """Goes through all that a holder may do, and looks at each screen; their names."""
    page, seen = screen.page, set()

    def look(name: str) -> None:
        expect(page.locator(f"[data-screen={name}]")).to_be_visible()
        assert not screen.scrolls_sideways(), name
        assert screen.barriers() == [], name
        texts = page.locator("main").inner_text()
        texts = texts.replace(mask_name(person.name), "")
        place = page.locator("#institution").inner_text()
        texts = texts.replace(place, "")
        assert chosen.is_whole(texts), (name, texts)
        small = page.locator("main button:visible, header a").evaluate_all(
            """all => all.filter((one) => one.getBoundingClientRect().height <
                 4.5 * parseFloat(getComputedStyle(document.documentElement).fontSize) - 0.5)
                 .map((one) => one.textContent)"""
        )
        assert small == [], name
        screen.keep(f"kiosk-{name}-{chosen}")
        seen.add(name)

    look("start")
    page.locator("[data-right=print_code]").click()
    look("number")
    press(page, "number", person.number)
    page.locator("#number-next").click()
    look("password")
    press(page, "password", HOLDER_PASSWORD)
    page.locator("#password-next").click()
    look("print")
    page.locator("#print-go").click()
    look("printed")
    page.locator("[data-screen=printed] [data-leave]").click()
    look("over")
    page.locator("#again").click()
    arrive(page, person, "see_applications")
    look("progress")
    page.locator("[data-screen=progress] [data-leave]").click()
    expect(page.locator("#progress-list")).to_have_text("")
    page.locator("#again").click()
    arrive(page, person, "report_temporary_loss")
    look("loss")
    page.locator("#loss-go").click()
    look("lost")
    return seen
