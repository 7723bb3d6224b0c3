"""A short code as bars on a screen, read by a decoder that shares nothing with what drew them."""

import io

import pytest
from installation import Installation
from PIL import Image
from playwright.sync_api import Browser
from servers import debian

from benchmarks import zbar

# A phone's screen, at two of its pixels to one of the page's.
WIDTH = 390
PIXELS = 2


@pytest.fixture(scope="module", autouse=True)
def _zbar() -> None:
    try:
        zbar.load()
    except OSError:
        debian.install("libzbar0", consequence="bars were read by no independent decoder")
        zbar.load()


def seen(browser: Browser, picture_svg: str) -> list[tuple[int, str]]:
    """What ZBar reads off a screen that shows the picture as the service gave it."""
    page = browser.new_page(
        viewport={"width": WIDTH, "height": WIDTH}, device_scale_factor=float(PIXELS)
    )
    page.set_content(f"<body style='margin:0;background:white'>{picture_svg}</body>")
    shot = page.screenshot()
    page.close()
    return zbar.decode(Image.open(io.BytesIO(shot)))


def test_bars_are_scanned_once_and_the_code_that_they_stand_for_not_again(
    embedded: Installation, browser: Browser
) -> None:
    holder = embedded.sign_in(embedded.person())
    shown = holder.show(short=True)
    short = shown["short_code"]
    assert seen(browser, short["picture_svg"]) == [(zbar.CODE_128, short["text"])]
    ((_, read),) = seen(browser, short["picture_svg"])
    assert len(read) == 28
    verdict = embedded.hospital.scan(read).body
    assert (verdict["outcome"], verdict["medium"]) == ("accepted", "short_code")
    assert embedded.hospital.scan(read).word == "already_used"
    assert embedded.other_hospital.scan(shown["text"]).word == "already_used"
    # And the other way round: the long one from its own picture, then the bars.
    shown = holder.show(short=True)
    assert seen(browser, shown["picture_svg"]) == [(zbar.QR_CODE, shown["text"])]
    assert embedded.hospital.scan(shown["text"]).word == "accepted"
    assert embedded.other_hospital.scan(shown["short_code"]["text"]).word == "already_used"


def test_bars_that_nobody_gave_out_are_unknown(embedded: Installation) -> None:
    shown = embedded.sign_in(embedded.person()).show(short=True)
    text = shown["short_code"]["text"]
    guess = text[:-1] + str((int(text[-1]) + 1) % 10)
    assert embedded.other_hospital.scan(guess).word == "unknown_short_code"
    assert embedded.other_hospital.scan(text).word == "accepted"
