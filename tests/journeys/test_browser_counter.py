"""How codes get into the counter's page: scanners, input methods, the camera."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from code_reader import bring_reader
from PIL import Image
from playwright.sync_api import Playwright, expect
from servers.chromium import FLAGS, chromium
from stage import Screen, Stage, type_code

from card_core.codes import picture

CAMERA_SIZE = (640, 480)
CAMERA_FRAMES = 8


def code_of_somebody(stage: Stage) -> str:
    return stage.bureau.minter.mint(stage.bureau.person().holder_id).text


def test_a_scanner_needs_no_click_whatever_the_clerk_did_before(
    stage: Stage, counter: Screen
) -> None:
    verdict = counter.page.locator("#verdict")
    field = counter.page.locator("#code-text")
    expect(field).to_be_focused()

    counter.page.get_by_text("今天的扫码").click()
    type_code(counter, code_of_somebody(stage))
    expect(verdict).to_have_class("verdict accepted")

    # The keyboard has gone elsewhere, and stays there until a digit comes.
    counter.page.keyboard.press("Shift+Tab")
    expect(field).not_to_be_focused()
    counter.page.keyboard.press("Escape")
    counter.page.locator("input[type=radio]").first.focus()
    type_code(counter, code_of_somebody(stage))
    expect(verdict).to_have_class("verdict accepted")
    expect(field).to_be_focused()


def test_an_input_method_in_full_width_does_no_harm(stage: Stage, counter: Screen) -> None:
    wide = code_of_somebody(stage).translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    counter.page.keyboard.insert_text(wide)
    counter.page.keyboard.press("Enter")
    expect(counter.page.locator("#verdict")).to_have_class("verdict accepted")


def test_digits_that_an_input_method_is_still_composing_are_read(
    stage: Stage, counter: Screen
) -> None:
    code = code_of_somebody(stage)
    driver = counter.page.context.new_cdp_session(counter.page)
    composed = {"text": code, "selectionStart": len(code), "selectionEnd": len(code)}
    driver.send("Input.imeSetComposition", composed)
    # The scanner's Enter ends the composition; the input method keeps the key to itself.
    enter = {"key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
    driver.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    driver.send("Input.insertText", {"text": code})
    driver.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    expect(counter.page.locator("#verdict")).to_have_class("verdict accepted")
    expect(counter.page.locator("#recent li")).to_have_count(1)


def test_what_is_no_code_is_red_with_what_to_do(counter: Screen) -> None:
    type_code(counter, "6901234567892")
    expect(counter.page.locator("#verdict")).to_have_class("verdict refused")
    expect(counter.page.locator("#verdict-next")).to_contain_text("请重新扫描")


def test_a_name_does_not_stay_on_the_screen(stage: Stage, counter: Screen) -> None:
    counter.page.clock.install()
    counter.page.reload()
    counter.page.get_by_text("药店购药").wait_for()
    type_code(counter, code_of_somebody(stage))
    expect(counter.page.locator("#verdict-holder")).to_be_visible()
    counter.page.clock.fast_forward(91_000)
    expect(counter.page.locator("#verdict")).to_have_class("verdict waiting")
    expect(counter.page.locator("#verdict-holder")).to_be_hidden()


# ---- the camera


@pytest.fixture
def before_camera(
    playwright: Playwright, stage: Stage, screens: list[Screen], tmp_path: Path
) -> Iterator[Screen]:
    """The counter in a browser whose camera looks at somebody's code."""
    code = picture.to_png(code_of_somebody(stage), module_pixels=6)
    frame = Image.new("RGB", CAMERA_SIZE, (120, 130, 125))
    with Image.open(io.BytesIO(code)) as drawn:
        held = drawn.convert("RGB").rotate(4, expand=True, fillcolor=(255, 255, 255))
    frame.paste(held, (90, 40))
    video = tmp_path / "camera.mjpeg"
    with video.open("wb") as film:
        for _ in range(CAMERA_FRAMES):
            frame.save(film, "JPEG", quality=90)
    flags = [
        *FLAGS,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={video}",
    ]
    launched = playwright.chromium.launch(executable_path=chromium(), args=flags)
    screens.append(Screen.open(launched.new_context(), f"{stage.counter_url}/"))
    screens[-1].page.get_by_text("药店购药").wait_for()
    yield screens[-1]
    launched.close()


def test_the_camera_reads_a_code_once(
    before_camera: Screen, stage: Stage, screens: list[Screen]
) -> None:
    page = before_camera.page
    page.get_by_role("button", name="用摄像头").click()
    expect(page.locator("#verdict")).to_have_class("verdict accepted")
    # The code stays before the camera: more pictures are looked at, and it is still one scan.
    for _ in range(3):
        with page.expect_response("**/frames?*") as looked:
            pass
        assert looked.value.json()["text"]
    expect(page.locator("#recent li")).to_have_count(1)
    page.get_by_role("button", name="关摄像头").click()
    expect(page.locator("#camera")).to_be_hidden()

    # The same code before the camera of the page where anybody checks a receipt: it is none.
    browser = page.context.browser
    assert browser
    context = browser.new_context()
    bring_reader(context)
    screens.append(Screen.open(context, f"{stage.service_url}/verify"))
    page = screens[-1].page
    page.get_by_role("button", name="用摄像头扫").click()
    expect(page.locator("#checked")).to_have_class("panel checked not-genuine")
    assert len(page.locator("#receipt-text").input_value()) == 253
    expect(page.locator("#camera")).to_be_hidden()
    assert page.evaluate("document.getElementById('camera-picture').srcObject") is None
