"""Pictures: read back with their version and level, in each form and after rough handling.

What ZBar, which is no part of what draws them, reads is in test_picture_reading.py.
"""

import io
import re
import warnings
from typing import Any

import pytest
import zxingcpp
from PIL import Image, ImageFilter
from qr_reading import the_code
from raw_codes import RawOffline, RawOnline

from card_core import codes
from card_core.codes import picture

ONLINE, OFFLINE, SHORT = RawOnline().text(), RawOffline().text(), "0123456789" * 2 + "01234567"
KINDS = pytest.mark.parametrize(
    ("text", "version"),
    [(ONLINE, 6), (OFFLINE, 10), (SHORT, 1)],
    ids=["online", "offline", "short"],
)


def version_and_level(found: zxingcpp.Barcode) -> tuple[str, str]:
    extra: Any = found.extra
    return extra["Version"], extra["ECLevel"]


def from_png(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


@KINDS
@pytest.mark.parametrize("module_pixels", [3, 4, 8])
def test_a_png_reads_back_with_version_and_level(
    text: str, version: int, module_pixels: int
) -> None:
    image = from_png(picture.to_png(text, module_pixels=module_pixels))
    found = the_code(image)
    assert found.text == text
    assert version_and_level(found) == (str(version), "M")
    side = (17 + 4 * version + 8) * module_pixels
    assert image.size == (side, side)
    assert image.mode == "1"


@KINDS
@pytest.mark.parametrize("degrees", [12, 19, 26, 33, 90, 180])
def test_a_turned_and_blurred_png_reads_back_at_four_pixels_a_module(
    text: str, version: int, degrees: int
) -> None:
    image = from_png(picture.to_png(text, module_pixels=4)).convert("L")
    turned = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    found = the_code(turned.filter(ImageFilter.GaussianBlur(0.8)))
    assert found.text == text
    assert version_and_level(found) == (str(version), "M")


def image_of(rows: list[str], dark: str, pixels: int) -> Image.Image:
    image = Image.new("L", (len(rows[0]), len(rows)), 255)
    for y, row in enumerate(rows):
        for x, module in enumerate(row):
            if module == dark:
                image.putpixel((x, y), 0)
    side = (image.width * pixels, image.height * pixels)
    return image.resize(side, Image.Resampling.NEAREST)


@KINDS
def test_an_svg_reads_back(text: str, version: int) -> None:
    svg = picture.to_svg(text)
    side = 17 + 4 * version + 8
    assert f'viewBox="0 0 {side} {side}"' in svg
    rows = [[" "] * side for _ in range(side)]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", svg):
        for at in range(int(x), int(x) + int(length)):
            rows[int(y)][at] = "#"
    assert the_code(image_of(["".join(row) for row in rows], "#", 4)).text == text


@KINDS
def test_what_a_terminal_shows_reads_back(text: str, version: int) -> None:
    lines = picture.to_terminal(text).split("\n")
    assert all(line.startswith("\x1b[38;5;16m\x1b[48;5;231m") for line in lines)
    assert all(line.endswith("\x1b[0m") for line in lines)
    rows = []
    for line in lines:
        shown = re.sub(r"\x1b\[[0-9;]*m", "", line)
        rows.append("".join("#" if block in "▀█" else " " for block in shown))
        rows.append("".join("#" if block in "▄█" else " " for block in shown))
    assert len(rows[0]) == 17 + 4 * version + 8
    assert the_code(image_of(rows, "#", 4)).text == text


def test_all_pictures_of_a_kind_have_one_size() -> None:
    sizes = {from_png(picture.to_png(RawOnline(minted_at=at).text())).size for at in range(5)}
    assert len(sizes) == 1


@pytest.mark.parametrize("text", ["", "7406", ONLINE[:-1], "a" * 253, "７" * 253, OFFLINE + "0"])
def test_what_is_no_code_is_not_drawn(text: str) -> None:
    for draw in (picture.to_png, picture.to_svg, picture.to_terminal):
        with pytest.raises(codes.InvalidFieldError):
            draw(text)


@pytest.mark.parametrize("module_pixels", [-1, 0, 2, 65])
def test_a_module_has_3_to_64_pixels(module_pixels: int) -> None:
    with pytest.raises(codes.InvalidFieldError) as caught:
        picture.to_png(ONLINE, module_pixels=module_pixels)
    assert caught.value.field == "module_pixels"


def test_drawing_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture.to_png(ONLINE)
        picture.to_svg(ONLINE)
        picture.to_terminal(ONLINE)
