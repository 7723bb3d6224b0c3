"""Q1 to Q3 for what the holder's page draws: its online code, and the one that the phone makes."""

import io
import random
import re
import statistics
from typing import Any

import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks import rough_pictures
from benchmarks.bench_pages.slow_phone import TIMES_SLOWER, VIEWPORT
from benchmarks.bench_scan.bureau import HOLDER_PASSWORD
from benchmarks.report import Figure

CODES = 10
ROUGH_OF_EACH = 10
MODULE_PIXELS = (3, 4)
QUIET_MODULES = 4
QR_CODE = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)

# Both return {svg, ms}: what the page is given to show, and how long the phone was at making it.
MAKERS = {
    "online": """async () => {
        const headers = { "Content-Type": "application/json" };
        const answer = await fetch("/v1/holder/codes", { method: "POST", headers, body: "{}" });
        return { svg: (await answer.json()).picture_svg, ms: 0 };
    }""",
    "offline": """async () => {
        const { OfflinePhone } = await import("/static/phone/offline_phone.js");
        const phone = new OfflinePhone();
        await phone.load();
        const started = performance.now();
        const { picture_svg: svg } = await phone.code();
        return { svg, ms: performance.now() - started };
    }""",
}
# As code_card.js shows it, and at so many pixels a side; milliseconds until it could be painted.
SHOW = """async ([svg, side]) => {
    const picture = document.getElementById("code-picture");
    const size = `${side}px`;
    Object.assign(picture.style, { width: size, height: size, padding: 0 });
    Object.assign(picture.style, { position: "fixed", top: 0, left: 0 });
    const started = performance.now();
    picture.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    await picture.decode();
    return performance.now() - started;
}"""


def figures(browser: Browser, service: str, number: str) -> dict[str, Figure]:
    """number: of a holder whose phone is turned on for codes without a network."""
    context = browser.new_context(viewport=VIEWPORT, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{service}/holder")
    page.locator("#number").fill(number)
    page.locator("#password").fill(HOLDER_PASSWORD)
    page.keyboard.press("Enter")
    page.locator("#code-picture").wait_for()
    page.locator("#phone-bind").click()
    page.locator("#phone-unbind").wait_for()
    picture = page.locator("#code-picture")
    width = picture.evaluate(
        "one => one.clientWidth - 2 * parseFloat(getComputedStyle(one).padding)"
    )
    throttle = context.new_cdp_session(page)
    throttle.send("Emulation.setCPUThrottlingRate", {"rate": TIMES_SLOWER})
    found: dict[str, Figure] = {}
    for kind, maker in MAKERS.items():
        made = [page.evaluate(maker) for _ in range(CODES)]
        found |= _drawn(page, kind, made, width)
    throttle.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    for kind, maker in MAKERS.items():
        made = [page.evaluate(maker) for _ in range(CODES)]
        found |= _read(page, kind, made)
    context.close()
    return found


def _drawn(page: Page, kind: str, made: list[dict[str, Any]], width: float) -> dict[str, Figure]:
    side = _side(made[0]["svg"])
    times = [page.evaluate(SHOW, [one["svg"], width]) for one in made]
    (text,) = _codes_in(_screenshot(page, made[0]["svg"], 4))
    whole = [drawing + one["ms"] for drawing, one in zip(times, made, strict=True)]
    return {
        f"Q1.page.{kind}.digits": Figure(len(text), "digits"),
        f"Q1.page.{kind}.version": Figure((side - 2 * QUIET_MODULES - 17) // 4, "QR version"),
        f"Q1.page.{kind}.module": Figure(round(width / side, 2), "px a module"),
        f"Q2.page.{kind}": Figure(round(statistics.median(whole), 1), "ms"),
    }


def _read(page: Page, kind: str, made: list[dict[str, Any]]) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for pixels in MODULE_PIXELS:
        choices = random.Random(rough_pictures.SEED)
        read = 0
        for one in made:
            clean = _screenshot(page, one["svg"], pixels)
            (text,) = _codes_in(clean)
            png = io.BytesIO()
            clean.save(png, "PNG")
            for _ in range(ROUGH_OF_EACH):
                read += text in _codes_in(rough_pictures.rough(png.getvalue(), choices))
        found[f"Q3.page.{kind}.{pixels}px"] = Figure(read, f"of {CODES * ROUGH_OF_EACH}")
    return found


def _screenshot(page: Page, svg: str, pixels: int) -> Image.Image:
    """The picture as the browser paints it with so many pixels a module."""
    page.evaluate(SHOW, [svg, pixels * _side(svg)])
    return Image.open(io.BytesIO(page.locator("#code-picture").screenshot()))


def _codes_in(picture: Image.Image) -> list[str]:
    found = zxingcpp.read_barcodes(picture, formats=QR_CODE)
    return [code.text for code in found]


def _side(svg: str) -> int:
    """Modules on a side, the quiet zone included."""
    found = re.search(r'viewBox="0 0 (\d+) \1"', svg)
    if found is None:
        raise ValueError("the picture of a code is a square of whole modules")
    return int(found[1])
