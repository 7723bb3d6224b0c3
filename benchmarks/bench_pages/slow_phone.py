"""A browser as a holder's phone in a bad place: a thin, slow network and a slow processor.

The throttling is the browser's own (Chrome DevTools Protocol). It delays each request by one round
trip and shares the bandwidth among them; that a connection is set up, and TLS, is not in it.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Page,
    Request,
    StorageState,
    ViewportSize,
    sync_playwright,
)

ROUND_TRIP_MS = 150
DOWN_BITS = 1_600_000
UP_BITS = 750_000
TIMES_SLOWER = 4
VIEWPORT: ViewportSize = {"width": 360, "height": 740}
# Nothing but the pages that are measured may be asked for.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Two frames after the code's picture is there and decoded it is on the screen.
WATCH = """
(() => {
  addEventListener("submit", () => { window.submittedAt = performance.now(); }, true);
  window.seen = new Promise((resolve) => {
    const look = () => {
      const picture = document.getElementById("code-picture");
      const isThere = picture && !picture.hidden && picture.complete && picture.naturalWidth;
      if (!isThere) return requestAnimationFrame(look);
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
    };
    requestAnimationFrame(look);
  });
})();
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Raises RuntimeError where there is none."""
    path = shutil.which("chromium")
    if path is None:
        raise RuntimeError("Chromium is needed: install Debian's chromium and fonts-noto-cjk")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class SlowPhone:
    """One visitor with an empty cache. page: throttled. What its worker asks is not held up."""

    context: BrowserContext
    page: Page = field(init=False)
    _requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("requestfinished", self._note)
        self.page = self.context.new_page()
        self.page.add_init_script(WATCH)
        self.session: CDPSession = self.context.new_cdp_session(self.page)
        self.session.send("Network.enable")
        self.session.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": ROUND_TRIP_MS,
                "downloadThroughput": DOWN_BITS / 8,
                "uploadThroughput": UP_BITS / 8,
            },
        )
        self.session.send("Emulation.setCPUThrottlingRate", {"rate": TIMES_SLOWER})

    def _note(self, request: Request) -> None:
        self._requests.append(request)

    def seen_ms(self) -> float:
        """Milliseconds of the page's life until a code is on the screen; waits for it."""
        found: float = self.page.evaluate("window.seen")
        return found

    def bytes_of(self, *, worker: bool) -> int:
        """Bytes over the wire until now, headers included, pictures and answers left out."""
        return sum(
            _size(one)
            for one in self._requests
            if (one.service_worker is not None) is worker and _counts(one)
        )


def _counts(request: Request) -> bool:
    kinds = ("text/html", "text/css", "text/javascript", "application/manifest+json")
    answer = request.response()
    return answer is not None and answer.headers.get("content-type", "").startswith(kinds)


def _size(request: Request) -> int:
    sizes = request.sizes()
    return int(sizes["responseHeadersSize"] + sizes["responseBodySize"])


@contextmanager
def slow_phone(browser: Browser, signed_in: StorageState | None = None) -> Iterator[SlowPhone]:
    """signed_in: the cookies of a holder's session; nothing else is taken along."""
    cookies: StorageState = {"cookies": signed_in["cookies"] if signed_in else [], "origins": []}
    context = browser.new_context(
        viewport=VIEWPORT, has_touch=True, is_mobile=True, storage_state=cookies
    )
    try:
        yield SlowPhone(context)
    finally:
        context.close()
