"""The public page on which anybody checks a receipt."""

import base64
import io

import pytest
import qrcode
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, expect
from stage import PHONE, Screen, Stage, type_code

# Phones' browsers bring a reader of codes; this one's is zxing-cpp, behind the same interface.
READER = """
    window.BarcodeDetector = class {
        static getSupportedFormats = async () => ["qr_code"];
        async detect(picture) {
            const canvas = document.createElement("canvas");
            Object.assign(canvas, { width: picture.width, height: picture.height });
            canvas.getContext("2d").drawImage(picture, 0, 0);
            const found = await window.readCodes(canvas.toDataURL().split(",")[1]);
            return found.map((rawValue) => ({ rawValue }));
        }
    };
"""


def codes_in(png_b64: str) -> list[str]:
    with Image.open(io.BytesIO(base64.b64decode(png_b64))) as picture:
        return [found.text for found in zxingcpp.read_barcodes(picture.convert("RGB"))]


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
        context.expose_function("readCodes", codes_in)
        context.add_init_script(READER)
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
    look("picture")
    context.close()
