"""The public page on which anybody checks a receipt."""

import io

import pytest
import qrcode
from code_reader import bring_reader
from playwright.sync_api import Browser, expect
from stage import PHONE, Screen, Stage, type_code


def picture_of(text: str) -> dict[str, object]:
    file = io.BytesIO()
    qrcode.make(text).save(file)
    return {"name": "receipt.png", "mimeType": "image/png", "buffer": file.getvalue()}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_receipt_is_checked_from_its_text_and_its_file(
    browser: Browser,
    stage: Stage,
    counter: Screen,
    screens: list[Screen],
    language: str,
) -> None:
    person = stage.bureau.person()
    with counter.page.expect_response("**/scans") as answered:
        type_code(counter, stage.bureau.minter.mint(person.holder_id).text)
    receipt = answered.value.json()["receipt"]
    context = browser.new_context(
        viewport=PHONE, color_scheme="dark" if language == "en" else "light"
    )
    has_reader = language == "en"
    if has_reader:
        bring_reader(context)
    screens.append(Screen.open(context, f"{stage.service_url}/verify?lang={language}"))
    page, screen = screens[-1].page, screens[-1]
    checked = page.locator("#checked")

    def look(name: str) -> None:
        assert screen.barriers() == []
        assert not screen.scrolls_sideways()
        screen.keep(f"verify-{name}-{language}")

    look("empty")
    page.locator("button[type=submit]").click()
    expect(page.locator("#receipt-problem")).not_to_be_empty()
    page.locator("#receipt-text").fill(receipt)
    page.locator("button[type=submit]").click()
    expect(checked).to_have_class("panel checked genuine")
    expect(checked).to_be_focused()
    text = page.locator("main").inner_text()
    assert person.name not in text
    assert person.number not in text
    look("genuine")

    spoilt = receipt[:-2] + ("AA" if receipt[-2:] != "AA" else "BA")
    page.locator("#receipt-file").set_input_files(
        {"name": "receipt.txt", "mimeType": "text/plain", "buffer": spoilt.encode()}
    )
    expect(checked).to_have_class("panel checked not-genuine")
    expect(page.locator("#checked-facts")).to_be_empty()
    look("refused")

    problem = page.locator("#receipt-problem")
    page.locator("#receipt-file").set_input_files(picture_of(receipt))
    if has_reader:
        expect(checked).to_have_class("panel checked genuine")
        expect(page.locator("#camera-button")).to_be_visible()
        page.locator("#receipt-file").set_input_files(
            {"name": "broken.png", "mimeType": "image/png", "buffer": b"no picture"}
        )
        expect(problem).to_contain_text("can't be opened")
    else:
        expect(problem).to_contain_text("认不出图片里的二维码")
        expect(page.locator("#camera-button")).to_be_hidden()
    expect(checked).to_be_hidden()
    look("picture")
    context.close()
