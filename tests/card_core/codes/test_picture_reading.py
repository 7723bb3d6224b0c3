"""Pictures read by ZBar, which shares nothing with what draws them, clean and handled roughly."""

import io
import random
import re

import pytest
from PIL import Image
from servers import debian

from benchmarks import rough_pictures, zbar
from card_core import codes
from card_core.codes import picture
from card_core.codes.short_text import SHORT_CODE_DIGITS

KINDS = pytest.mark.parametrize("digits", [253, 493], ids=["online", "offline"])
SHORT = ["0" * SHORT_CODE_DIGITS, "9" * SHORT_CODE_DIGITS, "0123456789" * 2 + "98765432"]


@pytest.fixture(scope="module", autouse=True)
def _zbar() -> None:
    try:
        zbar.load()
    except OSError:
        debian.install("libzbar0", consequence="pictures were read by no independent decoder")
        zbar.load()


def image_of(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def read_of(image: Image.Image, kind: int) -> list[str]:
    return [text for found, text in zbar.decode(image) if found == kind]


def count_read(digits: int, module_pixels: int, pictures: int) -> int:
    choices = random.Random(rough_pictures.SEED)
    read = 0
    for _ in range(pictures):
        text = rough_pictures.random_code(digits, choices)
        png = picture.to_png(text, module_pixels=module_pixels)
        read += text in read_of(rough_pictures.rough(png, choices), zbar.QR_CODE)
    return read


@KINDS
@pytest.mark.parametrize("module_pixels", [3, 4, 8])
def test_a_clean_picture_is_read(digits: int, module_pixels: int) -> None:
    text = rough_pictures.random_code(digits, random.Random(digits))
    png = picture.to_png(text, module_pixels=module_pixels)
    assert read_of(image_of(png), zbar.QR_CODE) == [text]


@KINDS
def test_turned_blurred_and_noisy_pictures_are_read(digits: int) -> None:
    assert count_read(digits, 4, 20) == 20
    assert count_read(digits, 3, 20) >= 19


@pytest.mark.long
@KINDS
def test_a_hundred_turned_blurred_and_noisy_pictures_are_read(digits: int) -> None:
    assert count_read(digits, 4, 100) == 100
    assert count_read(digits, 3, 100) >= 97


def test_the_rough_handling_is_rough() -> None:
    """At two pixels a module, which is never drawn, the same handling leaves little to read."""
    choices = random.Random(rough_pictures.SEED)
    read = 0
    for _ in range(10):
        text = rough_pictures.random_code(493, choices)
        large = image_of(picture.to_png(text, module_pixels=4))
        small = large.resize((large.width // 2, large.height // 2), Image.Resampling.NEAREST)
        file = io.BytesIO()
        small.save(file, "PNG")
        read += text in read_of(rough_pictures.rough(file.getvalue(), choices), zbar.QR_CODE)
    assert read <= 3


@pytest.mark.parametrize("text", SHORT)
@pytest.mark.parametrize("module_pixels", [3, 4])
def test_bars_are_read_as_code_128(text: str, module_pixels: int) -> None:
    image = image_of(picture.bars_to_png(text, module_pixels=module_pixels))
    assert image.size == (209 * module_pixels, 40 * module_pixels)
    assert read_of(image, zbar.CODE_128) == [text]


def test_bars_are_read_when_slightly_turned_and_blurred() -> None:
    choices = random.Random(rough_pictures.SEED)
    for _ in range(20):
        text = "".join(choices.choices("0123456789", k=SHORT_CODE_DIGITS))
        image = image_of(picture.bars_to_png(text)).convert("L")
        degrees = choices.uniform(-3, 3)
        turned = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
        assert read_of(turned, zbar.CODE_128) == [text]


@pytest.mark.parametrize("text", SHORT)
def test_bars_have_two_digits_a_symbol_and_ten_quiet_modules(text: str) -> None:
    """GB/T 18347, ISO/IEC 15417: start C, the values of the pairs, check mod 103, stop."""
    svg = picture.bars_to_svg(text)
    assert 'viewBox="0 0 209 40"' in svg
    row = [0] * 209
    for x, length in re.findall(r"M(\d+) 0h(\d+)v40h-\2z", svg):
        row[int(x) : int(x) + int(length)] = [1] * int(length)
    assert row[:10] == row[-10:] == [0] * 10
    symbols = row[10:-10]
    assert "".join(map(str, symbols[:11])) == "11010011100"  # start C
    assert "".join(map(str, symbols[-13:])) == "1100011101011"  # stop
    assert len(symbols) == 11 * 16 + 13


def test_every_picture_of_a_short_code_has_one_size() -> None:
    assert len({image_of(picture.bars_to_png(text)).size for text in SHORT}) == 1


@pytest.mark.parametrize("text", ["", "1" * 27, "1" * 29, "a" * 28, "１" * 28])
def test_what_is_no_short_code_has_no_bars(text: str) -> None:
    for draw in (picture.bars_to_png, picture.bars_to_svg):
        with pytest.raises(codes.InvalidFieldError):
            draw(text)


@pytest.mark.parametrize("module_pixels", [2, 65])
def test_a_module_of_bars_has_3_to_64_pixels(module_pixels: int) -> None:
    with pytest.raises(codes.InvalidFieldError) as caught:
        picture.bars_to_png(SHORT[0], module_pixels=module_pixels)
    assert caught.value.field == "module_pixels"
