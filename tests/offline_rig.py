"""A terminal's own program over a service in this process, with a network that can be cut."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from phone import status_signer
from scan_service import BASE_URL, HOSPITAL_CODE, ScanService, TerminalDevice

from card_core.codes import CodeKey, KeyPurpose, KeyState
from scan_api.terminal import (
    Carried,
    FailingOver,
    Journal,
    OfflineDesk,
    Rounds,
    ServiceClock,
    TerminalClient,
    TerminalKey,
)
from scan_api.terminal.carried import pin_status_key, text_of

SECRET = bytes(range(48))
REGISTRATION = "01101"


class Network(httpx2.BaseTransport):
    """The way to the service. `fault` is called before a request arrives, `lost` after it was
    answered; both may raise what a real network does."""

    def __init__(self, service: ScanService) -> None:
        self._service = service
        self.is_up = True
        self.loses_answers = False
        self.asked: list[str] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self.is_up:
            raise httpx2.ConnectError("no network", request=request)
        self.asked.append(request.url.path)
        answer = self._service.http.request(
            request.method,
            request.url.raw_path.decode(),
            content=request.read(),
            headers=dict(request.headers),
        )
        if self.loses_answers:
            raise httpx2.ReadTimeout("no answer", request=request)
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


class _Signer:
    def __init__(self, device: TerminalDevice) -> None:
        self._key = device.key
        self.public_key = device.key.public_key()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


@dataclass
class OfflineTerminal:
    """wall_error: how many seconds the machine's clock is ahead. Made anew it is a new process on
    the same disk: `restarted`."""

    service: ScanService
    device: TerminalDevice
    folder: Path
    wall_error: float = 0.0
    network: Network = field(init=False)

    def __post_init__(self) -> None:
        service = self.service
        if not (self.folder / "status-key.json").exists():
            key = status_signer(service.bureau).public_key
            pinned = CodeKey(1, 1, key, KeyState.ACTIVE, KeyPurpose.STATUS)
            pin_status_key(self.folder, text_of(pinned))
        self.network = Network(service)
        seconds: Callable[[], float] = lambda: service.clock().timestamp()  # noqa: E731
        key_of = TerminalKey(self.device.serial_number, _Signer(self.device))
        self.journal = Journal(self.folder / "journal.db", SECRET, key_of.sign)
        self.clock = ServiceClock(
            self.journal.kept_time(), wall=lambda: seconds() + self.wall_error, monotonic=seconds
        )
        self.carried = Carried(self.folder)
        self.desk = OfflineDesk(self.device.serial_number, self.carried, self.journal, self.clock)
        self.client = TerminalClient(
            BASE_URL,
            key_of,
            transport=self.network,
            clock=self.clock.timestamp,
            learn=self.clock.learn,
            pause=lambda _: None,
            attempts_max=1,
        )
        self.counter = FailingOver(self.client, self.desk, monotonic=seconds)
        self.rounds = Rounds(self.client, self.desk, self.counter)

    def restarted(self, **changed: Any) -> "OfflineTerminal":
        """The same disk under a new process; nothing was closed or written at the end."""
        anew = OfflineTerminal(self.service, self.device, self.folder, **changed)
        anew.network.is_up = self.network.is_up
        return anew

    def scan(self, code: str, business_type: str = REGISTRATION, **more: Any) -> dict[str, Any]:
        return self.counter.scan(code, business_type, **more)

    def reason(self, code: str, business_type: str = REGISTRATION, **more: Any) -> str:
        verdict = self.scan(code, business_type, **more)
        assert (verdict["outcome"] == "accepted") == (verdict["reason"] == "accepted")
        return str(verdict["reason"])


@dataclass
class Ward:
    """Makes terminals of the hospital, each with a disk of its own, that were online once."""

    service: ScanService
    path: Path
    made: int = 0

    def terminal(self) -> OfflineTerminal:
        self.made += 1
        device = self.service.hospital
        if self.made > 1:
            device = self.service.enrol(HOSPITAL_CODE, 0xD0 + self.made)
        folder = self.path / f"terminal-{self.made}"
        folder.mkdir()
        terminal = OfflineTerminal(self.service, device, folder)
        terminal.rounds.round()
        return terminal

    def cut_off(self) -> OfflineTerminal:
        terminal = self.terminal()
        terminal.network.is_up = False
        return terminal


def back(terminal: OfflineTerminal) -> dict[str, str]:
    """The network is back; what became of everything that was ever handed in."""
    terminal.network.is_up = True
    terminal.rounds.round()
    assert terminal.journal.pending(64) == []
    return terminal.journal.outcomes()
