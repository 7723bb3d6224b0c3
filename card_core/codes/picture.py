"""Pictures of codes: a QR code for each kind, and Code 128 for a short one.

QR (GB/T 18284, ISO/IEC 18004): numeric mode, level M, one version a kind. All pictures of a kind
have the same size, whatever they hold, so that a screen that changes its code every half minute
does not jump. Code 128 (GB/T 18347, ISO/IEC 15417): set C, two digits a symbol. The quiet zone,
four modules around a QR code and ten beside the bars, is part of every picture.
"""

import io
import re
from typing import TYPE_CHECKING, Final, cast

import zxingcpp

from card_core.codes.errors import InvalidFieldError
from card_core.codes.short_text import SHORT_CODE_DIGITS, is_short_code

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

MODULE_PIXELS_MIN: Final = 3
"""Below three pixels a module, blurred pictures were not decoded any more."""
MODULE_PIXELS_MAX: Final = 64
BARS_HEIGHT_MODULES: Final = 40
"""ISO/IEC 15417 asks for 15% of the width at least, which is 209 modules."""

_VERSIONS: Final = {SHORT_CODE_DIGITS: 1, 253: 6, 493: 10}
_QUIET_MODULES: Final = 4
_SYMBOL_MODULES: Final = 11
# Start, fourteen pairs of digits, check, stop (two modules longer), ten quiet modules on each side.
_BARS_WIDTH_MODULES: Final = (1 + 14 + 1 + 1) * _SYMBOL_MODULES + 2 + 2 * 10
_dark_runs = re.compile(rb"\x00+").finditer

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
    """Return a QR code, a black and white PNG; module_pixels: the side of a module, 3 to 64 pixels.

    Raises InvalidFieldError, also for a text that has not the length of a code.
    """
    _check_pixels(module_pixels)
    rows = _qr_rows(text)
    return _png(rows, module_pixels, module_pixels)


def to_svg(text: str) -> str:
    """Return a QR code as an SVG document of one unit a module, without a size of its own.

    Raises InvalidFieldError.
    """
    rows = _qr_rows(text)
    return _svg(rows, len(rows))


def bars_to_png(short_text: str, *, module_pixels: int = 3) -> bytes:
    """Return the bars of a short code, a black and white PNG. Raises InvalidFieldError."""
    _check_pixels(module_pixels)
    return _png([_bars_row(short_text)], module_pixels, module_pixels * BARS_HEIGHT_MODULES)


def bars_to_svg(short_text: str) -> str:
    """Return the bars of a short code as SVG, like `to_svg`. Raises InvalidFieldError."""
    # A phone rarely has whole pixels for a module of 209: soft edges stay where they belong.
    return _svg([_bars_row(short_text)], BARS_HEIGHT_MODULES, edges="geometricPrecision")


def to_terminal(text: str) -> str:
    """Return lines for a terminal that shows colours and UTF-8, two rows of modules a line."""
    rows = _printed_rows(text)
    if len(rows) % 2:
        rows.append([False] * len(rows))
    return "\n".join(
        _TERMINAL_COLOURS
        + "".join(_HALF_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        + _TERMINAL_RESET
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )


def _check_pixels(module_pixels: int) -> None:
    if not MODULE_PIXELS_MIN <= module_pixels <= MODULE_PIXELS_MAX:
        raise InvalidFieldError("module_pixels")


def _qr_version(text: str) -> int:
    version = _VERSIONS.get(len(text))
    if version is None or not (text.isascii() and text.isdigit()):
        raise InvalidFieldError("text")
    return version


def _qr_rows(text: str) -> list[bytes]:
    """Rows of modules, quiet zone included; 0 is dark. By the fast writer: a citizen waits."""
    side = 17 + 4 * _qr_version(text) + 2 * _QUIET_MODULES
    drawn = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    return _rows(drawn, side)


def _bars_row(short_text: str) -> bytes:
    if not is_short_code(short_text):
        raise InvalidFieldError("short_text")
    drawn = zxingcpp.create_barcode(short_text, zxingcpp.BarcodeFormat.Code128)
    return _rows(drawn, _BARS_WIDTH_MODULES)[0]


def _rows(drawn: zxingcpp.Barcode, width: int) -> list[bytes]:
    # The image has Python's buffer, which its stubs do not say.
    pixels = memoryview(cast("Buffer", drawn.to_image(scale=1, add_quiet_zones=True)))
    if pixels.shape is None or pixels.shape[1] != width:
        raise InvalidFieldError("text")  # a size is a promise: no page has to be laid out anew
    content = pixels.tobytes()
    return [content[at : at + width] for at in range(0, len(content), width)]


def _png(rows: list[bytes], x_pixels: int, y_pixels: int) -> bytes:
    width, height = len(rows[0]), len(rows)
    from PIL import Image  # noqa: PLC0415 - a service that draws SVG alone needn't hold it

    small = Image.frombytes("L", (width, height), b"".join(rows))
    # To one bit while it is small, and the weakest compression: half the time, hardly more bytes.
    small = small.convert("1", dither=Image.Dither.NONE)
    image = small.resize((width * x_pixels, height * y_pixels), Image.Resampling.NEAREST)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _svg(rows: list[bytes], height: int, *, edges: str = "crispEdges") -> str:
    """One rectangle a run of dark modules; the rows share the height evenly."""
    width, row_height = len(rows[0]), height // len(rows)
    path = "".join(
        f"M{run.start()} {y * row_height}h{run.end() - run.start()}v{row_height}"
        f"h-{run.end() - run.start()}z"
        for y, row in enumerate(rows)
        for run in _dark_runs(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'shape-rendering="{edges}"><path fill="#fff" d="M0 0h{width}v{height}H0z"/>'
        f'<path d="{path}"/></svg>'
    )


def _printed_rows(text: str) -> list[list[bool]]:
    """Rows of modules, quiet zone included; True is dark."""
    import qrcode  # noqa: PLC0415 - for terminals alone, and it brings PIL
    from qrcode.util import MODE_NUMBER, QRData  # noqa: PLC0415 - with qrcode

    code = qrcode.QRCode(
        version=_qr_version(text),
        error_correction=qrcode.constants.ERROR_CORRECT_M,
        border=_QUIET_MODULES,
    )
    code.add_data(QRData(text, mode=MODE_NUMBER), optimize=0)
    code.make(fit=False)
    return [[bool(module) for module in row] for row in code.get_matrix()]
