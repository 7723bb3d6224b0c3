"""A running service founded as a sandbox, and what may stand between it and a client."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from crypto.keys import sealing
from issuance.founding import Bureau, found
from issuance.installation import open_installation
from issuance.sandbox import (
    Kind,
    Place,
    SandboxCode,
    find_people,
    let_out_enrolment_code,
    make_codes,
    new_staff,
)
from issuance.sandbox import open_sandbox as open_it
from issuance.sandbox.staff import Sandbox
from issuance.settings import Settings
from tests.journeys.running_service import START_SECONDS_MAX, serving, until

PASSPHRASE = "hornbeam quay"


@dataclass(frozen=True)
class SandboxService:
    """address: host and port."""

    sandbox: Sandbox
    address: str

    def codes(self, *kinds: Kind) -> list[SandboxCode]:
        return make_codes(self.sandbox, kinds or Kind)

    def enrolment_code(self, serial: str, place: Place) -> str:
        return str(let_out_enrolment_code(self.sandbox, bytes.fromhex(serial), place))


@contextmanager
def running_sandbox(folder: Path) -> Iterator[SandboxService]:
    """Found it, serve it in a process of its own, and open it beside that."""
    (folder / "passphrase").write_text(PASSPHRASE + "\n")
    environment = {
        "SSCARD_HOME": str(folder / "home"),
        "SSCARD_KEY_PASSPHRASE_FILE": str(folder / "passphrase"),
        "SSCARD_DATABASE_URL": "",
        "SSCARD_REDIS_URL": "",
    }
    settings = Settings.from_environment(environment)
    bureau = Bureau(9, "SB", "沙箱", is_sandbox=True)
    with pytest.MonkeyPatch.context() as patched:
        # The least that is let through: these keys guard nothing.
        patched.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)
        found(settings, PASSPHRASE.encode(), bureau=bureau, people=new_staff())
    with open_installation(settings, PASSPHRASE.encode()) as site:
        find_people(open_it(site))
    with (
        serving(folder, environment) as service,
        open_installation(settings, PASSPHRASE.encode()) as site,
    ):
        # Codes made before it takes those that identify only would be asked to be shown anew.
        assert until(lambda: _says_ready(service.address), START_SECONDS_MAX)
        yield SandboxService(open_it(site), service.address)


def _says_ready(address: str) -> bool:
    connection = http.client.HTTPConnection(address)
    connection.request("GET", "/readyz")
    return json.load(connection.getresponse()) == {"status": "ready"}


class Front:
    """Between a client and the service: does to the next requests what it was told, in order.

    `lose` hands the request on and closes without an answer; `clock` answers by itself that the
    signer's clock is off, with the time that it was given; then everything passes.
    """

    def __init__(self, target: str, *, server_time: int = 0) -> None:
        self.plan: list[str] = []
        self.seen: list[tuple[str, str]] = []
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                front.seen.append((self.headers["Authorization"], body.decode()))
                step = front.plan.pop(0) if front.plan else "pass"
                if step == "clock":
                    self._answer(401, b'{"code":"clock_off","server_time":%d}' % server_time)
                    return
                status, data = self._handed_on(body)
                if step == "lose":
                    self.close_connection = True
                else:
                    self._answer(status, data)

            def _handed_on(self, body: bytes) -> tuple[int, bytes]:
                there = http.client.HTTPConnection(target)
                names = ("Authorization", "Content-Type")
                there.request("POST", self.path, body, {one: self.headers[one] for one in names})
                answer = there.getresponse()
                return answer.status, answer.read()

            def _answer(self, status: int, data: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Front":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
