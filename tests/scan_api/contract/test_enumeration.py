"""Who proves nothing learns nothing about a code, and guessing is slowed down.

The last test reports how long the answers take, and fails on a difference without a doubt alone.
"""

import http.client
import json
import math
import random
import statistics
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from asks import request_id
from contract_town import NEIGHBOUR, NOBODY, Caller, Town, signing
from scan_service import BASE_URL, REGISTRATION, TerminalDevice, running, tampered
from starlette.testclient import TestClient

from card_core import codes
from card_core.business_types import ALL_PURPOSES
from card_core.codes import CODE_LIFE_SECONDS, ONLINE_SKEW_SECONDS, OnlineCode, PurposeClass
from card_core.kernel.acts.cards import ReportTemporaryLoss
from scan_api.refusal_limit import REFUSALS_MAX

TARGET = "/v1/scans"
TIMED = 10_000
RUNS = 3
# dudect's limit: a difference without a doubt.
CERTAIN = 10.0
# More than ten failures a minute of one caller would be told to wait.
SECONDS_BETWEEN = 7
SEED = 20260302


def code_of_each_kind(town: Town) -> dict[str, str]:
    """By the reason that a terminal in service is told."""
    expired = town.service.mint()
    town.bureau.clock.advance(CODE_LIFE_SECONDS + ONLINE_SKEW_SECONDS + 1)
    used = town.service.mint()
    assert reason(town, used) == "accepted"
    owner = town.bureau.person()
    lost = town.service.mint(owner)
    town.bureau.perform(ReportTemporaryLoss(owner.card_id), owner.actor)
    found = {
        "accepted": town.service.mint(),
        "bad_signature": tampered(town.service.mint()),
        "card_lost": lost,
        "expired": expired,
        "already_used": used,
        "unknown_key": signed_elsewhere(town, NEIGHBOUR + 1),
        "issuer_unreachable": signed_elsewhere(town, NEIGHBOUR),
    }
    assert len({len(code) for code in found.values()}) == 1
    return found


def signed_elsewhere(town: Town, issuer: int) -> str:
    """The code of another issuer's holder."""
    now = town.bureau.clock()
    code = OnlineCode(issuer, 1, now, PurposeClass.ANY_USE, ALL_PURPOSES, bytes(range(16)))
    to_be_signed = code.to_be_signed()
    return codes.assemble(to_be_signed, town.neighbours_codes.sign(to_be_signed))


def scan_body(code: str) -> bytes:
    """Of one length for codes of one length."""
    fields = {"code": code, "business_type": REGISTRATION, "request_id": f"{request_id():0>12}"}
    return json.dumps(fields).encode()


def reason(town: Town, code: str) -> str:
    answer = town.hospital.post_scan(town.service.http, scan_body(code))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["reason"])


def outsiders(town: Town) -> dict[str, Caller]:
    """Whoever may not scan: no terminal, none with a key in force, none in service."""
    strangers_key = TerminalDevice(town.hospital.serial_number, town.bureau.clock)
    return {
        "nobody": NOBODY,
        "unknown terminal": signing(TerminalDevice(bytes(8), town.bureau.clock)),
        "wrong key": signing(strangers_key),
        "revoked key": signing(town.revoked),
        "suspended": signing(town.suspended),
        "suspended institution": signing(town.closed),
        "holder": town.signed_in(town.holder),
        "peer": town.peer(),
    }


def test_a_terminal_in_service_is_told_each_kind(town: Town) -> None:
    found = code_of_each_kind(town)
    assert {name: reason(town, code) for name, code in found.items()} == {
        name: name for name in found
    }


def test_outsiders_are_told_the_same_of_every_code(town: Town) -> None:
    kinds = code_of_each_kind(town)
    for number, (who, caller) in enumerate(outsiders(town).items()):
        answers = set()
        for kind, code in kinds.items():
            body = scan_body(code)
            client = TestClient(
                town.service.app, base_url=BASE_URL, client=(f"10.9.{number}.{len(kind)}", 1)
            )
            headers = {"Content-Type": "application/json", **caller.prove("POST", TARGET, body)}
            answer = client.post(TARGET, content=body, headers=headers)
            answers.add((answer.status_code, tuple(answer.headers.items()), answer.content))
        assert len(answers) == 1, who
        assert answers.pop()[0] in {401, 403}
    # Nobody has used the good one up.
    assert reason(town, kinds["accepted"]) == "accepted"


COUNTED = {"malformed", "bad_signature", "unknown_key", "unknown_short_code"}


def makers(town: Town) -> dict[str, Callable[[], str]]:
    """A code for each refusal that costs whoever shows it nothing but the try."""
    kinds = code_of_each_kind(town)
    found: dict[str, Callable[[], str]] = {
        name: (lambda code=code: code)  # type: ignore[misc]
        for name, code in kinds.items()
        if name != "accepted"
    }
    return found | {"malformed": lambda: "rubbish", "unknown_short_code": lambda: "7" * 28}


def test_the_eleventh_guess_has_to_wait_and_nothing_else_counts(town: Town) -> None:
    for name, make in makers(town).items():
        device = town.enrol()
        answers = [
            device.post_scan(town.service.http, scan_body(make())) for _ in range(REFUSALS_MAX + 1)
        ]
        assert {one.json()["reason"] for one in answers[:REFUSALS_MAX]} == {name}
        last = answers[REFUSALS_MAX]
        if name in COUNTED:
            assert (last.status_code, last.json()["code"]) == (429, "too_many_refusals"), name
            assert 1 <= int(last.headers["Retry-After"]) <= 61
        else:
            assert last.json()["reason"] == name
        # A good code is served all the same, and another terminal is not held up.
        good = device.post_scan(town.service.http, scan_body(town.service.mint()))
        assert good.json()["reason"] == "accepted"


class Stopwatch:
    """Sends requests over one kept connection, and takes the time from the last byte sent to the
    answer."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._connection = http.client.HTTPConnection(at.hostname or "", at.port)

    def seconds(self, body: bytes, headers: dict[str, str], status: int) -> float:
        self._connection.request("POST", TARGET, body, headers)
        began = time.perf_counter()
        answer = self._connection.getresponse()
        answer.read()
        taken = time.perf_counter() - began
        assert answer.status == status
        return taken


def welch(one: list[float], other: list[float]) -> float:
    """Welch's t of the fastest nine tenths: what the machine did in between is in the rest."""
    kept = [sorted(times)[: len(times) * 9 // 10] for times in (one, other)]
    means = [statistics.fmean(times) for times in kept]
    errors = [statistics.variance(times) / len(times) for times in kept]
    return (means[0] - means[1]) / math.sqrt(sum(errors))


def measure(town: Town, url: str, count: int) -> dict[str, float]:
    """|t| of each kind of code against good ones, of an outsider's requests; `floor` compares good
    ones with good ones, `control` with what a terminal in service waits for."""
    stranger = TerminalDevice(town.hospital.serial_number, town.bureau.clock)
    kinds = code_of_each_kind(town) | {"floor": town.service.mint()}
    watch, turns = Stopwatch(url), random.Random(SEED)
    taken: dict[str, list[float]] = {kind: [] for kind in (*kinds, "control")}
    for _ in range(count):
        for kind in turns.sample(sorted(taken), len(taken)):
            town.bureau.clock.advance(SECONDS_BETWEEN)
            authorised = kind == "control"
            device = town.hospital if authorised else stranger
            body = scan_body("rubbish" if authorised else kinds[kind])
            headers = {
                "Authorization": device.authorization("POST", TARGET, body),
                "Content-Type": "application/json",
            }
            taken[kind].append(watch.seconds(body, headers, 200 if authorised else 401))
    good = taken.pop("accepted")
    return {kind: abs(welch(times, good)) for kind, times in taken.items()}


@pytest.mark.parametrize("count", [20, pytest.param(TIMED, marks=pytest.mark.long)])
def test_how_long_an_outsider_waits_says_nothing_of_the_code(town: Town, count: int) -> None:
    suspects: set[str] | None = None
    with running(town.service.app) as url:
        for _ in range(RUNS):
            found = measure(town, url, count)
            shown = ", ".join(f"{kind} {t:.2f}" for kind, t in found.items())
            print(f"|t| over {count} each (seed {SEED}): {shown}")
            certain = {kind for kind, t in found.items() if t > CERTAIN} - {"control"}
            suspects = certain if suspects is None else suspects & certain
            if count == TIMED:
                # Whoever is let in waits for a record: the stopwatch sees such a difference.
                assert found["control"] > CERTAIN
            if not suspects:
                break
    assert not suspects
