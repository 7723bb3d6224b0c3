"""`sscard terminal serve` as a process of its own, before a real service that goes away."""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from bureau import Bureau
from phone import publisher_of, registered_phone, status_signer, with_offline_keys
from running_service import SSCARD, until
from scan_service import HOSPITAL_CODE, ScanService, running

from card_core.codes import CodeKey, KeyPurpose, KeyState
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.days import end_of_day
from card_core.store import offline_scans
from scan_api.terminal import TerminalKey
from scan_api.terminal.carried import text_of

PASSPHRASE = "hornbeam quay"
SERIAL = bytes.fromhex("00000000000000d7")
WAIT_SECONDS = 60


@dataclass
class Counter:
    """A terminal's process, and its page."""

    process: "subprocess.Popen[str]"
    url: str

    def scan(self, code: str, request_id: str) -> dict[str, Any]:
        with httpx2.Client(base_url=self.url, trust_env=False, timeout=20) as http:
            found = re.search(r'name="counter-token" content="([^"]+)"', http.get("/").text)
            assert found
            headers = {"Origin": self.url, "X-Counter-Token": found[1]}
            body = {"code": code, "business_type": "01101", "request_id": request_id}
            answer: dict[str, Any] = http.post("/scans", json=body, headers=headers).json()
            return answer


@contextmanager
def counter_at(folder: Path, service_url: str) -> Iterator[Counter]:
    """Killed with SIGKILL at the end: it has to have written down what matters."""
    options = ("--service", service_url, "--port", "0", "--folder", str(folder))
    passphrase = ("--passphrase-file", str(folder.parent / "passphrase"))
    with (folder.parent / "terminal.log").open("a") as log:
        process = subprocess.Popen(
            [SSCARD, "terminal", "serve", *options, *passphrase, "--refresh-seconds", "0.2"],
            env={**os.environ},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        try:
            line = next(line for line in process.stdout or () if "http://127" in line)
            found = re.search(r"http://127\.0\.0\.1:[0-9]+", line)
            assert found
            yield Counter(process, found[0])
        finally:
            process.kill()


@pytest.fixture
def folder(bureau: Bureau, tmp_path: Path) -> Path:
    """An enrolled terminal's folder, in which the bureau's status key was pinned by command."""
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    folder = tmp_path / "terminal"
    key = TerminalKey.create(folder, serial_number=SERIAL, passphrase=PASSPHRASE.encode())
    bureau.enrol(SERIAL, HOSPITAL_CODE, key.public_key.to_bytes(compressed=True))
    with_offline_keys(bureau)
    pinned = CodeKey(1, 1, status_signer(bureau).public_key, KeyState.ACTIVE, KeyPurpose.STATUS)
    command = [SSCARD, "terminal", "trust", text_of(pinned), "--folder", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def list_version(folder: Path, bureau: Bureau) -> int:
    day = int(end_of_day(bureau.clock()).timestamp())
    with contextlib.suppress(FileNotFoundError):
        return int.from_bytes((folder / "offline" / f"list-1-{day}").read_bytes()[8:12])
    return 0


def test_a_counter_goes_on_with_no_network_and_hands_in_afterwards(
    bureau: Bureau, folder: Path
) -> None:
    service = ScanService(bureau)
    service.registry.refresh()
    phone = registered_phone(bureau, service.person, days=1)
    publisher_of(bureau).round()
    text = phone.show(bureau.clock())
    with running(service.app) as url, counter_at(folder, url) as counter:
        assert until(lambda: list_version(folder, bureau), WAIT_SECONDS)
        assert counter.scan(service.mint(), "online")["offline"] is False
    # The service is gone, and the terminal was killed and starts anew.
    with counter_at(folder, url) as counter:
        verdict = counter.scan(text, "r1")
        assert (verdict["outcome"], verdict["offline"]) == ("accepted", True), verdict
        assert counter.scan(text, "r2")["reason"] == "already_used"
    with running(service.app) as url, counter_at(folder, url) as counter:
        assert counter.scan(text, "r3")["reason"] == "already_used"

        def handed_in() -> bool:
            with bureau.store.read() as tx:
                terminal = service.registry.find(SERIAL)
                assert terminal is not None
                found = offline_scans.of_requests(tx, terminal.terminal.id, ["r1"])
            return found["r1"].outcome.value == "confirmed" if found else False

        assert until(handed_in, WAIT_SECONDS)
        # A loss: with the next round the terminal knows it by itself.
        before = list_version(folder, bureau)
        bureau.perform(ReportTemporaryLoss(service.person.card_id), service.person.actor)
        publisher_of(bureau).round()
        assert until(lambda: list_version(folder, bureau) > before, WAIT_SECONDS)
    with counter_at(folder, url) as counter:
        assert counter.scan(phone.show(bureau.clock()), "r4")["reason"] == "card_lost"
    service.services.writer.stop()
