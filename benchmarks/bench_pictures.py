"""Q1 to Q3: how large codes are, how long a picture of one takes, how well it is read.

    python -m benchmarks.bench_pictures

Q2 stands beside `qrcode`, which draws for the terminal. Q3 is ZBar's reading; without Debian's
libzbar0 it is left out. Writes to build/bench/bench.json.
"""

import random

import qrcode
from qrcode.image.svg import SvgPathImage
from qrcode.util import MODE_NUMBER, QRData

from benchmarks import rough_pictures, zbar
from benchmarks.measure import microseconds, pin_to_one_core
from benchmarks.report import Figure, machine, show, write
from card_core.codes import picture
from card_core.codes.short_text import SHORT_CODE_DIGITS

# Digits without the marker of four, QR version, bytes.
KINDS = {"online": (253, 6, 103), "offline": (493, 10, 203)}
PICTURES = 100


def _by_qrcode(text: str, version: int) -> qrcode.QRCode:
    code = qrcode.QRCode(version=version, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(QRData(text, mode=MODE_NUMBER), optimize=0)
    return code


def sizes() -> dict[str, Figure]:
    """The bytes that a code's digits hold, and the digits themselves."""
    return {
        f"Q1.{kind}": Figure(size, "bytes", {"digits": digits, "QR version, level M": version})
        for kind, (digits, version, size) in KINDS.items()
    }


def drawing(choices: random.Random) -> dict[str, Figure]:
    """Milliseconds for one picture."""
    figures = {}
    for kind, (digits, version, _) in KINDS.items():
        text = rough_pictures.random_code(digits, choices)
        times = microseconds(
            {
                "svg": lambda text=text: picture.to_svg(text),
                "png": lambda text=text: picture.to_png(text),
                "qrcode, SVG": lambda text=text, version=version: _by_qrcode(
                    text, version
                ).make_image(SvgPathImage),
                "qrcode, PNG": lambda text=text, version=version: _by_qrcode(
                    text, version
                ).make_image(),
            }
        )
        for form in ("svg", "png"):
            yardstick = f"qrcode, {form.upper()}"
            figures[f"Q2.{kind}.{form}"] = _milliseconds(times, form, yardstick)
    short_text = "".join(choices.choices("0123456789", k=SHORT_CODE_DIGITS))
    bars = microseconds(
        {
            "svg": lambda: picture.bars_to_svg(short_text),
            "png": lambda: picture.bars_to_png(short_text),
        }
    )
    return figures | {f"Q2.bars.{form}": _milliseconds(bars, form) for form in ("svg", "png")}


def _milliseconds(times: dict[str, float], form: str, *yardsticks: str) -> Figure:
    beside = {name: round(times[name] / 1000, 3) for name in yardsticks}
    return Figure(round(times[form] / 1000, 3), "ms", beside)


def reading(choices: random.Random) -> dict[str, Figure]:
    """How many of PICTURES rough pictures ZBar reads, at 3 and at 4 pixels a module."""
    figures = {}
    for kind, (digits, _, _) in KINDS.items():
        for pixels in (3, 4):
            texts = [rough_pictures.random_code(digits, choices) for _ in range(PICTURES)]
            pictures = (picture.to_png(text, module_pixels=pixels) for text in texts)
            read = sum(
                (zbar.QR_CODE, text) in zbar.decode(rough_pictures.rough(png, choices))
                for text, png in zip(texts, pictures, strict=True)
            )
            figures[f"Q3.{kind}.{pixels}px"] = Figure(read, f"of {PICTURES}")
    return figures


def main() -> None:
    """Measure, print, write."""
    pin_to_one_core()
    for name, value in machine().items():
        print(f"{name}: {value}")
    choices = random.Random(rough_pictures.SEED)
    figures = sizes() | drawing(choices)
    try:
        figures |= reading(choices)
    except OSError:
        print("Q3 was not measured: install Debian's libzbar0")
    for name, figure in figures.items():
        show(name, figure)
    write(figures)


if __name__ == "__main__":
    main()
