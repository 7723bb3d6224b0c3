"""From a card in the hand to a code on the screen, with no window; and a forgotten password."""

import json
import re
from datetime import date

import pytest
from bureau import HOLDER_PASSWORD, Person
from filing import bound, child_fields, ward_of
from person_checks import OTHER_PASSWORD, Collected, collected
from playwright.sync_api import Browser, Page, expect
from stage import PHONE, Screen, Stage

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


def look(screen: Screen, name: str) -> None:
    assert not screen.scrolls_sideways(), name
    assert screen.barriers() == [], name
    screen.keep(f"holder-online-{name}")


@pytest.mark.parametrize(
    "chosen", [("zh", "light", "normal"), ("en", "dark", "normal")], ids="-".join
)
def test_a_card_in_the_hand_becomes_a_code_on_the_screen(
    browser: Browser, stage: Stage, screens: list[Screen], chosen: tuple[str, str, str]
) -> None:
    language, scheme, size = chosen
    person = collected(stage.bureau)
    context = browser.new_context(viewport=PHONE, color_scheme=scheme)  # type: ignore[arg-type] # one of two words
    address = f"{stage.service_url}/holder?lang={language}&type={size}"
    screens.append(Screen.open(context, address))
    screen, page = screens[-1], screens[-1].page
    screen.expected += ["403", "422"]
    name = "-".join(chosen)

    page.locator("[data-online=activate]").click()
    page.keyboard.press("Enter")
    expect(page.locator("#online-simulated")).to_be_visible()
    page.locator("#online-claim [type=submit]").click()
    expect(page.locator("#online-claim-problem")).not_to_be_empty()
    look(screen, f"claim-{name}")
    claim(page, person)
    look(screen, f"check-{name}")
    typed(page, "typed", "no")
    page.keyboard.press("Enter")
    expect(page.locator("#online-claim-problem")).to_contain_text(
        "核验未通过" if language == "zh" else "not passed"
    )
    page.locator("#online-claim [type=submit]").click()
    page.locator("#online-check").wait_for()
    repeat_the_number(page)
    choose(page, OTHER_PASSWORD, HOLDER_PASSWORD)
    expect(page.locator("#online-password-problem")).not_to_be_empty()
    choose(page, "123456")
    expect(page.locator("#online-password-problem")).to_contain_text(
        "连续" if language == "zh" else "run of digits"
    )
    look(screen, f"password-{name}")
    choose(page, OTHER_PASSWORD)
    page.locator("#code-picture").wait_for()
    if size == "normal":
        assert len(screen.read_code()) == 253

    forget_and_change(stage, screen, person, name)
    page.locator("#number").fill(person.number)
    page.locator("#password").fill(FINAL_PASSWORD)
    page.keyboard.press("Enter")
    page.locator("#code-picture").wait_for()
    assert person.number not in page.content()
    context.close()


def forget_and_change(stage: Stage, screen: Screen, person: Collected, name: str) -> None:
    """Sets another password by a check of the person, and another one with that."""
    page = screen.page
    page.locator(".places a[href='#/more']").click()
    page.locator("#more [data-sign-out]").click()
    page.locator("[data-online=new_password]").click()
    expect(page.locator("#online-card")).to_be_hidden()
    claim(page, person)
    repeat_the_number(page)
    choose(page, HOLDER_PASSWORD)
    page.locator("#code-picture").wait_for()
    say_and_take_out(screen, name)
    apply_for_a_child(screen, stage, person, name)
    page.locator("#change-old").fill(HOLDER_PASSWORD)
    for field in ("#change-new", "#change-new-again"):
        page.locator(field).fill(FINAL_PASSWORD)
    look(screen, f"more-{name}")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("改好" if name.startswith("zh") else "changed")


def say_and_take_out(screen: Screen, name: str) -> None:
    """Consents to a use of the data, and downloads all of it."""
    page = screen.page
    page.locator(".places a[href='#/more']").click()
    uses = page.locator("#consents li")
    expect(uses).to_have_count(6)
    expect(uses.locator("button")).to_have_count(3)
    uses.last.locator("button").click()
    expect(page.locator("#consents-told")).to_be_visible()
    expect(page.locator("#consents li").last).to_contain_text(
        "您已同意" if name.startswith("zh") else "You consent"
    )
    page.locator("#export-password").fill(HOLDER_PASSWORD)
    with page.expect_download() as downloaded:
        page.keyboard.press("Enter")
    content = json.loads(downloaded.value.path().read_bytes())
    assert content["format"] == "sscard/holder-export/v1"
    assert [one["data_use"] for one in content["consents"]] == ["scan_messages"]
    expect(page.locator("#export-done")).to_be_visible()


def apply_for_a_child(screen: Screen, stage: Stage, person: Collected, name: str) -> None:
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
    expect(page.locator("#child-problem")).to_contain_text(
        "区划代码" if name.startswith("zh") else "Region code"
    )
    page.locator("#child-region").fill(fields["region"])
    page.locator("#child-form [type=submit]").click()
    expect(page.locator("#apply-told")).to_be_visible()
    waiting = page.locator("#applications li button")
    expect(waiting).to_have_count(1)
    look(screen, f"apply-{name}")
    waiting.click()
    expect(waiting).to_have_count(0)
    page.locator(".places a[href='#/more']").click()
    expect(page.locator("#more [data-sixteen]")).to_contain_text(mask_name(ward.name))
    expect(page.locator("#more [data-sixteen]")).to_contain_text("16")
