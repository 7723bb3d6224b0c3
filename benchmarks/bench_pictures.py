"""Q1 to Q3: how large codes are, how long a picture of one takes, how well it is read.

    python -m benchmarks.bench_pictures

Q2 stands beside `qrcode`, which draws for the terminal. Q3 is ZBar's reading; without Debian's
libzbar0 it is left out. Writes to build/bench/bench.json.
"""

import io
import math
import random
from datetime import UTC, datetime
from functools import partial

import qrcode
from PIL import Image
from qrcode.image.base import BaseImage
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathImage
from qrcode.util import MODE_NUMBER, QRData

from benchmarks import rough_pictures, zbar
from benchmarks.measure import microseconds, pin_to_one_core
from benchmarks.report import Figure, machine, show, write
from card_core import codes
from card_core.business_types import ALL_PURPOSES
from card_core.codes import DeviceCredential, OfflineCode, OnlineCode, PurposeClass, picture
from card_core.codes.short_text import SHORT_CODE_DIGITS
from crypto import sm2

MARKER_DIGITS = 4

PICTURES = 100
MODULE_PIXELS = (3, 4)


def real_codes() -> dict[str, str]:
    """A code of each kind, signed by keys of this run."""
    key = sm2.PrivateKey.generate()
    minted_at = datetime.now(UTC)
    point = key.public_key().to_bytes(compressed=True)
    online = OnlineCode(1, 1, minted_at, PurposeClass.ANY_USE, ALL_PURPOSES, bytes(range(16)))
    to_be_signed = online.to_be_signed()
    credential = DeviceCredential(
        1, 1, minted_at, PurposeClass.ANY_USE, ALL_PURPOSES, status_index=1, device_key=point
    )
    credential_bytes = codes.assemble_credential(
        credential.to_be_signed(), key.sign(credential.to_be_signed())
    )
    offline = OfflineCode(
        credential_bytes, minted_at, PurposeClass.ANY_USE, ALL_PURPOSES, bytes(range(8))
    )
    return {
        "online": codes.assemble(to_be_signed, key.sign(to_be_signed)),
        "offline": codes.assemble(offline.to_be_signed(), key.sign(offline.to_be_signed())),
    }


def sizes(texts: dict[str, str]) -> dict[str, Figure]:
    """Bytes and digits of a code, and the version of its QR code."""
    figures = {}
    for kind, text in texts.items():
        # The digits behind the marker hold this many whole bytes (docs/code-format.md).
        size = int((len(text) - MARKER_DIGITS) * math.log(10, 256))
        side = Image.open(io.BytesIO(picture.to_png(text, module_pixels=4))).width // 4
        figures[f"Q1.{kind}"] = Figure(size, "bytes")
        figures[f"Q1.{kind}.digits"] = Figure(len(text), "digits")
        figures[f"Q1.{kind}.version"] = Figure((side - 8 - 17) // 4, "QR version, level M")
    return figures


def drawing(texts: dict[str, str], choices: random.Random) -> dict[str, Figure]:
    """Milliseconds for one picture."""
    figures = {}
    for kind, text in texts.items():
        times = microseconds(
            {
                "svg": partial(picture.to_svg, text),
                "png": partial(picture.to_png, text),
                "qrcode, SVG": partial(_by_qrcode, text, SvgPathImage),
                "qrcode, PNG": partial(_by_qrcode, text, PilImage),
            }
        )
        figures[f"Q2.{kind}.svg"] = _milliseconds(times, "svg", "qrcode, SVG")
        figures[f"Q2.{kind}.png"] = _milliseconds(times, "png", "qrcode, PNG")
    short_text = "".join(choices.choices("0123456789", k=SHORT_CODE_DIGITS))
    bars = microseconds(
        {
            "svg": partial(picture.bars_to_svg, short_text),
            "png": partial(picture.bars_to_png, short_text),
        }
    )
    return figures | {f"Q2.bars.{form}": _milliseconds(bars, form) for form in ("svg", "png")}


def _by_qrcode(text: str, form: type[BaseImage]) -> bytes:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=8)
    code.add_data(QRData(text, mode=MODE_NUMBER), optimize=0)
    file = io.BytesIO()
    code.make_image(form).save(file)
    return file.getvalue()


def _milliseconds(times: dict[str, float], form: str, *yardsticks: str) -> Figure:
    beside = {name: round(times[name] / 1000, 3) for name in yardsticks}
    return Figure(round(times[form] / 1000, 3), "ms", beside)


def reading(texts: dict[str, str], choices: random.Random) -> dict[str, Figure]:
    """How many of PICTURES rough pictures ZBar reads. Raises OSError where it is missing."""
    figures = {}
    for kind, one in texts.items():
        for pixels in MODULE_PIXELS:
            drawn = [rough_pictures.random_code(len(one), choices) for _ in range(PICTURES)]
            pictures = (picture.to_png(text, module_pixels=pixels) for text in drawn)
            read = sum(
                (zbar.QR_CODE, text) in zbar.decode(rough_pictures.rough(png, choices))
                for text, png in zip(drawn, pictures, strict=True)
            )
            figures[f"Q3.{kind}.{pixels}px"] = Figure(read, f"of {PICTURES}")
    return figures


def main() -> None:
    """Measure, print, write."""
    pin_to_one_core()
    for name, value in machine().items():
        print(f"{name}: {value}")
    choices = random.Random(rough_pictures.SEED)
    texts = real_codes()
    figures = sizes(texts) | drawing(texts, choices)
    try:
        figures |= reading(texts, choices)
    except OSError:
        print("Q3 was not measured: install Debian's libzbar0")
    for name, figure in figures.items():
        show(name, figure)
    write(figures)


if __name__ == "__main__":
    main()
