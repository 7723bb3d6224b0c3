"""A daughter's phone shows her mother's code, until either ends it; and she is a mother herself."""

from bureau import HOLDER_PASSWORD
from filing import bound, ward_of
from playwright.sync_api import Browser, expect
from stage import PHONE, Screen, Stage, sign_in, type_code

from card_core.identity import mask_name


def open_family(phone: Screen) -> None:
    phone.page.locator(".places a[href='#/more']").click()
    phone.page.get_by_role("link", name="亲情服务").click()
    expect(phone.page.get_by_role("heading", name="亲情服务")).to_be_visible()


def test_a_daughter_shows_her_mothers_code_until_it_is_ended(
    browser: Browser, stage: Stage, phone: Screen, counter: Screen, screens: list[Screen]
) -> None:
    mother, daughter = stage.bureau.people(2)
    context = browser.new_context(viewport=PHONE)
    screens.append(Screen.open(context, f"{stage.service_url}/holder"))
    mothers = screens[-1]
    sign_in(mothers, mother)
    open_family(mothers)
    mothers.page.locator("#make-offer").click()
    consent = mothers.page.locator("#family-offer-code")
    expect(consent).not_to_be_empty()
    mothers.keep("holder-family-offer-zh")

    sign_in(phone, daughter)
    open_family(phone)
    phone.page.locator("#consent-code").fill(consent.inner_text())
    phone.page.get_by_label("父母").check()
    phone.page.locator("#take-form [type=submit]").click()
    members = phone.page.locator("#family-members li")
    expect(members).to_contain_text(mask_name(mother.name))
    assert phone.barriers() == []
    phone.keep("holder-family-zh")
    members.get_by_role("button", name="出示").click()
    expect(phone.page.get_by_role("heading", name="亲属的电子社保卡")).to_be_visible()
    expect(phone.page.locator("#card-name")).to_have_text(mask_name(mother.name))
    expect(phone.page.locator("#code-picture")).to_be_visible()
    assert phone.barriers() == []
    phone.keep("holder-family-code-zh")
    type_code(counter, phone.read_code())
    expect(counter.page.locator("#verdict")).to_have_class("verdict accepted")

    mothers.page.locator("#family-title").wait_for()
    mothers.page.reload()
    mothers.page.locator("#family-shown").get_by_role("button", name="解除").click()
    expect(mothers.page.locator("#family-shown-empty")).to_be_visible()
    phone.expected.append("40[49]")
    phone.page.locator("#refresh-code").click()
    expect(phone.page.locator("#notice")).to_contain_text(mask_name(mother.name))
    expect(phone.page.locator("#card-name")).to_have_text(mask_name(daughter.name))
    context.close()

    child = ward_of(stage.bureau, daughter)
    bound(stage.bureau, child, daughter)
    open_family(phone)
    add_once(phone, mask_name(child.name))
    report_and_find(phone, mask_name(child.name))


def add_once(phone: Screen, name: str) -> None:
    """A child is added without a code of consent; nobody is offered what is done."""
    members = phone.page.locator("#family-members")
    members.get_by_role("button", name=f"添加 {name}").click()
    end = members.get_by_role("button", name=f"解除 {name}")
    expect(end).to_be_visible()
    expect(members.get_by_role("button", name=f"添加 {name}")).to_have_count(0)
    end.click()
    expect(members.get_by_role("button", name=f"添加 {name}")).to_be_visible()
    expect(end).to_have_count(0)


def report_and_find(phone: Screen, name: str) -> None:
    """The child's card is lost, unless the guardian goes back; and then it is found."""
    page = phone.page
    child = page.locator("#family-members li")
    child.get_by_role("button", name=f"给{name}的卡挂失").click()
    expect(page.get_by_role("heading", name=f"给{name}的卡挂失？")).to_be_visible()
    assert phone.barriers() == []
    phone.keep("holder-ward-loss-zh")
    page.locator("#ward-loss-dialog [value=keep]").click()
    expect(page.locator("#ward-loss-dialog")).to_be_hidden()
    child.get_by_role("button", name=f"给{name}的卡挂失").click()
    page.locator("#ward-loss-go").click()
    expect(page.locator("#ward-told")).to_contain_text(f"{name}的卡已临时挂失")
    expect(child).to_contain_text("卡已临时挂失")
    assert phone.barriers() == []
    phone.keep("holder-ward-lost-zh")
    # In the other language, in large type and on a dark screen; a wrong password is no way back.
    page.emulate_media(color_scheme="dark")
    page.goto(f"{phone.url}?lang=en&type=large#/family")
    child.get_by_role("button", name="Undo the loss report").click()
    phone.keep("holder-ward-found-en-dark-large")
    assert not phone.scrolls_sideways()
    assert phone.barriers() == []
    phone.expected.append("401")
    page.locator("#ward-found-password").fill("135791")
    page.keyboard.press("Enter")
    expect(page.locator("#ward-found-dialog-problem")).not_to_be_empty()
    page.locator("#ward-found-password").fill(HOLDER_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#ward-told")).to_contain_text("works again")
    child.get_by_role("button", name=f"Report the card of {name} lost").click()
    phone.keep("holder-ward-loss-en-dark-large")
