"""The public page on which anybody checks a receipt."""

import io

import qrcode
from code_reader import bring_reader
from looks import Look, in_each_look
from playwright.sync_api import Browser, expect
from stage import Screen, Stage, type_code


def picture_of(text: str) -> dict[str, object]:
    file = io.BytesIO()
    qrcode.make(text).save(file)
    return {"name": "receipt.png", "mimeType": "image/png", "buffer": file.getvalue()}


@in_each_look
def test_a_receipt_is_checked_from_its_text_and_its_file(
    browser: Browser,
    stage: Stage,
    counter: Screen,
    screens: list[Screen],
    look: Look,
) -> None:
    person = stage.bureau.person()
    with counter.page.expect_response("**/scans") as answered:
        type_code(counter, stage.bureau.minter.mint(person.holder_id).text)
    receipt = answered.value.json()["receipt"]
    screen = look.open(browser, f"{stage.service_url}/verify")
    screens.append(screen)
    page = screen.page
    has_reader = look.language == "en"
    if has_reader:
        bring_reader(page.context)
        page.reload()
    checked = page.locator("#checked")

    def look_over(name: str) -> None:
        assert screen.barriers() == []
        assert not screen.scrolls_sideways()
        screen.keep(f"verify-{name}-{look}")

    look_over("empty")
    page.locator("button[type=submit]").click()
    expect(page.locator("#receipt-problem")).not_to_be_empty()
    page.locator("#receipt-text").fill(receipt)
    page.locator("button[type=submit]").click()
    expect(checked).to_have_class("panel checked genuine")
    expect(checked).to_be_focused()
    text = page.locator("main").inner_text()
    assert person.name not in text
    assert person.number not in text
    look_over("genuine")

    spoilt = receipt[:-2] + ("AA" if receipt[-2:] != "AA" else "BA")
    page.locator("#receipt-file").set_input_files(
        {"name": "receipt.txt", "mimeType": "text/plain", "buffer": spoilt.encode()}
    )
    expect(checked).to_have_class("panel checked not-genuine")
    expect(page.locator("#checked-facts")).to_be_empty()
    look_over("refused")

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
    look_over("picture")
    page.context.close()
