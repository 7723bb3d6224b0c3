"""The whole service and one terminal's counter on loopback ports, and browsers before them."""

import io
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from bureau import HOLDER_PASSWORD, Bureau, MemorySigner, Person
from PIL import Image
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request
from qr_reading import the_code
from scan_service import ScanService, running
from starlette.types import ASGIApp

from scan_api.server import configure
from scan_api.terminal import TerminalClient, TerminalKey, create_counter_app

PHONE = {"width": 360, "height": 740}
# Pictures of what people see, kept for whoever reads the test's output, and for the guides.
PICTURES = Path("build/pages")
# WCAG 2.2, levels A and AA, and what else axe-core holds to be good practice.
AXE_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    # Of what breaks no rule the elements aren't gathered.
    "resultTypes": ["violations"],
}


class LossyTransport(httpx2.BaseTransport):
    """Loses the next `losing` answers; the service gets the requests all the same."""

    def __init__(self) -> None:
        self.losing = 0
        self._inner = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._inner.handle_request(request)
        response.read()
        if self.losing:
            self.losing -= 1
            raise httpx2.ReadTimeout("the answer was lost", request=request)
        return response

    def close(self) -> None:
        self._inner.close()


@dataclass
class Stage:
    """bureau: what is behind the pages. network: what is between the terminal and the service."""

    bureau: Bureau
    service: ScanService
    network: LossyTransport
    service_url: str
    counter_url: str


@contextmanager
def set_up(bureau: Bureau) -> Iterator[Stage]:
    """Serve the bureau's service, and the counter of a terminal enrolled at its pharmacy."""
    service = ScanService(bureau)
    device = service.pharmacy
    network = LossyTransport()
    with running(service.app) as service_url, listening() as counter_socket:
        client = TerminalClient(
            service_url,
            TerminalKey(device.serial_number, MemorySigner(device.key)),
            transport=network,
            clock=lambda: bureau.clock().timestamp(),
            pause=lambda _: None,
        )
        counter = create_counter_app(client, port=counter_socket.getsockname()[1])
        with client, served(counter, counter_socket):
            yield Stage(bureau, service, network, service_url, url_of(counter_socket))


def listening() -> socket.socket:
    """A socket in which connections wait for the server, so that no test has to."""
    return socket.create_server(("127.0.0.1", 0))


def url_of(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def served(app: ASGIApp, bound: socket.socket) -> Iterator[None]:
    host, port = bound.getsockname()
    server = uvicorn.Server(configure(app, host=host, port=port))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class Screen:
    """One page in a browser, and whatever went wrong on it. `expected` complaints are none."""

    page: Page
    url: str
    expected: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, context: BrowserContext, url: str) -> "Screen":
        screen = cls(context.new_page(), url)
        screen.page.on("console", screen._note_console)
        screen.page.on("pageerror", lambda error: screen.complaints.append(f"uncaught: {error}"))
        screen.page.on("request", screen._note_request)
        screen.page.goto(url)
        return screen

    def problems(self) -> list[str]:
        return [
            text
            for text in self.complaints
            if not any(re.search(pattern, text) for pattern in self.expected)
        ]

    def read_code(self) -> str:
        """What an independent decoder reads from a picture of the screen."""
        picture = Image.open(io.BytesIO(self.page.screenshot()))
        return the_code(picture).text

    def keep(self, name: str) -> None:
        """A picture of the whole page as it stands, `build/pages/<name>.png`."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def barriers(self) -> list[str]:
        """What axe-core finds on the page now: the rule, and each element that breaks it."""
        found = Axe().run(self.page, options=AXE_RULES).response["violations"]
        return [
            f"{rule['id']}: {node['html']} {node['failureSummary']}"
            for rule in found
            for node in rule["nodes"]
        ]

    def scrolls_sideways(self) -> bool:
        wide: bool = self.page.evaluate(
            """() => [document.documentElement, document.querySelector("main")].some(
                 (one) => one.scrollWidth > one.clientWidth)"""
        )
        return wide

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _note_request(self, request: Request) -> None:
        own = "/".join(self.url.split("/")[:3]) + "/"
        if not request.url.startswith((own, "data:")):
            self.complaints.append(f"asked another host: {request.url}")


def sign_in(screen: Screen, person: Person) -> None:
    form = screen.page.locator("#sign-in-form")
    form.get_by_label("社会保障号码").fill(person.number)
    form.get_by_label("密码", exact=True).fill(HOLDER_PASSWORD)
    screen.page.keyboard.press("Enter")
    screen.page.locator("#code-picture").wait_for()


def type_code(screen: Screen, text: str) -> None:
    """As a keyboard-wedge scanner does: into whatever has the focus, then Enter."""
    screen.page.keyboard.type(text)
    screen.page.keyboard.press("Enter")
