"""Only enrolled terminals speak: one change of a signed request, and nothing is accepted."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from scan_service import PURCHASE, ScanService, TerminalDevice

from card_core.kernel.acts.institutions import SuspendInstitution, SuspendTerminal
from card_core.store import scans
from crypto import sm2
from scan_api.signed_requests import WINDOW_SECONDS

TARGET = "/v1/scans"
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


class Draft:
    """A good signed scan that a mutation spoils; `send` gives what came back."""

    def __init__(self, service: ScanService) -> None:
        self.service = service
        self.device = service.pharmacy
        self.method = "POST"
        self.url = TARGET
        self.fields: dict[str, Any] = {
            "code": service.mint(),
            "business_type": PURCHASE,
            "request_id": "r1",
        }
        self.body = json.dumps(self.fields).encode()
        self.headers = {"Content-Type": "application/json"}
        self.sign()

    def sign(self, **changed: Any) -> None:
        """Sign what the draft holds now; `changed` says what is signed instead."""
        device: TerminalDevice = changed.pop("device", self.device)
        what = {"method": self.method, "target": self.url, "body": self.body} | changed
        self.headers["Authorization"] = device.authorization(**what)

    def edit(self, old: str, new: str) -> None:
        """Change the header's text."""
        header = self.headers["Authorization"]
        assert header.count(old) == 1
        self.headers["Authorization"] = header.replace(old, new)

    def signature(self) -> bytes:
        encoded = self.headers["Authorization"].split('signature="')[1].rstrip('"')
        return base64.b64decode(encoded)

    def set_signature(self, der: bytes) -> None:
        head = self.headers["Authorization"].split('signature="')[0]
        self.headers["Authorization"] = f'{head}signature="{base64.b64encode(der).decode()}"'

    def set_numbers(self, change: Callable[[int, int], tuple[int, int]]) -> None:
        """Put other r and s into the signature, as DER that is well-formed in itself."""
        signature = sm2.signature_from_der(self.signature())
        numbers = change(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        parts = b"".join(_der_integer(number) for number in numbers)
        self.set_signature(b"\x30" + bytes([len(parts)]) + parts)

    def send(self) -> httpx2.Response:
        return self.service.http.request(
            self.method, self.url, content=self.body, headers=self.headers
        )


def _der_integer(number: int) -> bytes:
    encoded = number.to_bytes(number.bit_length() // 8 + 1)
    return b"\x02" + bytes([len(encoded)]) + encoded


def _seconds(draft: Draft, offset: int) -> int:
    return int(draft.service.clock().timestamp()) + offset


def _body(draft: Draft, body: bytes) -> None:
    draft.body = body


def _field(draft: Draft, name: str, value: Any) -> None:
    draft.body = json.dumps(draft.fields | {name: value}).encode()


def _url(draft: Draft, url: str) -> None:
    draft.url = url


def _method(draft: Draft, method: str) -> None:
    draft.method = method


def _replay(draft: Draft) -> None:
    """The very same bytes again, after a good answer."""
    assert draft.send().status_code == 200


def _replayed_nonce(draft: Draft) -> None:
    """The nonce again, in an otherwise new request of the same terminal."""
    nonce = bytes(range(100, 116))
    draft.sign(nonce=nonce)
    assert draft.send().status_code == 200
    draft.body = json.dumps(draft.fields | {"request_id": "r2"}).encode()
    draft.sign(nonce=nonce)


def _stranger(draft: Draft) -> None:
    """An unknown serial number with a key of its own."""
    draft.sign(device=TerminalDevice(b"\x00" * 7 + b"\x99", draft.service.clock))


def _key_of(draft: Draft, serial_of: TerminalDevice, key_of: TerminalDevice) -> None:
    draft.sign(device=TerminalDevice(serial_of.serial_number, draft.service.clock, key_of.key))


def _long_length(draft: Draft) -> None:
    der = draft.signature()
    draft.set_signature(b"\x30\x81" + der[1:])


def _leading_zero(draft: Draft) -> None:
    der = draft.signature()
    draft.set_signature(bytes([0x30, der[1] + 1, 0x02, der[3] + 1, 0x00]) + der[4:])


def _flip(draft: Draft, position: int) -> None:
    der = bytearray(draft.signature())
    der[position] ^= 1
    draft.set_signature(bytes(der))


def _without_header(draft: Draft) -> None:
    del draft.headers["Authorization"]


def _header(draft: Draft, value: str) -> None:
    draft.headers["Authorization"] = value


def _serial(draft: Draft) -> str:
    return draft.device.serial_number.hex()


def _hospital(draft: Draft) -> str:
    return draft.service.hospital.serial_number.hex()


MUTATIONS: dict[str, Callable[[Draft], None]] = {
    # the body
    "another code": lambda d: _field(d, "code", d.service.mint()),
    "another business type": lambda d: _field(d, "business_type", "02122"),
    "another request id": lambda d: _field(d, "request_id", "r2"),
    "an amount added": lambda d: _field(d, "amount_fen", 100),
    "a field twice": lambda d: _body(d, d.body[:-1] + b',"request_id":"r2"}'),
    "a space more in the body": lambda d: _body(d, d.body + b" "),
    "a line feed more in the body": lambda d: _body(d, d.body + b"\n"),
    "a byte less in the body": lambda d: _body(d, d.body[:-1]),
    "a byte order mark before the body": lambda d: _body(d, b"\xef\xbb\xbf" + d.body),
    "no body": lambda d: _body(d, b""),
    # method and target
    "a query added": lambda d: _url(d, TARGET + "?a=1"),
    "an empty segment": lambda d: _url(d, "//v1/scans"),
    "a slash at the end": lambda d: _url(d, TARGET + "/"),
    "an escaped letter": lambda d: _url(d, "/v1/scan%73"),
    "another version of the path": lambda d: _url(d, "/v2/scans"),
    "GET instead": lambda d: _method(d, "GET"),
    "PUT instead": lambda d: _method(d, "PUT"),
    "signed for GET": lambda d: d.sign(method="GET"),
    "signed in lower case": lambda d: d.sign(method="post"),
    "signed for another target": lambda d: d.sign(target="/v1/terminal"),
    "signed with host and scheme": lambda d: d.sign(target="https://sscard.test/v1/scans"),
    "signed with a query": lambda d: d.sign(target=TARGET + "?"),
    "signed without a body": lambda d: d.sign(body=b""),
    # time
    "301 seconds late": lambda d: d.sign(signed_at=_seconds(d, -WINDOW_SECONDS - 1)),
    "301 seconds early": lambda d: d.sign(signed_at=_seconds(d, WINDOW_SECONDS + 1)),
    "a year early": lambda d: d.sign(signed_at=_seconds(d, 365 * 86_400)),
    "another time than signed": lambda d: d.edit(f'"{_seconds(d, 0)}"', f'"{_seconds(d, 1)}"'),
    "a time with a fraction": lambda d: d.edit(f'"{_seconds(d, 0)}"', f'"{_seconds(d, 0)}.0"'),
    # nonce
    "the same bytes again": _replay,
    "the same nonce in another request": _replayed_nonce,
    "another nonce than signed": lambda d: d.edit('nonce="0', 'nonce="1'),
    "a nonce too long": lambda d: d.edit('nonce="', 'nonce="00'),
    "an empty nonce": lambda d: d.edit(',nonce="', ',nonce="",x="'),
    # whose key
    "a terminal that nobody enrolled": _stranger,
    "the key of another terminal": lambda d: _key_of(d, d.device, d.service.hospital),
    "the name of another terminal": lambda d: _key_of(d, d.service.hospital, d.device),
    "the name changed in the header": lambda d: d.edit(_serial(d), _hospital(d)),
    "the name in capitals": lambda d: d.edit(_serial(d), _serial(d).upper()),
    "the name of nobody": lambda d: d.edit(_serial(d), "0" * 16),
    # the signature
    "its first bit flipped": lambda d: _flip(d, 0),
    "a bit of r flipped": lambda d: _flip(d, 10),
    "a bit of s flipped": lambda d: _flip(d, -1),
    "r and s exchanged": lambda d: d.set_numbers(lambda r, s: (s, r)),
    "s replaced by n - s": lambda d: d.set_numbers(lambda r, s: (r, N - s)),
    "s + n": lambda d: d.set_numbers(lambda r, s: (r, s + N)),
    "r of zero": lambda d: d.set_numbers(lambda _, s: (0, s)),
    "s of zero": lambda d: d.set_numbers(lambda r, _: (r, 0)),
    "r + s = n": lambda d: d.set_numbers(lambda r, _: (r, N - r)),
    "a length in the long form": _long_length,
    "a leading zero": _leading_zero,
    "a byte behind it": lambda d: d.set_signature(d.signature() + b"\x00"),
    "a byte cut off": lambda d: d.set_signature(d.signature()[:-1]),
    "not in DER": lambda d: d.set_signature(sm2.signature_from_der(d.signature())),
    "an empty one": lambda d: d.set_signature(b""),
    # the header
    "no header": _without_header,
    "an empty header": lambda d: _header(d, ""),
    "a bearer token": lambda d: _header(d, f"Bearer {base64.b64encode(d.signature()).decode()}"),
    "basic credentials": lambda d: _header(d, "Basic dGVybWluYWw6c2VjcmV0"),
    "the scheme in lower case": lambda d: d.edit("SSCARD-SM2", "sscard-sm2"),
    "another algorithm": lambda d: d.edit("SSCARD-SM2", "SSCARD-HMAC-SM3"),
    "an algorithm named": lambda d: d.edit("SSCARD-SM2 ", 'SSCARD-SM2 alg="none",'),
    "a space after a comma": lambda d: d.edit(",time", ", time"),
    "parameters in another order": lambda d: _header(
        d,
        "SSCARD-SM2 "
        + ",".join(reversed(d.headers["Authorization"].removeprefix("SSCARD-SM2 ").split(","))),
    ),
}


def _accepted(service: ScanService) -> int:
    with service.bureau.store.read() as tx:
        return len(scans.of_holder(tx, service.person.holder_id))


def test_the_request_that_the_mutations_start_from_is_accepted(service: ScanService) -> None:
    assert Draft(service).send().json()["outcome"] == "accepted"


def test_there_are_enough_mutations() -> None:
    assert len(MUTATIONS) >= 40


@pytest.mark.parametrize("name", MUTATIONS)
def test_no_mutation_of_a_signed_request_is_accepted(service: ScanService, name: str) -> None:
    draft = Draft(service)
    MUTATIONS[name](draft)
    before = _accepted(service)
    answer = draft.send()
    assert answer.status_code in {401, 404, 405}
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert _accepted(service) == before


BLAND = [
    "another code",
    "the same bytes again",
    "another nonce than signed",
    "a terminal that nobody enrolled",
    "the key of another terminal",
    "a bit of s flipped",
    "a length in the long form",
    "no header",
    "a bearer token",
]


@pytest.mark.parametrize("name", BLAND)
def test_what_did_not_prove_a_key_gets_one_and_the_same_answer(
    service: ScanService, name: str
) -> None:
    draft = Draft(service)
    MUTATIONS[name](draft)
    answer = draft.send()
    nothing = service.http.post(TARGET)
    assert (answer.status_code, answer.content) == (401, nothing.content)
    assert dict(answer.headers) == dict(nothing.headers)
    assert answer.headers["WWW-Authenticate"] == "SSCARD-SM2, Bearer"


@pytest.mark.parametrize("offset", [-WINDOW_SECONDS, WINDOW_SECONDS])
def test_the_window_takes_its_last_second(service: ScanService, offset: int) -> None:
    draft = Draft(service)
    draft.sign(signed_at=_seconds(draft, offset))
    assert draft.send().json()["outcome"] == "accepted"


def test_a_terminal_whose_clock_is_off_is_told_the_time(service: ScanService) -> None:
    draft = Draft(service)
    draft.sign(signed_at=_seconds(draft, -WINDOW_SECONDS - 1))
    problem = draft.send().json()
    assert (problem["status"], problem["code"]) == (401, "clock_off")
    assert problem["server_time"] == _seconds(draft, 0)


def test_a_wrong_clock_is_not_told_without_a_good_signature(service: ScanService) -> None:
    draft = Draft(service)
    draft.sign(signed_at=_seconds(draft, -86_400))
    _flip(draft, -1)
    assert draft.send().json()["code"] == "not_authenticated"


def test_two_authorization_headers_are_refused(service: ScanService) -> None:
    draft = Draft(service)
    value = draft.headers.pop("Authorization")
    headers = [*draft.headers.items(), ("Authorization", value), ("Authorization", value)]
    answer = service.http.post(TARGET, content=draft.body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_suspended_terminal_is_told_so_and_refused_at_once(service: ScanService) -> None:
    draft = Draft(service)
    service.bureau.perform(
        SuspendTerminal(service.pharmacy.serial_number), service.bureau.administrator
    )
    service.registry.refresh()
    answer = draft.send()
    assert (answer.status_code, answer.json()["code"]) == (403, "terminal_suspended")
    draft.sign()
    _flip(draft, -1)
    assert draft.send().json()["code"] == "not_authenticated"


def test_a_suspended_institution_stops_all_of_its_terminals_and_no_other(
    service: ScanService,
) -> None:
    draft = Draft(service)
    service.bureau.perform(SuspendInstitution("P44060400002"), service.bureau.administrator)
    service.registry.refresh()
    answer = draft.send()
    assert (answer.status_code, answer.json()["code"]) == (403, "institution_suspended")
    assert service.scan(service.hospital, service.mint()).json()["outcome"] == "accepted"


def test_a_key_says_nothing_before_its_proof_is_complete(service: ScanService) -> None:
    """A refusal on the body comes only to those who have proved a key."""
    draft = Draft(service)
    draft.body = b"{"
    assert draft.send().json()["code"] == "not_authenticated"
    draft.sign()
    assert draft.send().json()["code"] == "malformed_json"


def _ask_who(service: ScanService, header: str) -> httpx2.Response:
    return service.http.get("/v1/terminal", headers={"Authorization": header})


def test_a_terminal_learns_who_it_is_and_what_it_may_scan_for(service: ScanService) -> None:
    answer = _ask_who(service, service.pharmacy.authorization("GET", "/v1/terminal"))
    view = answer.json()
    assert view["serial_number"] == service.pharmacy.serial_number.hex()
    assert (view["institution_code"], view["institution_kind"]) == ("P44060400002", "pharmacy")
    assert {one["code"] for one in view["business_types"]} >= {"02121", "02122"}
    assert "01101" not in {one["code"] for one in view["business_types"]}


def test_a_signed_read_is_good_once_too(service: ScanService) -> None:
    header = service.pharmacy.authorization("GET", "/v1/terminal")
    assert _ask_who(service, header).status_code == 200
    assert _ask_who(service, header).json()["code"] == "not_authenticated"
