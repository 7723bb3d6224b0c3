"""`make pictures`: what the browser journeys saw becomes the pictures of docs/user-guide.md.

The journeys leave theirs in build/pages; those that the guide names are taken, in 64 colours.
"""

import re
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
SEEN = ROOT / "build" / "pages"
GUIDE = ROOT / "docs" / "user-guide.md"
PICTURES = ROOT / "docs" / "pictures"
COLOURS = 64
WIDTH_MAX = 1000


def named() -> set[str]:
    """The files that the guide shows."""
    return set(re.findall(r"\]\(pictures/([\w-]+\.png)\)", GUIDE.read_text(encoding="utf-8")))


def main() -> None:
    missing = sorted(name for name in named() if not (SEEN / name).exists())
    if missing:
        sys.exit(f"no journey has left {', '.join(missing)} in {SEEN}")
    PICTURES.mkdir(exist_ok=True)
    for path in PICTURES.glob("*.png"):
        path.unlink()
    for name in named():
        picture = Image.open(SEEN / name).convert("RGB")
        if picture.width > WIDTH_MAX:
            picture.thumbnail((WIDTH_MAX, picture.height), Image.Resampling.LANCZOS)
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURES / name, optimize=True)


if __name__ == "__main__":
    main()
