"""docs/integration.md against what it describes: nothing is missing, nothing is invented."""

import json
import re
from pathlib import Path

from pydantic import BaseModel
from scan_service import ScanService

from card_core.verdicts import Reason
from scan_api.card_reads.models import CardChallenge, CardReadRequest
from scan_api.limits import BODY_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX
from scan_api.offline_scans.models import OfflineScanRecord, OfflineScanUpload, SettledRecord
from scan_api.problems import CATALOGUE, MEDIA_TYPE
from scan_api.scans.models import (
    NextAction,
    OfferedBusinessType,
    OpenedVisit,
    ScannedHolder,
    ScanReceipt,
    ScanRequest,
    TerminalView,
    Verdict,
)
from scan_api.signed_requests import to_be_signed
from scan_api.terminals import token_grant
from scan_api.terminals.models import Enrolled, EnrolmentRequest, KeyAccepted, NextKey, Token
from scan_api.terminals.possession import enrolment_bytes, next_key_bytes
from scan_api.visits.models import ReversalRequest, ReversalView, StepRequest
from tests.scan_api.make_wire_vectors import FILE as WIRE_VECTORS

FILE = Path(__file__).parents[2] / "docs" / "integration.md"
PAGE = FILE.read_text("utf-8")

# In which section stands what terminals send and get.
MEMBERS: dict[int, tuple[type[BaseModel], ...]] = {
    4: (EnrolmentRequest, Enrolled, NextKey, KeyAccepted),
    5: (Token,),
    7: (ScanRequest, Verdict, NextAction, ScannedHolder, OpenedVisit),
    8: (TerminalView, OfferedBusinessType),
    9: (
        StepRequest,
        ReversalRequest,
        ReversalView,
        ScanReceipt,
        CardChallenge,
        CardReadRequest,
        OfflineScanUpload,
        OfflineScanRecord,
        SettledRecord,
    ),
}


def section(number: int) -> str:
    return PAGE.split(f"\n## {number}. ")[1].split(f"\n## {number + 1}. ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every table's body."""
    lines = text.splitlines()
    found = [
        line[2:-2].split(" | ")
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if line.startswith("| `") and not following.startswith("|---")
    ]
    return [[cell.strip() for cell in row] for row in found]


def between(name: str) -> str:
    return PAGE.split(f"<!-- {name}")[1].split("<!-- end of")[0]


def test_every_reason_is_there_once_in_order_with_its_texts() -> None:
    found = rows(between("reasons"))
    assert [row[:3] for row in found] == [
        [f"`{reason.value}`", reason.text_en, reason.text_zh] for reason in Reason
    ]
    assert all(row[3] for row in found)


def test_every_problem_is_there_once_with_its_status() -> None:
    found = rows(section(11))
    assert sorted(row[:2] for row in found) == sorted(
        [f"`{problem.code}`", str(problem.status)] for problem in CATALOGUE
    )
    assert all(row[2] for row in found)
    assert MEDIA_TYPE in section(11)


def test_what_terminals_may_be_told_is_not_among_what_others_are(
    shared_service: ScanService,
) -> None:
    """Told by the reference: which operations answer with which problem."""
    told = set()
    for methods in shared_service.app.openapi()["paths"].values():
        for operation in methods.values():
            if operation["tags"][0] in {"terminal", "enrolment"}:
                for answer in operation["responses"].values():
                    told |= set(answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {}))
    to_terminals = {row[0].strip("`") for row in rows(between("problems"))}
    assert told <= to_terminals
    others = {row[0].strip("`") for row in rows(section(11))} - to_terminals
    assert others
    assert not others & told


def test_every_error_of_the_token_endpoint_is_there() -> None:
    found = {(row[0].strip("`"), int(row[1])) for row in rows(section(5)) if len(row) == 3}
    assert found == {(fault.error, fault.status) for fault in token_grant.FAULTS}


def test_every_member_that_is_sent_or_answered_is_named_in_its_section() -> None:
    for number, models in MEMBERS.items():
        named = set(re.findall(r"`([a-z_]+)`", section(number)))
        for model in models:
            assert set(model.model_fields) <= named, (number, model.__name__)


def test_every_call_of_a_terminal_is_there_and_no_other_path(shared_service: ScanService) -> None:
    operations = {
        f"{method.upper()} {path}": operation["tags"][0]
        for path, methods in shared_service.app.openapi()["paths"].items()
        for method, operation in methods.items()
    }
    named = set(re.findall(r"`((?:GET|POST) /v1/[^`?]+)`", PAGE))
    assert named <= set(operations)
    assert named >= {one for one, tag in operations.items() if tag in {"terminal", "enrolment"}}


def test_the_bytes_that_are_signed_are_those_of_the_service() -> None:
    """Each line of the page with its words filled in, `\\n` being one byte."""
    serial, key = bytes.fromhex("00000000000000a1"), bytes(33)
    nonce = bytes(range(16))
    words = {
        "METHOD": "POST",
        "TARGET": "/v1/scans",
        "TIME": "1767225600",
        "NONCE": nonce.hex(),
        "BODY": "{}",
        "SERIAL": serial.hex(),
        "CODE": "7KQMX2VTNC9RZ4DWH3SP",
        "PUBLIC KEY": key.hex(),
    }
    shown = re.findall(r"^    (sscard/[a-z-]+/v1\\n.*)$", PAGE, re.MULTILINE)
    filled = [re.sub("|".join(words), lambda word: words[word[0]], line) for line in shown]
    assert [line.replace("\\n", "\n").encode() for line in filled] == [
        enrolment_bytes(serial, words["CODE"], key),
        next_key_bytes(serial, key),
        to_be_signed("POST", "/v1/scans", 1767225600, nonce, b"{}"),
        to_be_signed("GET", "/v1/terminal", 1767225600, nonce, b""),
    ]


def test_the_limits_are_those_of_the_service() -> None:
    told = section(12)
    for limit in (BODY_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX):
        assert str(limit) in told


def test_every_member_of_the_wire_vectors_is_explained() -> None:
    named = set(re.findall(r"`([a-z_]+)`", section(17) + "## 18."))
    vectors = json.loads(WIRE_VECTORS.read_text("ascii"))
    described = {"format", "made_by", "note"}
    assert set(vectors) - described <= named
    for part in ("signed_requests", "enrolments", "next_keys", "client_assertions"):
        assert set(vectors[part][0]) <= named


def test_every_page_that_it_points_to_is_there() -> None:
    links = set(re.findall(r"\]\(([a-z-]+\.md)\)", PAGE))
    assert len(links) >= 5
    for link in links:
        assert (FILE.parent / link).is_file(), link
