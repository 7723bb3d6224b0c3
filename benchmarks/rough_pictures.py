"""Pictures as a counter's camera gets them: turned, blurred, noisy; the same for the same seed.

The noise is normal, with a standard deviation of 8 grey levels of 256; it is drawn once, and each
picture gets another piece of it.
"""

import io
import random
from functools import cache

from PIL import Image, ImageChops, ImageFilter

BLUR_PIXELS = 0.8
DEGREES = (12.0, 33.0)
NOISE_SIGMA = 8.0
SEED = 20260302
_TILE_SIDE = 640
_MIDDLE = 128


def random_code(digits: int, choices: random.Random) -> str:
    """A text with the marker and the length of a code; its bytes mean nothing."""
    return "7406" + "".join(choices.choices("0123456789", k=digits - 4))


def rough(png: bytes, choices: random.Random) -> Image.Image:
    """The picture turned by 12 to 33 degrees, blurred by 0.8 pixels, with noise on it."""
    image = Image.open(io.BytesIO(png)).convert("L")
    degrees = choices.uniform(*DEGREES)
    image = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    image = image.filter(ImageFilter.GaussianBlur(BLUR_PIXELS))
    x, y = (choices.randrange(_TILE_SIDE - side) for side in image.size)
    noise = _noise().crop((x, y, x + image.width, y + image.height))
    return ImageChops.add(image, noise, scale=1, offset=-_MIDDLE)


@cache
def _noise() -> Image.Image:
    choices = random.Random(SEED)
    levels = (round(choices.gauss(_MIDDLE, NOISE_SIGMA)) for _ in range(_TILE_SIDE**2))
    return Image.frombytes(
        "L", (_TILE_SIDE, _TILE_SIDE), bytes(min(max(level, 0), 255) for level in levels)
    )
