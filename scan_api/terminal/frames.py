"""Looks for a code in a camera's picture."""

import zxingcpp

from card_core.codes import CODE_TEXT_MAX

SIDE_PIXELS_MIN = 16
SIDE_PIXELS_MAX = 1280
FRAME_BYTES_MAX = SIDE_PIXELS_MAX * SIDE_PIXELS_MAX
_QR_CODE = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


class FrameError(ValueError):
    """The bytes are not a grey picture of the given size."""


def read_frame(pixels: bytes, *, width: int, height: int) -> str | None:
    """The text of the QR code in a grey picture (one byte a pixel, rows from the top), or None.

    A picture may hold others beside the holder's: one of digits only is taken first, as codes
    are. Raises: FrameError.
    """
    sides = (width, height)
    if not all(SIDE_PIXELS_MIN <= side <= SIDE_PIXELS_MAX for side in sides):
        raise FrameError
    if len(pixels) != width * height:
        raise FrameError
    picture = memoryview(pixels).cast("B", (height, width))
    found = zxingcpp.read_barcodes(picture, formats=_QR_CODE)
    texts = [barcode.text for barcode in found if 0 < len(barcode.text) <= CODE_TEXT_MAX]
    texts.sort(key=lambda text: not (text.isascii() and text.isdigit()))
    return texts[0] if texts else None
