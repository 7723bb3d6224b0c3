"""Access tokens: good for what they are for, dead with their terminal or its key."""

from collections.abc import Callable

import httpx2
import pytest
from bureau import Bureau, SeededBytes, terminal_actor
from scan_service import PURCHASE, ScanService, TerminalDevice
from token_purchase import Draft, ask_who, buy, name_of

from card_core.kernel.acts.enrolment import RevokeTerminalKeys, RotateTerminalKey
from card_core.kernel.acts.institutions import (
    ReinstateTerminal,
    SuspendInstitution,
    SuspendTerminal,
)
from card_core.store import FieldCipher
from crypto import sm2
from scan_api.terminals.access_tokens import (
    CACHED_MAX,
    LIFE_SECONDS,
    AccessTokens,
    InvalidTokenError,
)


@pytest.mark.parametrize("act", [SuspendTerminal, SuspendInstitution])
def test_a_suspended_terminal_buys_nothing_and_its_tokens_are_dead(
    service: ScanService, act: type
) -> None:
    device, token = service.pharmacy, buy(service)
    what = device.serial_number if act is SuspendTerminal else "P44060400002"
    service.bureau.perform(act(what), service.bureau.checker)
    service.registry.refresh()
    noun = "terminal" if act is SuspendTerminal else "institution"
    used = ask_who(service, token)
    assert (used.status_code, used.json()["code"]) == (403, f"{noun}_suspended")
    sold = Draft(service).send()
    assert (sold.status_code, sold.json()["error"]) == (400, "unauthorized_client")
    assert sold.json()["code"] == f"{noun}_suspended"


def test_a_token_lives_again_with_its_terminal_but_not_with_another_key(
    service: ScanService,
) -> None:
    serial, token = service.pharmacy.serial_number, buy(service)
    service.bureau.perform(SuspendTerminal(serial), service.bureau.checker)
    service.bureau.decide(ReinstateTerminal(serial))
    service.registry.refresh()
    assert ask_who(service, token).status_code == 200
    service.bureau.perform(RevokeTerminalKeys(serial), service.bureau.checker)
    service.registry.refresh()
    assert ask_who(service, token).json()["code"] == "not_authenticated"


def test_a_token_of_the_previous_key_ends_with_that_key(service: ScanService) -> None:
    serial, bureau = service.pharmacy.serial_number, service.bureau
    found = service.registry.find(serial)
    assert found is not None
    next_key = sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)
    act = RotateTerminalKey(next_key, found.terminal.public_key)
    bureau.perform(act, terminal_actor(found.terminal))
    service.registry.refresh()
    bureau.clock.advance(86_400 - 60)
    token = buy(service)
    bureau.clock.advance(59)
    assert ask_who(service, token).status_code == 200
    bureau.clock.advance(1)
    assert ask_who(service, token).status_code == 401
    assert Draft(service).send().json()["error"] == "invalid_client"


def test_a_token_ends_after_ten_minutes(service: ScanService) -> None:
    token = buy(service)
    service.clock.advance(LIFE_SECONDS - 1)
    assert ask_who(service, token).status_code == 200
    service.clock.advance(1)
    assert ask_who(service, token).json()["code"] == "not_authenticated"


def test_a_token_identifies_and_does_not_consume(service: ScanService) -> None:
    def scan(device: TerminalDevice, business_type: str) -> httpx2.Response:
        body = {
            "code": service.mint(),
            "business_type": business_type,
            "request_id": service.bureau.request_id(),
        }
        bearer = {"Authorization": f"Bearer {buy(service, device)}"}
        return service.http.post("/v1/scans", json=body, headers=bearer)

    assert scan(service.hospital, "01101").json()["outcome"] == "accepted"
    refused = scan(service.pharmacy, PURCHASE)
    assert (refused.status_code, refused.json()["code"]) == (401, "signature_needed")
    assert refused.headers["WWW-Authenticate"] == "SSCARD-SM2"


def _changed_at(text: str, at: int) -> str:
    return text[:at] + ("B" if text[at] != "B" else "C") + text[at + 1 :]


TOKENS: dict[str, Callable[[str], str]] = {
    "nothing": lambda _: "",
    "a character less": lambda text: text[:-1],
    "a character more": lambda text: text + "A",
    "padding": lambda text: text + "=",
    "a bit of the serial number": lambda text: _changed_at(text, 4),
    "a bit of the key name": lambda text: _changed_at(text, 14),
    "a later end": lambda text: _changed_at(text, 26),
    "a bit of the random": lambda text: _changed_at(text, 34),
    "a bit of the tag": lambda text: _changed_at(text, 83),
    "another version": lambda text: "Ag" + text[2:],
    "no tag": lambda text: text[:42] + "A" * 42,
    "in capitals": str.upper,
    "two of them": lambda text: f"{text} {text}",
}


@pytest.mark.parametrize("name", TOKENS)
def test_no_mutation_of_a_token_is_taken(service: ScanService, name: str) -> None:
    token = buy(service)
    spoiled = TOKENS[name](token)
    assert spoiled != token
    answer = ask_who(service, spoiled)
    nothing = service.http.get("/v1/terminal")
    assert (answer.status_code, answer.content) == (401, nothing.content)
    assert dict(answer.headers) == dict(nothing.headers)


@pytest.mark.parametrize("scheme", ["bearer ", "BEARER ", "Bearer", "Bearer  ", "Token "])
def test_the_scheme_has_one_spelling(service: ScanService, scheme: str) -> None:
    headers = {"Authorization": scheme + buy(service)}
    assert service.http.get("/v1/terminal", headers=headers).status_code == 401


def test_a_token_of_another_installation_is_nothing_here(
    service: ScanService, cipher: FieldCipher, random_bytes: SeededBytes
) -> None:
    device, now = service.pharmacy, service.clock()
    name = bytes.fromhex(name_of(device))
    other = FieldCipher(
        field_key=bytes(16),
        index_key=bytes(32),
        row_key=bytes([3]) * 32,
        audit_key=bytes([4]) * 32,
        random_bytes=random_bytes,
    )
    ours = AccessTokens(cipher, random_bytes=random_bytes)
    theirs = AccessTokens(other, random_bytes=random_bytes)
    assert ask_who(service, ours.issue(device.serial_number, name, now)).status_code == 200
    assert ask_who(service, theirs.issue(device.serial_number, name, now)).status_code == 401
    assert ours.audience != theirs.audience


def test_what_is_cached_stays_bounded_and_right(
    bureau: Bureau, cipher: FieldCipher, random_bytes: SeededBytes
) -> None:
    tokens = AccessTokens(cipher, random_bytes=random_bytes)
    for number in range(CACHED_MAX + 10):
        token = tokens.issue(number.to_bytes(8), bytes(8), bureau.clock()).encode()
        assert tokens.read(token).serial_number == number.to_bytes(8)
        assert tokens.read(token).serial_number == number.to_bytes(8)
    assert len(tokens._cached) <= CACHED_MAX
    with pytest.raises(InvalidTokenError):
        tokens.read(b"A" * 84)
    assert b"A" * 84 not in tokens._cached


def test_tokens_of_the_same_second_differ(bureau: Bureau, cipher: FieldCipher) -> None:
    tokens = AccessTokens(cipher, random_bytes=bureau.kernel.random_bytes)
    texts = {tokens.issue(bytes(8), bytes(8), bureau.clock()) for _ in range(100)}
    assert len(texts) == 100
