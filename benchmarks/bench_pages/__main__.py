"""`make bench-pages`: P1, and Q1 to Q3 for what the pages draw; writes build/bench/pages.json.

    python -m benchmarks.bench_pages [--runs 7]

README.md says how to read the figures.
"""

import argparse
import statistics
from collections.abc import Iterator

from playwright.sync_api import Browser

from benchmarks.bench_pages import shown
from benchmarks.bench_pages.slow_phone import SlowPhone, chromium, slow_phone
from benchmarks.bench_scan.bureau import HOLDER_PASSWORD, Ground, founded
from benchmarks.bench_scan.processes import SSCARD, serving
from benchmarks.report import PATH, Figure, machine, show, write
from card_core.store import cards, holders

PAGES_PATH = PATH.with_name("pages.json")
PAGES = {"start": "/", "holder": "/holder", "verify": "/verify"}
KB = 1000


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description="What pages weigh and how soon a code is shown")
    parser.add_argument("--runs", type=int, default=7, help="visits for each time")
    runs = parser.parse_args().runs
    for name, value in machine().items():
        print(f"{name}: {value}")
    with (
        founded(ecards=2 * runs + 1) as ground,
        serving(SSCARD, "serve", "--port", "0", environment=ground.environment) as server,
        chromium() as browser,
    ):
        service = f"http://{server.address}"
        numbers = _numbers(ground)
        figures = _weights(browser, service, next(numbers))
        figures |= _times(browser, service, numbers, runs)
        figures |= shown.figures(browser, service, next(numbers))
    for name, figure in figures.items():
        show(name, figure)
    write(figures, PAGES_PATH)


def _numbers(ground: Ground) -> Iterator[str]:
    """The social security numbers of people whose e-cards are in use."""
    for ecard_id in ground.ecards:
        with ground.site.store.read() as tx:
            ecard = cards.get_ecard(tx, ecard_id)
            if ecard is None:
                raise LookupError("the e-card is gone")
            yield holders.identity_of(tx, ecard.holder_id).social_security_number


def _weights(browser: Browser, service: str, number: str) -> dict[str, Figure]:
    """What crosses the wire at the first visit to a page, by a browser that was nowhere before."""
    figures = {}
    for name, path in PAGES.items():
        with slow_phone(browser) as phone:
            phone.page.goto(service + path)
            if name == "holder":
                _sign_in(phone, number)
                phone.seen_ms()
                phone.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
                later = Figure(phone.bytes_of(worker=True) / KB, "KB")
                figures["P1.holder.worker"] = later
            phone.page.wait_for_load_state("networkidle")
            figures[f"P1.{name}"] = Figure(phone.bytes_of(worker=False) / KB, "KB")
    return figures


def _times(browser: Browser, service: str, numbers: Iterator[str], runs: int) -> dict[str, Figure]:
    """Milliseconds until a code is on the screen: medians, and the slowest of the runs."""
    found: dict[str, list[float]] = {"first visit": [], "sign-in": [], "again": []}
    for _ in range(runs):
        number = next(numbers)
        with slow_phone(browser) as phone:
            phone.page.goto(f"{service}/holder")
            phone.page.wait_for_load_state("networkidle")
            _sign_in(phone, number)
            found["sign-in"].append(phone.seen_ms() - phone.page.evaluate("window.submittedAt"))
            phone.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
            phone.page.wait_for_load_state("networkidle")
            signed_in = phone.context.storage_state()
            phone.page.goto(f"{service}/holder")
            found["again"].append(phone.seen_ms())
        with slow_phone(browser, signed_in) as phone:
            phone.page.goto(f"{service}/holder")
            found["first visit"].append(phone.seen_ms())
    ids = {"P1.code": "first visit", "P1.code.sign-in": "sign-in", "P1.code.again": "again"}
    return {
        id_: Figure(
            round(statistics.median(found[name])), "ms", {"slowest": round(max(found[name]))}
        )
        for id_, name in ids.items()
    }


def _sign_in(phone: SlowPhone, number: str) -> None:
    phone.page.locator("#number").fill(number)
    phone.page.locator("#password").fill(HOLDER_PASSWORD)
    phone.page.keyboard.press("Enter")


if __name__ == "__main__":
    main()
