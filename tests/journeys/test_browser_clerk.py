"""A clerk at a bank's counter hands a card over; another, with a tablet, visits people at home."""

from collections.abc import Iterator
from contextlib import contextmanager

from bureau import OPERATOR_PASSWORD, MemorySigner, signing_key
from clerks import BRANCH, CLERK, Waiting, adult_fields, bank_branch, cards_at_branch, clerk_of
from looks import Look, in_each_look
from playwright.sync_api import Browser, BrowserContext, Page, expect
from stage import Screen, Stage, listening, served, url_of

from card_core.kernel.acts.institutions import SuspendTerminal
from card_core.service_channels import ChannelKind
from card_core.sign_in import Prover, by_key
from card_core.states import CardState
from card_core.store import cards, filings, operators
from scan_api.kiosk import ChannelClient, create_kiosk_app
from scan_api.terminal import TerminalKey

DESK = {"width": 1280, "height": 960}
TABLET = {"width": 800, "height": 1280}
SERIAL = 0xD1


@contextmanager
def channel(stage: Stage, kind: ChannelKind, serial: int, prover: Prover | None) -> Iterator[str]:
    """The page of a channel at the branch; its address."""
    device = stage.service.enrol(BRANCH, serial, kind)
    client = ChannelClient(
        stage.service_url,
        TerminalKey(device.serial_number, MemorySigner(device.key)),
        clock=lambda: stage.bureau.clock().timestamp(),
        pause=lambda _: None,
    )
    with listening() as bound, client:
        app = create_kiosk_app(client, port=bound.getsockname()[1], prover=prover)
        with served(app, bound):
            yield url_of(bound)


def clerk_signs_in(page: Page, password: str = OPERATOR_PASSWORD) -> None:
    page.locator("#clerk-in-name").fill(CLERK)
    page.locator("#clerk-in-password").fill(password)
    page.keyboard.press("Enter")


def enter(page: Page, form: str, found: Waiting) -> None:
    page.locator(f"#{form}-social_security_number").fill(found.number)
    page.locator(f"#{form}-name").fill(found.name)


def state_of(stage: Stage, found: Waiting) -> CardState:
    with stage.bureau.store.read() as tx:
        card = cards.get(tx, found.card.id)
    assert card is not None
    return card.state


def test_a_card_goes_from_the_banks_counter_into_its_holders_hand(
    stage: Stage, browser: Browser, screens: list[Screen]
) -> None:
    bank_branch(stage.bureau)
    clerk_of(stage.bureau)
    found, other = cards_at_branch(stage.bureau, 2)
    prover = by_key(signing_key(CLERK).sign)
    with channel(stage, ChannelKind.BANK_COUNTER, SERIAL, prover) as url:
        context = browser.new_context(viewport=DESK)
        screens.append(Screen.open(context, "about:blank"))
        screen, page = screens[-1], screens[-1].page
        screen.url = url
        screen.expected += ["40[134]"]
        page.clock.install()
        page.goto(f"{url}/")

        enter_as_clerk(screen)
        hand_over(stage, screen, found, other)
        report_lost(stage, page, found)
        walk_away(page, other)
        stage.bureau.perform(SuspendTerminal(SERIAL.to_bytes(8)), stage.bureau.maker)
        stage.service.registry.refresh()
        page.clock.run_for(15_000)
        expect(page.get_by_role("heading", name="这台机器暂停服务")).to_be_visible()
        context.close()


def enter_as_clerk(screen: Screen) -> None:
    """With the right password alone; what there is to do is what the counter may."""
    page = screen.page
    expect(page.get_by_role("heading", name="工作人员登录")).to_be_visible()
    screen.keep("clerk-in")
    clerk_signs_in(page, "guess 1 guess")
    expect(page.locator("#clerk-in-problem")).to_contain_text("不正确")
    expect(page.locator("#clerk-in-password")).to_have_value("")
    clerk_signs_in(page)
    expect(page.locator("#clerk-name")).to_have_text("周经办")
    assert page.locator(".tile:visible strong").all_inner_texts() == ["领卡", "挂失"]
    screen.keep("clerk-errands")


def hand_over(stage: Stage, screen: Screen, found: Waiting, other: Waiting) -> None:
    """To whom it belongs, seen and with the right card, and else not."""
    page = screen.page
    page.locator("[data-needs=hand_over_card]").click()
    enter(page, "activate", found)
    page.locator("#activate-card_number").fill(other.card.card_number)
    submit = page.locator("#clerk-activate-form [type=submit]")
    submit.click()
    problem = page.locator("#clerk-activate-problem")
    expect(problem).to_contain_text("先核对证件原件")
    page.locator("#activate-seen").check()
    submit.click()
    expect(problem).to_contain_text("这里没有可以办理的卡")
    screen.keep("clerk-activate-problem")
    page.locator("#activate-card_number").fill(found.card.card_number.lower())
    submit.click()
    expect(page.get_by_role("heading", name="卡已启用")).to_be_visible()
    screen.keep("clerk-done")
    assert state_of(stage, found) is CardState.NORMAL
    assert found.number not in page.content()
    page.locator("[data-screen=clerk-done] [data-back]").click()


def report_lost(stage: Stage, page: Page, found: Waiting) -> None:
    page.locator("[data-errand=loss]").click()
    enter(page, "loss", found)
    page.locator("#loss-seen").check()
    page.locator("#clerk-loss-form [type=submit]").click()
    expect(page.get_by_role("heading", name="已挂失")).to_be_visible()
    assert state_of(stage, found) is CardState.TEMPORARY_LOSS
    page.locator("[data-screen=clerk-done] [data-back]").click()


def walk_away(page: Page, other: Waiting) -> None:
    """Left alone, the page signs the clerk out and forgets what was typed."""
    page.locator("[data-errand=loss]").click()
    enter(page, "loss", other)
    page.clock.run_for(300_000)
    expect(page.get_by_role("heading", name="您还在吗")).to_be_visible()
    page.clock.run_for(15_000)
    expect(page.locator("#clerk-over")).to_contain_text("已自动退出")
    expect(page.locator("#loss-name")).to_have_value("")
    assert "周经办" not in page.content()


@in_each_look
def test_on_a_tablet_at_home_every_screen_fits_and_is_whole_in_its_language(
    stage: Stage, browser: Browser, screens: list[Screen], look: Look
) -> None:
    bank_branch(stage.bureau)
    clerk_of(stage.bureau)
    found = cards_at_branch(stage.bureau, 1)[0]
    prover = by_key(signing_key(CLERK).sign)
    with channel(stage, ChannelKind.HOME_VISIT, SERIAL, prover) as url:
        screens.append(look.open(browser, f"{url}/", has_touch=True))
        screens[-1].expected += ["40[13]"]
        visit(stage, screens[-1], look, found)
        screens[-1].page.context.close()


def test_a_tablet_without_a_key_asks_for_the_dynamic_password(
    stage: Stage, browser: Browser, screens: list[Screen]
) -> None:
    bank_branch(stage.bureau)
    clerk_of(stage.bureau)
    with channel(stage, ChannelKind.HOME_VISIT, SERIAL, None) as url:
        with_digits(browser.new_context(viewport=TABLET), url, screens)


def visit(stage: Stage, screen: Screen, chosen: Look, found: Waiting) -> None:
    page = screen.page

    def look(name: str) -> None:
        expect(page.locator(f"[data-screen={name}]")).to_be_visible()
        assert not screen.scrolls_sideways(), name
        assert screen.barriers() == [], name
        text = page.locator("main").inner_text().replace("周经办", "")
        text = text.replace(page.locator("#institution").inner_text(), "")
        assert chosen.is_whole(text), (name, text)
        targets = "main button:visible, main input:visible, main label:has(input):visible"
        too_small = page.locator(targets).evaluate_all(
            """all => all.filter((one) => (one.closest("label") ?? one).offsetHeight
                 < 4.5 * parseFloat(getComputedStyle(document.documentElement).fontSize) - 0.5)
                 .map((one) => one.outerHTML)"""
        )
        assert too_small == [], name
        screen.keep(f"{name}-{chosen}")

    look("clerk-in")
    clerk_signs_in(page)
    look("clerk-errands")
    page.locator("[data-errand=activate]:visible").click()
    enter(page, "activate", found)
    page.locator("#activate-card_number").fill(found.card.card_number)
    page.locator("#activate-seen").check()
    page.locator("#clerk-activate-form [type=submit]").click()
    expect(page.locator("#clerk-activate-problem")).to_contain_text(
        chosen.word("这里不能领卡", "not handed over here")
    )
    look("clerk-activate")
    page.locator("[data-screen=clerk-activate] [data-back]").click()
    page.locator("[data-errand=loss]").click()
    look("clerk-loss")
    page.locator("[data-screen=clerk-loss] [data-back]").click()
    page.locator("[data-errand=apply]").click()
    look("clerk-apply")
    fields = adult_fields(1)
    for name in ("number", "name", "phone", "address", "region", "bank", "branch"):
        page.locator(f"#apply-{name}").fill(fields[name])
    page.locator("#apply-seen").check()
    page.locator("#clerk-apply-form [type=submit]").click()
    look("clerk-done")
    with stage.bureau.store.read() as tx:
        assert filings.has_open_one(tx, clerk_id(stage), fields["number"])
    page.locator("[data-screen=clerk-done] [data-back]").click()
    page.locator("#clerk-out").click()
    expect(page.locator("#clerk-over")).to_be_visible()


def clerk_id(stage: Stage) -> str:
    with stage.bureau.store.read() as tx:
        found = operators.find_by_name(tx, CLERK)
    assert found is not None
    return found.id


def with_digits(context: BrowserContext, url: str, screens: list[Screen]) -> None:
    """Without a key on the machine the dynamic password is asked for."""
    screens.append(Screen.open(context, f"{url}/"))
    page = screens[-1].page
    screens[-1].expected += ["40[01]"]
    clerk_signs_in(page)
    expect(page.locator("#clerk-in-problem")).to_have_text("请填写：动态口令")
    page.locator("#clerk-in-dynamic_password").fill("12")
    page.keyboard.press("Enter")
    expect(page.locator("#clerk-in-problem")).to_contain_text("不正确")
    screens[-1].keep("clerk-in-digits")
    context.close()
