"""From a card in the hand to a code on the screen, with no window; and a forgotten password."""

import json
import re
from datetime import date

from bureau import HOLDER_PASSWORD, Person
from filing import bound, child_fields, ward_of
from looks import Look, in_each_look
from person_checks import OTHER_PASSWORD, Collected, collected
from playwright.sync_api import Browser, Page, expect
from stage import Screen, Stage

from card_core.identity import mask_name

FINAL_PASSWORD = "530917"


def typed(page: Page, what: str, text: str) -> None:
    page.locator(f"#online-{what}").fill(text)


def claim(page: Page, person: Collected) -> None:
    typed(page, "number", person.number)
    typed(page, "name", person.name)
    if page.locator("#online-card").is_visible():
        typed(page, "card", person.card_number)
    page.keyboard.press("Enter")
    page.locator("#online-check").wait_for()


def repeat_the_number(page: Page) -> None:
    shown = re.search(r"\d{4}", page.locator("#online-message").inner_text())
    assert shown is not None
    typed(page, "typed", shown[0])
    page.keyboard.press("Enter")
    page.locator("#online-password").wait_for()


def choose(page: Page, password: str, again: str | None = None) -> None:
    typed(page, "new", password)
    typed(page, "new-again", again or password)
    page.keyboard.press("Enter")


def look_over(screen: Screen, name: str, look: Look) -> None:
    assert not screen.scrolls_sideways(), name
    assert screen.barriers() == [], name
    screen.keep(f"holder-online-{name}-{look}")


def to_code(page: Page, look: Look) -> None:
    """In large type the three big buttons come first."""
    if look.size == "large":
        page.locator("#home-code").click()
    page.locator("#code-picture").wait_for()


@in_each_look
def test_a_card_in_the_hand_becomes_a_code_on_the_screen(
    browser: Browser, stage: Stage, screens: list[Screen], look: Look
) -> None:
    person = collected(stage.bureau)
    screens.append(look.open(browser, f"{stage.service_url}/holder"))
    screen, page = screens[-1], screens[-1].page
    screen.expected += ["403", "422"]

    page.locator("[data-online=activate]").click()
    page.keyboard.press("Enter")
    expect(page.locator("#online-simulated")).to_be_visible()
    page.locator("#online-claim [type=submit]").click()
    expect(page.locator("#online-claim-problem")).not_to_be_empty()
    look_over(screen, "claim", look)
    claim(page, person)
    look_over(screen, "check", look)
    typed(page, "typed", "no")
    page.keyboard.press("Enter")
    expect(page.locator("#online-claim-problem")).to_contain_text(
        look.word("核验未通过", "not passed")
    )
    page.locator("#online-claim [type=submit]").click()
    page.locator("#online-check").wait_for()
    repeat_the_number(page)
    choose(page, OTHER_PASSWORD, HOLDER_PASSWORD)
    expect(page.locator("#online-password-problem")).not_to_be_empty()
    choose(page, "123456")
    expect(page.locator("#online-password-problem")).to_contain_text(
        look.word("连续", "run of digits")
    )
    look_over(screen, "password", look)
    choose(page, OTHER_PASSWORD)
    to_code(page, look)
    if look.size == "normal":
        assert len(screen.read_code()) == 253

    forget_and_change(stage, screen, person, look)
    page.locator("#number").fill(person.number)
    page.locator("#password").fill(FINAL_PASSWORD)
    page.keyboard.press("Enter")
    to_code(page, look)
    assert person.number not in page.content()
    page.context.close()


def forget_and_change(stage: Stage, screen: Screen, person: Collected, look: Look) -> None:
    """Sets another password by a check of the person, and another one with that."""
    page = screen.page
    page.locator(".places a[href='#/more']").click()
    page.locator("#more [data-sign-out]").click()
    page.locator("[data-online=new_password]").click()
    expect(page.locator("#online-card")).to_be_hidden()
    claim(page, person)
    repeat_the_number(page)
    choose(page, HOLDER_PASSWORD)
    to_code(page, look)
    say_and_take_out(screen, look)
    apply_for_a_child(screen, stage, person, look)
    page.locator("#change-old").fill(HOLDER_PASSWORD)
    for field in ("#change-new", "#change-new-again"):
        page.locator(field).fill(FINAL_PASSWORD)
    look_over(screen, "more", look)
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text(look.word("改好", "changed"))


def say_and_take_out(screen: Screen, look: Look) -> None:
    """Consents to a use of the data, and downloads all of it."""
    page = screen.page
    page.locator(".places a[href='#/more']").click()
    uses = page.locator("#consents li")
    expect(uses).to_have_count(6)
    expect(uses.locator("button")).to_have_count(3)
    uses.last.locator("button").click()
    expect(page.locator("#consents-told")).to_be_visible()
    expect(page.locator("#consents li").last).to_contain_text(look.word("您已同意", "You consent"))
    page.locator("#export-password").fill(HOLDER_PASSWORD)
    with page.expect_download() as downloaded:
        page.keyboard.press("Enter")
    content = json.loads(downloaded.value.path().read_bytes())
    assert content["format"] == "sscard/holder-export/v1"
    assert [one["data_use"] for one in content["consents"]] == ["scan_messages"]
    expect(page.locator("#export-done")).to_be_visible()


def apply_for_a_child(screen: Screen, stage: Stage, person: Collected, look: Look) -> None:
    """As the guardian; the own card is in use and may be exchanged. Then sees who turns 16."""
    page = screen.page
    guardian = Person(person.holder_id, person.number, person.name, person.card_id, "")
    ward = ward_of(stage.bureau, guardian, born_on=date(2010, 8, 1))
    bound(stage.bureau, ward, guardian)
    page.locator("#more a[href='#/apply']").click()
    expect(page.locator("[data-apply=exchange]")).to_be_visible()
    expect(page.locator("[data-apply=replacement]")).to_be_hidden()
    fields = child_fields(7)
    for field in ("name", "number", "phone", "address", "region", "bank", "branch"):
        page.locator(f"#child-{field}").fill(fields[field] if field != "region" else "1")
    page.locator("#child-form [type=submit]").click()
    expect(page.locator("#child-problem")).to_contain_text(look.word("区划代码", "Region code"))
    page.locator("#child-region").fill(fields["region"])
    page.locator("#child-form [type=submit]").click()
    expect(page.locator("#apply-told")).to_be_visible()
    waiting = page.locator("#applications li button")
    expect(waiting).to_have_count(1)
    look_over(screen, "apply", look)
    waiting.click()
    expect(waiting).to_have_count(0)
    page.locator(".places a[href='#/more']").click()
    expect(page.locator("#more [data-sixteen]")).to_contain_text(mask_name(ward.name))
    expect(page.locator("#more [data-sixteen]")).to_contain_text("16")
