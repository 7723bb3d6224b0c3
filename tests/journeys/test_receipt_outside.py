"""Receipts of a running service, verified from files by somebody with the public keys alone."""

import base64
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from installation import Installation, Person
from running_service import SSCARD
from servers.libfaketime import FalseClock

SCANS_AT_ONCE = 12
ATTEMPTS_MAX = 20
FORM_SINGLE, FORM_GROUPED = 1, 2
SIGNATURE_BYTES = 64


@dataclass(frozen=True)
class Auditor:
    """Somebody with a folder, the issuer's key file, and no installation."""

    folder: Path

    def verify(self, receipt: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        file = self.folder / "receipt.txt"
        file.write_text(receipt)
        return subprocess.run(
            [SSCARD, "receipt", "verify", file, "--keys", self.folder / "keys.json"],
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def auditor(embedded: Installation, tmp_path_factory: pytest.TempPathFactory) -> Auditor:
    folder = tmp_path_factory.mktemp("auditor")
    embedded.command("receipt", "keys", "--out", str(folder / "keys.json"))
    return Auditor(folder)


def bytes_of(receipt: str) -> bytes:
    return base64.urlsafe_b64decode(receipt + "=" * (-len(receipt) % 4))


def single(embedded: Installation, person: Person, **fields: Any) -> dict[str, Any]:
    """A scan that nobody shares a signature with."""
    code = embedded.sign_in(person).code()
    answer = embedded.pharmacy.scan(code, "02121", amount_fen=4580, **fields).body
    assert bytes_of(answer["receipt"])[1] == FORM_SINGLE
    return answer


def grouped(embedded: Installation, person: Person) -> list[dict[str, Any]]:
    """Scans that came at once, of which at least three share a signature."""
    connections = [embedded.connect() for _ in range(SCANS_AT_ONCE)]
    holder = embedded.sign_in(person)
    for _ in range(ATTEMPTS_MAX):
        codes = [holder.code() for _ in connections]
        start = threading.Barrier(SCANS_AT_ONCE)

        def scan(at: int, codes: list[str] = codes, start: threading.Barrier = start) -> Any:
            start.wait()
            by = connections[at]
            return embedded.pharmacy.scan(codes[at], "02121", by, amount_fen=1200 + at).body

        with ThreadPoolExecutor(SCANS_AT_ONCE) as threads:
            answers = list(threads.map(scan, range(SCANS_AT_ONCE)))
        assert {one["outcome"] for one in answers} == {"accepted"}
        together: dict[bytes, list[dict[str, Any]]] = {}
        for one in answers:
            data = bytes_of(one["receipt"])
            if data[1] == FORM_GROUPED:
                together.setdefault(data[-SIGNATURE_BYTES:], []).append(one)
        largest = max(together.values(), key=len, default=[])
        if len(largest) > 2:
            return largest
    pytest.fail("scans that came at once never shared a signature")


def test_a_receipt_convinces_somebody_with_the_keys_alone_and_for_years(
    embedded: Installation, auditor: Auditor, tmp_path: Path
) -> None:
    answer = single(embedded, embedded.person(), operator="收银一号")
    years_later = FalseClock(tmp_path, hours=3300 * 24).environment
    shown = auditor.verify(answer["receipt"], **years_later)
    assert shown.returncode == 0, shown.stderr
    for fact in ("is valid", "P44060400002", "45.80", "02121", answer["scan_id"]):
        assert fact in shown.stdout


def test_receipts_of_one_group_are_verified_each_by_itself(
    embedded: Installation, auditor: Auditor
) -> None:
    together = grouped(embedded, embedded.person())
    shown = auditor.verify(together[-1]["receipt"])
    assert shown.returncode == 0, shown.stderr
    assert together[-1]["scan_id"] in shown.stdout
    # A content under the path of its neighbour, which is signed as well.
    mine, theirs = (bytes_of(one["receipt"]) for one in together[:2])
    end = 3 + mine[2]
    swapped = base64.urlsafe_b64encode(mine[:end] + theirs[3 + theirs[2] :]).decode().rstrip("=")
    refused = auditor.verify(swapped)
    assert refused.returncode == 1
    assert "凭据无效" in refused.stderr


def test_an_altered_receipt_convinces_nobody(embedded: Installation, auditor: Auditor) -> None:
    data = bytearray(bytes_of(single(embedded, embedded.person())["receipt"]))
    amount = 3 + 49
    data[amount + 3] ^= 1  # a fen
    refused = auditor.verify(base64.urlsafe_b64encode(bytes(data)).decode().rstrip("="))
    assert refused.returncode == 1
    assert "receipt is not valid" in refused.stderr


def test_nothing_in_a_receipt_names_anybody(embedded: Installation) -> None:
    person = embedded.person()
    answers = [single(embedded, person, operator="张三丰", department="西药房二号窗")]
    answers += grouped(embedded, person)
    assert answers[0]["holder"]["social_security_number"] == person.number
    canaries = [
        word.encode(encoding)
        for word in (person.name, person.number, person.number[:17], "张三丰", "西药房")
        for encoding in ("utf-8", "utf-16-le", "gb18030")
    ]
    # A number as packed digits, as an integer, and what the installation calls this person.
    canaries += [
        bytes.fromhex(person.number[:16]),
        int(person.number[:17]).to_bytes(8),
        person.ecard_id.to_bytes(8),
        bytes.fromhex(person.holder_id),
        bytes.fromhex(person.card_id),
        person.holder_id.encode(),
    ]
    for one in answers:
        data = bytes_of(one["receipt"])
        assert not [canary for canary in canaries if canary in data]
    # At another institution the same person is somebody else.
    code = embedded.sign_in(person).code()
    elsewhere = embedded.hospital.scan(code, "01301", amount_fen=900).body
    assert len({one["pseudonym"] for one in answers}) == 1
    assert elsewhere["pseudonym"] != answers[0]["pseudonym"]
    assert bytes.fromhex(answers[0]["pseudonym"]) not in bytes_of(elsewhere["receipt"])
