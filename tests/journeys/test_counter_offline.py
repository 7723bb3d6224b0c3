"""`sscard terminal serve` as a process of its own, before a real service that goes away."""

import contextlib
import subprocess
from pathlib import Path

import pytest
from bureau import Bureau
from phone import publisher_of, registered_phone, status_signer, with_offline_keys
from running_service import SSCARD, until
from scan_service import HOSPITAL_CODE, ScanService, running
from terminal_process import PASSPHRASE, counter_at

from card_core.codes import CodeKey, KeyPurpose, KeyState
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.days import end_of_day
from card_core.store import offline_scans
from scan_api.terminal import TerminalKey
from scan_api.terminal.carried import text_of

SERIAL = bytes.fromhex("00000000000000d7")
WAIT_SECONDS = 60


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
