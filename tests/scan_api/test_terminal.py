"""A terminal's key, its connection to the service, and what it does when there is no answer."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from crypto import sm2
from crypto.keys import KeyFileError, WrongPassphraseError
from scan_api.signed_requests import SignedRequest
from scan_api.terminal import (
    OutcomeUnknownError,
    RequestRefusedError,
    ServiceAwayError,
    TerminalClient,
    TerminalError,
    TerminalKey,
    TerminalKeyError,
)
from scan_api.terminal.client import ATTEMPTS_MAX

SERIAL_NUMBER = bytes.fromhex("00000000000000a1")
PASSPHRASE = b"correct horse battery"
NOW = 1_767_225_600
VERDICT = {"scan_id": "s1", "outcome": "accepted", "reason": "accepted"}

Answer = Callable[[httpx2.Request], httpx2.Response]


class HeldKey:
    """A key in memory, where the tests don't ask how it rests."""

    def __init__(self) -> None:
        self.private_key = sm2.PrivateKey.from_bytes(bytes(31) + b"\x07")
        self.public_key = self.private_key.public_key()

    def sign(self, message: bytes) -> bytes:
        return self.private_key.sign(message)


class Service:
    """Answers with what `answers` hold, one after the other, and keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[httpx2.Request] = []
        self._answers = iter(answers)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return next(self._answers)(request)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.asked]


def verdict(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json=VERDICT)


def no_connection(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("refused", request=request)


def no_answer(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ReadTimeout("too late", request=request)


def failure(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(500, json={"code": "internal_error"})


def portal(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, text="<html>Please pay for the network</html>")


def problem(_: httpx2.Request) -> httpx2.Response:
    document = {
        "code": "clock_off",
        "title": "The terminal's clock is wrong",
        "title_zh": "时钟不准",
    }
    return httpx2.Response(401, json={**document, "detail": "Set it.", "detail_zh": "请校正。"})


def client_of(service: Service, pauses: list[float] | None = None) -> TerminalClient:
    return TerminalClient(
        "http://127.0.0.1:1",
        TerminalKey(SERIAL_NUMBER, HeldKey()),
        transport=httpx2.MockTransport(service),
        clock=lambda: NOW,
        pause=(pauses if pauses is not None else []).append,
    )


def nonces(service: Service) -> list[bytes]:
    return [_signed(request).assertion().nonce for request in service.asked]


def _signed(request: httpx2.Request) -> SignedRequest:
    header = request.headers["authorization"].encode()
    target = request.url.raw_path.decode()
    return SignedRequest(request.method, target, request.content, [header])


# ---- what is sent


def test_every_request_is_signed_by_the_rule_that_the_service_checks() -> None:
    service = Service(verdict, verdict)
    client = client_of(service)
    client.describe()
    client.scan("7406", "02121", operator="张药师")
    for request in service.asked:
        signed = _signed(request)
        assertion = signed.assertion()
        assert (assertion.terminal, assertion.signed_at) == (SERIAL_NUMBER, NOW)
        HeldKey().public_key.verify(assertion.signature, signed.signed_bytes(assertion))


def test_a_scan_carries_what_was_given_and_nothing_empty() -> None:
    service = Service(verdict)
    answer = client_of(service).scan("7406", "02121", request_id="r1", amount_fen=1250)
    assert answer == VERDICT
    assert service.asked[0].url.path == "/v1/scans"
    assert service.asked[0].headers["content-type"] == "application/json"
    assert service.bodies() == [
        {"code": "7406", "business_type": "02121", "request_id": "r1", "amount_fen": 1250}
    ]


def test_each_scan_without_a_request_id_gets_one_of_its_own() -> None:
    service = Service(verdict, verdict)
    client = client_of(service)
    client.scan("7406", "02121")
    client.scan("7406", "02121")
    first, second = (body["request_id"] for body in service.bodies())
    assert first != second


@pytest.mark.parametrize("address", ["http://sscard.example", "http://10.0.0.1:8700", "ftp://a"])
def test_names_and_numbers_do_not_travel_in_clear(address: str) -> None:
    with pytest.raises(ValueError, match="https"):
        TerminalClient(address, TerminalKey(SERIAL_NUMBER, HeldKey()))


# ---- no answer is never a yes


@pytest.mark.parametrize("trouble", [no_connection, no_answer, failure])
def test_a_lost_answer_is_asked_for_again_under_the_same_request_id(trouble: Answer) -> None:
    service = Service(trouble, verdict)
    pauses: list[float] = []
    assert client_of(service, pauses).scan("7406", "02121") == VERDICT
    first, second = service.bodies()
    assert first == second
    assert len(set(nonces(service))) == 2
    assert len(pauses) == 1


@pytest.mark.parametrize(
    ("troubles", "expected"),
    [
        ([no_connection] * ATTEMPTS_MAX, ServiceAwayError),
        ([no_answer] * ATTEMPTS_MAX, OutcomeUnknownError),
        ([failure] * ATTEMPTS_MAX, OutcomeUnknownError),
        # One request went out, so the scan may be recorded, whatever came later.
        ([no_connection, no_answer, no_connection], OutcomeUnknownError),
    ],
)
def test_without_an_answer_there_is_no_verdict(
    troubles: list[Answer], expected: type[TerminalError]
) -> None:
    service = Service(*troubles)
    with pytest.raises(expected):
        client_of(service).scan("7406", "02121")
    assert len(service.asked) == ATTEMPTS_MAX


def test_a_page_in_the_services_place_is_no_verdict() -> None:
    with pytest.raises(OutcomeUnknownError):
        client_of(Service(portal)).scan("7406", "02121")


def test_a_question_that_changes_nothing_leaves_nothing_in_doubt() -> None:
    with pytest.raises(ServiceAwayError):
        client_of(Service(*[no_answer] * ATTEMPTS_MAX)).describe()


def test_a_problem_is_told_once_in_both_languages_and_not_tried_again() -> None:
    service = Service(problem)
    with pytest.raises(RequestRefusedError) as caught:
        client_of(service).scan("7406", "02121")
    assert len(service.asked) == 1
    assert (caught.value.status, caught.value.code) == (401, "clock_off")
    assert caught.value.message_zh == "时钟不准。请校正。"
    assert caught.value.message_en == "The terminal's clock is wrong. Set it."


# ---- the key


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TerminalKey]:
    directory = tmp_path_factory.mktemp("terminal") / "key"
    key = TerminalKey.create(directory, serial_number=SERIAL_NUMBER, passphrase=PASSPHRASE)
    return directory, key


def test_a_key_is_the_same_after_it_was_put_away(made: tuple[Path, TerminalKey]) -> None:
    directory, key = made
    opened = TerminalKey.open(directory, passphrase=PASSPHRASE)
    assert opened.serial_number == SERIAL_NUMBER
    assert opened.public_key.to_bytes() == key.public_key.to_bytes()
    opened.public_key.verify(key.sign(b"message"), b"message")


def test_a_key_rests_encrypted_and_for_its_owner_alone(made: tuple[Path, TerminalKey]) -> None:
    directory, _ = made
    for path in directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(WrongPassphraseError):
        TerminalKey.open(directory, passphrase=b"wrong passphrase")


def test_a_key_that_is_there_is_never_overwritten(made: tuple[Path, TerminalKey]) -> None:
    directory, _ = made
    before = {path: path.read_bytes() for path in directory.iterdir()}
    for serial_number in (SERIAL_NUMBER, bytes(7) + b"\x01"):
        with pytest.raises(TerminalKeyError):
            TerminalKey.create(directory, serial_number=serial_number, passphrase=PASSPHRASE)
    assert {path: path.read_bytes() for path in directory.iterdir()} == before


def test_an_interrupted_creation_is_taken_up_again(
    tmp_path: Path, made: tuple[Path, TerminalKey]
) -> None:
    directory, _ = made
    started = tmp_path / "key"
    started.mkdir(mode=0o700)
    (started / "keyring.json").write_bytes((directory / "keyring.json").read_bytes())
    (started / "keyring.json").chmod(0o600)
    with pytest.raises(TerminalKeyError):
        TerminalKey.open(started, passphrase=PASSPHRASE)
    TerminalKey.create(started, serial_number=SERIAL_NUMBER, passphrase=PASSPHRASE)
    assert TerminalKey.open(started, passphrase=PASSPHRASE).serial_number == SERIAL_NUMBER


@pytest.mark.parametrize("serial_number", [b"", bytes(7), bytes(8), bytes(9)])
def test_no_terminal_has_such_a_serial_number(tmp_path: Path, serial_number: bytes) -> None:
    with pytest.raises(TerminalKeyError):
        TerminalKey.create(tmp_path / "key", serial_number=serial_number, passphrase=PASSPHRASE)
    assert not (tmp_path / "key").exists()


def test_a_directory_without_a_key_says_so(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        TerminalKey.open(tmp_path, passphrase=PASSPHRASE)
