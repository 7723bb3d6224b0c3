"""A provider of checks behind HTTP: a real server on loopback that answers well and badly."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from card_core.holder_errors import PersonCheckUnavailableError
from card_core.sign_in import Profile
from card_core.sign_in.person_check import Outcome, SimulatedPersonCheck
from crypto import sm3
from issuance.checkup import Grade, person_check
from issuance.errors import SettingsError
from issuance.installation import random_bytes
from issuance.person_check import (
    ANSWER_BYTES_MAX,
    ANSWER_SECONDS,
    ANSWERED,
    ASKED,
    HEADER,
    HttpPersonCheck,
    choose,
)
from issuance.settings import PersonCheckSettings, Settings

SECRET = b"shared by the two of them"
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
STARTED = {
    "reference": "c-0001",
    "message_zh": "请看镜头",
    "message_en": "Look into the camera",
    "address": "https://face.example.gov.cn/c/1",
}


@dataclass
class Provider:
    """answers: what is answered to the next questions, the status with each. asked: what came."""

    url: str = ""
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    asked: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    secret: bytes = SECRET
    nonce: str | None = None

    def will(self, answer: Any, status: int = 200) -> None:
        self.answers.append((status, json.dumps(answer).encode()))

    def handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                header = self.headers[HEADER]
                provider.asked.append((json.loads(body), header))
                signed_at, nonce, mac = header.split(".")
                named = f"{signed_at}.{nonce}\n".encode()
                assert mac == sm3.hmac(SECRET, ASKED + named + body).hex()
                status, content = provider.answers.pop(0)
                nonce = provider.nonce or nonce
                mac = sm3.hmac(provider.secret, ANSWERED + nonce.encode() + b"\n" + content).hex()
                self.send_response(status)
                self.send_header(HEADER, mac)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Says nothing on the screen."""

        return Handler


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), made.handler())
    made.url = f"http://127.0.0.1:{server.server_port}/check"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@cache
def _tls() -> ssl.SSLContext:
    """Reading all the authorities' certificates takes as long as many a test."""
    return ssl.create_default_context()


def asking(provider: Provider, monotonic: Callable[[], float] = lambda: 0.0) -> HttpPersonCheck:
    transport = httpx2.HTTPTransport(verify=_tls())
    return HttpPersonCheck(
        provider.url, SECRET, lambda: NOW, transport=transport, monotonic=monotonic
    )


def test_a_check_begins_and_is_decided(provider: Provider) -> None:
    check = asking(provider)
    provider.will(STARTED)
    started = check.start("王芳", "440604198001011239")
    assert (started.reference, started.digits, started.address) == (
        "c-0001",
        None,
        STARTED["address"],
    )
    for outcome in Outcome:
        provider.will({"reference": "c-0001", "outcome": outcome.value})
        assert check.result("c-0001", "") is outcome
    first, second, *_ = provider.asked
    assert first[0] == {
        "step": "start",
        "name": "王芳",
        "social_security_number": "440604198001011239",
    }
    assert second[0] == {"step": "result", "reference": "c-0001", "typed": ""}
    # Each question is named anew, so that no answer is another's.
    assert len({header.split(".")[1] for _, header in provider.asked}) == len(provider.asked)


@pytest.mark.parametrize(
    "answer",
    [
        {"reference": "c-0001", "outcome": "perhaps"},
        {"reference": "c-0001"},
        {"reference": "c-0001", "outcome": True},
        {"reference": "c-0002", "outcome": "passed"},
        {"outcome": "passed"},
        ["passed"],
        "passed",
        {"reference": "c-0001", "outcome": "passed", "more": "x" * ANSWER_BYTES_MAX},
    ],
)
def test_what_is_no_decision_decides_nothing(provider: Provider, answer: Any) -> None:
    provider.will(answer)
    with pytest.raises(PersonCheckUnavailableError):
        asking(provider).result("c-0001", "")


PASSED = {"reference": "c-0001", "outcome": "passed"}


def test_an_answer_of_nobody_or_of_another_question_decides_nothing(provider: Provider) -> None:
    for secret, nonce, status in (
        (b"somebody else's secret", None, 200),
        (SECRET, "0" * 32, 200),
        (SECRET, None, 500),
        (SECRET, None, 302),
    ):
        provider.secret, provider.nonce = secret, nonce
        provider.will(PASSED, status)
        with pytest.raises(PersonCheckUnavailableError):
            asking(provider).result("c-0001", "")
    provider.secret, provider.nonce = SECRET, None
    provider.will(PASSED)
    assert asking(provider).result("c-0001", "") is Outcome.PASSED


def test_an_answer_that_drips_past_its_time_decides_nothing(provider: Provider) -> None:
    seconds = iter([0.0, ANSWER_SECONDS + 1])
    provider.will(PASSED)
    with pytest.raises(PersonCheckUnavailableError):
        asking(provider, lambda: next(seconds)).result("c-0001", "")


def test_nobody_at_the_address_decides_nothing(provider: Provider) -> None:
    check = HttpPersonCheck("http://127.0.0.1:1/", SECRET, lambda: NOW)
    with pytest.raises(PersonCheckUnavailableError):
        check.start("王芳", "440604198001011239")


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "http://face.example.gov.cn/"},
        {"address": "javascript:alert(1)"},
        {"reference": ""},
        {"reference": "x" * 201},
        {"message_zh": "一\n二"},
        {"message_en": 5},
        {"digits": 0},
        {"digits": True},
    ],
)
def test_what_a_person_is_told_has_its_limits(provider: Provider, wrong: dict[str, Any]) -> None:
    provider.will(STARTED | wrong)
    with pytest.raises(PersonCheckUnavailableError):
        asking(provider).start("王芳", "440604198001011239")


def chosen(environment: dict[str, str], profile: Profile) -> Any:
    settings = Settings.from_environment(environment)
    return choose(
        settings.person_check, profile=profile, clock=lambda: NOW, random_bytes=random_bytes
    )


def test_the_simulation_serves_no_installation_of_the_profile_sm(tmp_path: Path) -> None:
    simulated = {"SSCARD_PERSON_CHECK": "simulated"}
    assert isinstance(chosen(simulated, Profile.STANDARD), SimulatedPersonCheck)
    with pytest.raises(SettingsError) as refused:
        chosen(simulated, Profile.SM)
    assert refused.value.code == "person_check_simulated"
    assert chosen({}, Profile.STANDARD) is None
    for address in ("http://face.example.gov.cn/", "https://u@face.example.gov.cn/", "face"):
        with pytest.raises(SettingsError):
            Settings.from_environment({"SSCARD_PERSON_CHECK": address})
    secret = tmp_path / "secret"
    secret.write_text("too short\n")
    real = {
        "SSCARD_PERSON_CHECK": "https://face.example.gov.cn/check",
        "SSCARD_PERSON_CHECK_SECRET_FILE": str(secret),
    }
    with pytest.raises(SettingsError):
        chosen(real, Profile.SM)
    secret.write_text("shared by the two\n")
    assert isinstance(chosen(real, Profile.SM), HttpPersonCheck)


def test_the_doctor_calls_a_simulation_bad(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("shared by the two\n")
    settings = Settings.from_environment({"SSCARD_HOME": str(tmp_path)})
    address = "https://face.example.gov.cn/check"
    grades = {}
    for name, one in (
        ("none", None),
        ("simulated", PersonCheckSettings(None)),
        ("no secret", PersonCheckSettings(address)),
        ("real", PersonCheckSettings(address, secret)),
    ):
        object.__setattr__(settings, "person_check", one)
        (found,) = person_check.look(settings)
        grades[name] = found.grade
    assert grades == {
        "none": Grade.WELL,
        "simulated": Grade.BAD,
        "no secret": Grade.BAD,
        "real": Grade.WELL,
    }
