"""The QR picture of a code (GB/T 18284, ISO/IEC 18004): numeric mode, level M, one size a kind.

All pictures of a kind have the same version, whatever they hold, so that a screen that changes its
code every half minute does not jump. The quiet zone of four modules is part of every picture.
"""

import io
from itertools import groupby
from typing import Final

import qrcode
from PIL import Image
from qrcode.util import MODE_NUMBER, QRData

from card_core.codes.errors import InvalidFieldError

MODULE_PIXELS_MIN: Final = 3
"""Below three pixels a module, blurred pictures were not decoded any more."""
MODULE_PIXELS_MAX: Final = 64

_VERSIONS: Final = {253: 6, 493: 10}
_QUIET_MODULES: Final = 4

# Black on white by its numbers in the 256 colours: a terminal's own colours may be inverted.
_TERMINAL_COLOURS: Final = "\x1b[38;5;16m\x1b[48;5;231m"
_TERMINAL_RESET: Final = "\x1b[0m"
_HALF_BLOCKS: Final = {
    (False, False): " ",
    (True, False): "▀",
    (False, True): "▄",
    (True, True): "█",
}


def to_png(text: str, *, module_pixels: int = 8) -> bytes:
    """Return a black and white PNG; module_pixels: the side of a module, 3 to 64 pixels.

    Raises InvalidFieldError, also for a text that has not the length of a code.
    """
    if not MODULE_PIXELS_MIN <= module_pixels <= MODULE_PIXELS_MAX:
        raise InvalidFieldError("module_pixels")
    rows = _modules(text)
    side = len(rows)
    image = Image.new("1", (side, side))
    image.putdata([0 if dark else 255 for row in rows for dark in row])
    image = image.resize((side * module_pixels, side * module_pixels), Image.Resampling.NEAREST)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def to_svg(text: str) -> str:
    """Return an SVG document of one unit a module, without a size of its own."""
    rows = _modules(text)
    side = len(rows)
    path = []
    for y, row in enumerate(rows):
        x = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                path.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path d="{"".join(path)}"/></svg>'
    )


def to_terminal(text: str) -> str:
    """Return lines for a terminal that shows colours and UTF-8, two rows of modules a line."""
    rows = _modules(text)
    if len(rows) % 2:
        rows.append([False] * len(rows))
    return "\n".join(
        _TERMINAL_COLOURS
        + "".join(_HALF_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        + _TERMINAL_RESET
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )


def _modules(text: str) -> list[list[bool]]:
    """Rows of modules, quiet zone included; True is dark."""
    version = _VERSIONS.get(len(text))
    if version is None or not (text.isascii() and text.isdigit()):
        raise InvalidFieldError("text")
    code = qrcode.QRCode(
        version=version,
        error_correction=qrcode.constants.ERROR_CORRECT_M,
        border=_QUIET_MODULES,
    )
    code.add_data(QRData(text, mode=MODE_NUMBER), optimize=0)
    code.make(fit=False)
    return [[bool(module) for module in row] for row in code.get_matrix()]
