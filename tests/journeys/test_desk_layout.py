"""Every page of the desk fits a small screen, is whole in both languages, and keeps nobody out."""

from collections.abc import Iterator

import pytest
from bureau import Bureau
from bureau_desk import BureauDesk, desk_of
from looks import Look, in_each_look
from playwright.sync_api import Browser, Page, expect
from stage import PHONE, Screen
from test_browser_desk import ROSTER
from test_browser_layout import Reader

from card_core.figures import SMALL
from card_core.identity import mask_name
from card_core.store.operators import Role

NAME = "Wang"


@pytest.fixture
def desk(bureau: Bureau, browser: Browser) -> Iterator[BureauDesk]:
    with desk_of(bureau, browser, [("wang", NAME, Role.MAKER), ("li", "Li", Role.CHECKER)]) as made:
        yield made
        assert made.problems() == {}


@in_each_look
def test_every_page_fits_and_is_whole_in_its_language(desk: BureauDesk, look: Look) -> None:
    person, *_ = desk.bureau.people(SMALL)
    desk.bureau.import_roster(desk.bureau.next_applications(1))
    released = desk.bureau.released_batch(1)
    screen = desk.open(f"/?{look.query}", viewport=PHONE, color_scheme=look.scheme)
    reader = Reader(screen, look, ("名册", "机构", "maker 同志", mask_name(person.name)))
    look_at_sign_in(screen, reader)
    desk.enter(screen, "li")
    show(screen, reader, f"{desk.url}/desk/approvals", "#to-decide li")
    reader.keep("desk-approvals")
    show(screen, reader, f"{desk.url}/desk/batches", "#columns section")
    reader.keep("desk-batches")
    show(screen, reader, f"{desk.url}/desk/batches?id={released['batch_id']}", "#way li")
    show(screen, reader, f"{desk.url}/desk/places", "#places li")
    look_at_figures(screen, reader, desk, person.holder_id)
    reader.keep("desk-figures")
    show(screen, reader, f"{desk.url}/desk/search", "#text")
    look_at_file(screen.page, reader, person.number)
    reader.keep("desk-holder_file")
    assert reader.seen == 8


@in_each_look
def test_a_rosters_problems_and_the_forms_for_places_are_whole_in_their_language(
    desk: BureauDesk, look: Look
) -> None:
    screen = desk.open(f"/?{look.query}", viewport=PHONE, color_scheme=look.scheme)
    desk.enter(screen, "wang")
    reader = Reader(screen, look, TITLES)
    show(screen, reader, f"{desk.url}/desk/rosters", "#drop")
    screen.page.locator("#file").set_input_files(ROSTER)
    expect(screen.page.locator("#rows tr").first).to_be_visible()
    for size in ("", "225%"):
        screen.page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
        assert not screen.scrolls_sideways(), size
    screen.page.evaluate("document.documentElement.style.fontSize = ''")
    assert screen.barriers() == []
    reader.keep("desk-roster_checked")
    look_at_places(screen, reader, desk)
    assert reader.seen == 5


# Columns of a roster are named as they stand in the file, institutions as their people call them.
TITLES = ("居民身份证", "机构")


def show(screen: Screen, reader: Reader, url: str, awaited: str) -> None:
    screen.page.goto(url)
    screen.page.locator(awaited).first.wait_for()
    reader.look()


def look_at_places(screen: Screen, reader: Reader, desk: BureauDesk) -> None:
    """An institution's form, a terminal's, and the code that lets it in, with what is wrong."""
    page = screen.page
    show(screen, reader, f"{desk.url}/desk/places", "#places li")
    page.locator("#designate").click()
    page.locator("#place-code").fill("P1")
    page.locator("#all-types").uncheck()
    page.locator("#designating-send").click()
    expect(page.locator("#designating-problem")).not_to_be_empty()
    reader.look()
    reader.keep("desk-designating")
    page.locator("#designating-no").click()
    page.locator("#places li .row-actions button").nth(1).click()
    page.locator("#serial").fill("00000000000000d5")
    reader.look()
    reader.keep("desk-enrolling")
    page.locator("#enrolling-send").click()
    expect(page.locator("#let-out")).to_be_visible()
    reader.look()
    reader.keep("desk-enrolment_code")


def look_at_sign_in(screen: Screen, reader: Reader) -> None:
    screen.page.locator("#sign-in-form").wait_for()
    reader.look()


def look_at_figures(screen: Screen, reader: Reader, desk: BureauDesk, holder_id: str) -> None:
    text = desk.bureau.minter.mint(holder_id).text
    for _ in range(SMALL + 1):
        desk.bureau.scan(text)
    page = screen.page
    page.goto(f"{desk.url}/desk/figures")
    page.locator("#reasons-details summary").click()
    expect(page.locator("#reasons-table td").last).to_have_text(str(SMALL))
    expect(page.locator("#activated-chart svg")).to_have_count(1)
    expect(page.locator("#activated-words")).to_contain_text("100.0%")
    page.locator("#activated-aim").fill("99")
    page.locator("#by").select_option("region")
    expect(page.locator("#cards-table td").first).to_be_visible()
    reader.look()


def look_at_file(page: Page, reader: Reader, number: str) -> None:
    page.locator("#text").fill(number)
    page.locator("#hits button").click()
    expect(page.locator("#file")).to_be_visible()
    reader.look()
