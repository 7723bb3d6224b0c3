"""ZBar, a decoder that shares nothing with what draws our pictures (Debian's libzbar0).

By ctypes: the bindings on the package index are unmaintained, and this much of the library's C
interface (zbar.h) is enough.
"""

import ctypes
from functools import cache

from PIL import Image

QR_CODE, CODE_128 = 64, 128  # zbar_symbol_type_t
NAME = "libzbar.so.0"
_CFG_ENABLE = 0
_GREY = int.from_bytes(b"Y800", "little")
_ANY = 0


def decode(image: Image.Image) -> list[tuple[int, str]]:
    """Every symbol in the picture, as (type, text). Raises OSError as `load`."""
    zbar = load()
    grey = image.convert("L")
    pixels = grey.tobytes()
    scanner = zbar.zbar_image_scanner_create()
    frame = zbar.zbar_image_create()
    try:
        zbar.zbar_image_scanner_set_config(scanner, _ANY, _CFG_ENABLE, 0)
        for kind in (QR_CODE, CODE_128):
            zbar.zbar_image_scanner_set_config(scanner, kind, _CFG_ENABLE, 1)
        zbar.zbar_image_set_format(frame, _GREY)
        zbar.zbar_image_set_size(frame, *grey.size)
        zbar.zbar_image_set_data(frame, pixels, len(pixels), None)
        zbar.zbar_scan_image(scanner, frame)
        found = []
        symbol = zbar.zbar_image_first_symbol(frame)
        while symbol:
            data = ctypes.string_at(
                zbar.zbar_symbol_get_data(symbol), zbar.zbar_symbol_get_data_length(symbol)
            )
            found.append((zbar.zbar_symbol_get_type(symbol), data.decode()))
            symbol = zbar.zbar_symbol_next(symbol)
        return found
    finally:
        zbar.zbar_image_destroy(frame)
        zbar.zbar_image_scanner_destroy(scanner)


@cache
def load() -> ctypes.CDLL:
    """The library, its functions declared. Raises OSError where it is not installed."""
    zbar = ctypes.CDLL(NAME)
    pointer, number = ctypes.c_void_p, ctypes.c_uint
    for function, result, *arguments in (
        ("image_scanner_create", pointer),
        ("image_scanner_destroy", None, pointer),
        (
            "image_scanner_set_config",
            ctypes.c_int,
            pointer,
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_int,
        ),
        ("image_create", pointer),
        ("image_destroy", None, pointer),
        ("image_set_format", None, pointer, ctypes.c_ulong),
        ("image_set_size", None, pointer, number, number),
        ("image_set_data", None, pointer, ctypes.c_char_p, ctypes.c_ulong, pointer),
        ("scan_image", ctypes.c_int, pointer, pointer),
        ("image_first_symbol", pointer, pointer),
        ("symbol_next", pointer, pointer),
        ("symbol_get_type", ctypes.c_int, pointer),
        ("symbol_get_data", pointer, pointer),
        ("symbol_get_data_length", number, pointer),
    ):
        entry = getattr(zbar, f"zbar_{function}")
        entry.restype, entry.argtypes = result, arguments
    return zbar
