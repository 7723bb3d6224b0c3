"""Enrolment and the next key over HTTP; what outsiders learn; who may do what to whose terminal."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from scan_service import PHARMACY_CODE, ScanService, TerminalDevice

from card_core.kernel.acts.enrolment import (
    CODE_LIFE,
    FAILURES_MAX,
    KEY_OVERLAP,
    RevokeTerminalKeys,
)
from card_core.kernel.acts.institutions import ChangeBusinessTypes, SuspendTerminal
from card_core.kernel.enrolment_codes import EnrolmentCode
from card_core.store import audit, institutions, schema
from crypto import sm2
from scan_api.refusal_limit import REFUSALS_MAX
from scan_api.terminals.possession import enrolment_bytes, next_key_bytes, prove

SERIAL = bytes.fromhex("00000000000000e9")
KEYS = "/v1/terminals/keys"
ENROLMENTS = "/v1/terminals/enrolments"


def compressed(key: sm2.PrivateKey) -> bytes:
    return key.public_key().to_bytes(compressed=True)


def fields_of(device: TerminalDevice, code: EnrolmentCode) -> dict[str, Any]:
    public_key = compressed(device.key)
    signed = enrolment_bytes(device.serial_number, code.text, public_key)
    return {
        "enrolment_code": code.text,
        "serial_number": device.serial_number.hex(),
        "public_key": public_key.hex(),
        "proof": prove(device.key, signed),
    }


def enrol(service: ScanService, fields: dict[str, Any]) -> httpx2.Response:
    return service.http.post(ENROLMENTS, json=fields)


@pytest.fixture
def device(service: ScanService) -> TerminalDevice:
    return TerminalDevice(SERIAL, service.clock)


@pytest.fixture
def code(service: ScanService) -> EnrolmentCode:
    return service.bureau.enrolment_code(SERIAL, PHARMACY_CODE)


def bring(
    service: ScanService, device: TerminalDevice, key: sm2.PrivateKey, **changed: Any
) -> httpx2.Response:
    """The next key of a device, signed by its present one."""
    public_key = compressed(key)
    proof = prove(key, next_key_bytes(device.serial_number, public_key))
    fields = {"public_key": public_key.hex(), "proof": proof, **changed}
    body = json.dumps(fields).encode()
    headers = {
        "Authorization": device.authorization("POST", KEYS, body),
        "Content-Type": "application/json",
    }
    return service.http.post(KEYS, content=body, headers=headers)


def who(service: ScanService, device: TerminalDevice) -> httpx2.Response:
    header = device.authorization("GET", "/v1/terminal")
    return service.http.get("/v1/terminal", headers={"Authorization": header})


def test_a_terminal_enrols_itself_and_serves_at_once(
    service: ScanService, device: TerminalDevice, code: EnrolmentCode
) -> None:
    assert who(service, device).status_code == 401
    answer = enrol(service, fields_of(device, code))
    assert answer.status_code == 201
    assert answer.json()["serial_number"] == SERIAL.hex()
    assert answer.json()["token_audience"] == service.services.authentication.tokens.audience
    assert who(service, device).json()["institution_code"] == PHARMACY_CODE
    assert enrol(service, fields_of(device, code)).json() == answer.json()
    with service.bureau.store.read() as tx:
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)


Refusal = Callable[[ScanService, TerminalDevice, EnrolmentCode], dict[str, Any]]


def wrong_code(s: ScanService, d: TerminalDevice, c: EnrolmentCode) -> dict[str, Any]:
    return fields_of(d, EnrolmentCode(c.text[:-1] + ("A" if c.text[-1] != "A" else "B")))


def unknown_name(s: ScanService, d: TerminalDevice, c: EnrolmentCode) -> dict[str, Any]:
    return fields_of(d, EnrolmentCode("00000" + c.text[5:]))


def expired(s: ScanService, d: TerminalDevice, c: EnrolmentCode) -> dict[str, Any]:
    s.clock.advance(CODE_LIFE.total_seconds())
    return fields_of(d, c)


def used_by_another_key(s: ScanService, d: TerminalDevice, c: EnrolmentCode) -> dict[str, Any]:
    assert enrol(s, fields_of(d, c)).status_code == 201
    return fields_of(TerminalDevice(SERIAL, s.clock), c)


def tried_too_often(s: ScanService, d: TerminalDevice, c: EnrolmentCode) -> dict[str, Any]:
    for _ in range(FAILURES_MAX):
        assert enrol(s, wrong_code(s, d, c)).status_code == 403
    return fields_of(d, c)


def another_serial_number(s: ScanService, d: TerminalDevice, c: EnrolmentCode) -> dict[str, Any]:
    return fields_of(TerminalDevice(b"stranger", s.clock, d.key), c)


def serial_number_of_zeros(s: ScanService, d: TerminalDevice, c: EnrolmentCode) -> dict[str, Any]:
    return fields_of(TerminalDevice(bytes(8), s.clock, d.key), c)


def an_enrolled_one(s: ScanService, d: TerminalDevice, c: EnrolmentCode) -> dict[str, Any]:
    return fields_of(TerminalDevice(s.hospital.serial_number, s.clock, d.key), c)


def proof_by_another_key(s: ScanService, d: TerminalDevice, c: EnrolmentCode) -> dict[str, Any]:
    other = TerminalDevice(SERIAL, s.clock)
    return fields_of(d, c) | {"public_key": compressed(other.key).hex()}


def proof_over_another_code(s: ScanService, d: TerminalDevice, c: EnrolmentCode) -> dict[str, Any]:
    return fields_of(d, c) | {"proof": wrong_code(s, d, c)["proof"]}


def proof_meant_for_a_next_key(
    s: ScanService, d: TerminalDevice, c: EnrolmentCode
) -> dict[str, Any]:
    signed = next_key_bytes(SERIAL, compressed(d.key))
    return fields_of(d, c) | {"proof": prove(d.key, signed)}


def proof_not_in_der(s: ScanService, d: TerminalDevice, c: EnrolmentCode) -> dict[str, Any]:
    return fields_of(d, c) | {"proof": "AAAAAAAAAAAA"}


def no_point_of_the_curve(s: ScanService, d: TerminalDevice, c: EnrolmentCode) -> dict[str, Any]:
    return fields_of(d, c) | {"public_key": "02" + "ff" * 32}


REFUSALS: list[Refusal] = [
    wrong_code,
    unknown_name,
    expired,
    used_by_another_key,
    tried_too_often,
    another_serial_number,
    serial_number_of_zeros,
    an_enrolled_one,
    proof_by_another_key,
    proof_over_another_code,
    proof_meant_for_a_next_key,
    proof_not_in_der,
    no_point_of_the_curve,
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: one.__name__)
def test_whatever_is_wrong_with_an_enrolment_is_one_and_the_same_answer(
    service: ScanService, device: TerminalDevice, code: EnrolmentCode, refusal: Refusal
) -> None:
    nobody = fields_of(TerminalDevice(b"\x00nobody!", service.clock), EnrolmentCode("0" * 20))
    nothing = enrol(service, nobody)
    assert (nothing.status_code, nothing.json()["code"]) == (403, "enrolment_refused")
    answer = enrol(service, refusal(service, device, code))
    assert (answer.status_code, answer.content) == (403, nothing.content)
    assert dict(answer.headers) == dict(nothing.headers)


def test_outsiders_write_nothing(
    service: ScanService, device: TerminalDevice, code: EnrolmentCode
) -> None:
    def events() -> int:
        with service.bureau.store.read() as tx:
            return sum(audit.verify_chain(tx, chain) for chain in audit.CHAINS)

    before = events()
    for fields in (
        unknown_name(service, device, code),
        another_serial_number(service, device, code),
        proof_by_another_key(service, device, code),
    ):
        assert enrol(service, fields).status_code == 403
    assert events() == before


def test_an_outsider_who_knows_the_serial_number_shuts_nobody_out(
    service: ScanService, device: TerminalDevice, code: EnrolmentCode
) -> None:
    guess = fields_of(device, EnrolmentCode("Z" * 20))
    statuses = [enrol(service, guess).status_code for _ in range(REFUSALS_MAX + 3)]
    assert statuses == [403] * REFUSALS_MAX + [429] * 3
    assert enrol(service, fields_of(device, code)).status_code == 201
    assert who(service, device).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("enrolment_code", "7kqmx2vtnc9rz4dwh3sp"),
        ("enrolment_code", "7KQMX-2VTNC-9RZ4D-WH3SP"),
        ("serial_number", "00000000000000E9"),
        ("public_key", "04" + "0" * 128),
        ("proof", ""),
        ("terminal_id", "1"),
    ],
)
def test_a_field_out_of_its_form_is_named(
    service: ScanService, device: TerminalDevice, code: EnrolmentCode, field: str, value: str
) -> None:
    answer = enrol(service, fields_of(device, code) | {field: value})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


# The next key.


def test_the_next_key_serves_beside_the_present_one_for_a_day(service: ScanService) -> None:
    device, key = service.pharmacy, sm2.PrivateKey.generate()
    after = TerminalDevice(device.serial_number, service.clock, key)
    answer = bring(service, device, key)
    assert answer.status_code == 201
    assert bring(service, device, key).json() == answer.json()
    service.clock.advance(KEY_OVERLAP.total_seconds() - 1)
    assert [who(service, one).status_code for one in (device, after)] == [200, 200]
    service.clock.advance(1)
    assert [who(service, one).status_code for one in (device, after)] == [401, 200]


def test_the_previous_key_brings_no_next_one(service: ScanService) -> None:
    device, key = service.pharmacy, sm2.PrivateKey.generate()
    bring(service, device, key)
    answer = bring(service, device, sm2.PrivateKey.generate())
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    following = TerminalDevice(device.serial_number, service.clock, key)
    assert bring(service, following, sm2.PrivateKey.generate()).status_code == 201


def test_a_next_key_needs_its_own_proof(service: ScanService) -> None:
    device, key = service.pharmacy, sm2.PrivateKey.generate()
    public_key = compressed(key)
    for proof in (
        prove(device.key, next_key_bytes(device.serial_number, public_key)),
        prove(key, next_key_bytes(service.hospital.serial_number, public_key)),
        prove(key, enrolment_bytes(device.serial_number, "", public_key)),
    ):
        assert bring(service, device, key, proof=proof).status_code == 422
    assert who(service, TerminalDevice(device.serial_number, service.clock, key)).status_code == 401


def test_revoked_keys_are_dead_and_enrolling_anew_brings_the_terminal_back(
    service: ScanService,
) -> None:
    device, key = service.pharmacy, sm2.PrivateKey.generate()
    after = TerminalDevice(device.serial_number, service.clock, key)
    bring(service, device, key)
    service.bureau.perform(RevokeTerminalKeys(device.serial_number), service.bureau.checker)
    service.registry.refresh()
    assert [who(service, one).status_code for one in (device, after)] == [401, 401]
    assert bring(service, after, sm2.PrivateKey.generate()).status_code == 401
    code = service.bureau.enrolment_code(device.serial_number, PHARMACY_CODE)
    fresh = TerminalDevice(device.serial_number, service.clock)
    assert enrol(service, fields_of(fresh, code)).status_code == 201
    assert [who(service, one).status_code for one in (device, after, fresh)] == [401, 401, 200]


def test_a_request_signed_by_a_key_revoked_a_moment_ago_brings_no_next_key(
    service: ScanService,
) -> None:
    """The registry does not know yet; the kernel reads the row anew."""
    device = service.pharmacy
    service.bureau.perform(RevokeTerminalKeys(device.serial_number), service.bureau.checker)
    answer = bring(service, device, sm2.PrivateKey.generate())
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


# What outsiders can tell apart: nothing.


def test_unknown_suspended_and_wrongly_signed_look_alike_to_outsiders(
    service: ScanService,
) -> None:
    suspended, revoked = service.hospital, service.enrol(PHARMACY_CODE, 0xC7)
    service.bureau.perform(SuspendTerminal(suspended.serial_number), service.bureau.checker)
    service.bureau.perform(RevokeTerminalKeys(revoked.serial_number), service.bureau.checker)
    service.registry.refresh()
    serials = {
        "unknown": b"\x00nobody!",
        "suspended": suspended.serial_number,
        "revoked": revoked.serial_number,
        "in service": service.pharmacy.serial_number,
    }
    answers = {
        name: who(service, TerminalDevice(serial, service.clock))
        for name, serial in serials.items()
    }
    seen = {(answer.status_code, answer.content) for answer in answers.values()}
    assert len(seen) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers.values()}) == 1
    assert {answer.status_code for answer in answers.values()} == {401}


def test_the_eleventh_failure_in_one_name_waits_and_the_terminal_itself_never(
    service: ScanService,
) -> None:
    device = service.pharmacy
    impostor = TerminalDevice(device.serial_number, service.clock)
    statuses = [who(service, impostor).status_code for _ in range(REFUSALS_MAX + 2)]
    assert statuses == [401] * REFUSALS_MAX + [429, 429]
    assert who(service, device).status_code == 200
    assert who(service, TerminalDevice(b"\x00other!!", service.clock)).status_code == 401
    service.clock.advance(60)
    assert who(service, impostor).status_code == 401


def test_failures_in_many_names_fill_no_memory(service: ScanService) -> None:
    limit = service.services.authentication._failures
    limit._names_max = 100
    for number in range(300):
        who(service, TerminalDevice((0x10000 + number).to_bytes(8), service.clock))
    assert len(limit._refused_at) <= 100


# Each operation on terminals, by each kind of caller, aimed at somebody else's terminal.


def _foreign_key(service: ScanService, caller: TerminalDevice) -> httpx2.Response:
    """A next key for the hospital's terminal, in a request that the caller signs as itself."""
    key = sm2.PrivateKey.generate()
    foreign = service.hospital.serial_number
    public_key = compressed(key)
    proof = prove(key, next_key_bytes(foreign, public_key))
    return bring(service, caller, key, proof=proof)


def _named_foreign(service: ScanService, caller: TerminalDevice) -> httpx2.Response:
    impostor = TerminalDevice(service.hospital.serial_number, service.clock, caller.key)
    return bring(service, impostor, sm2.PrivateKey.generate())


def _foreign_enrolment(service: ScanService, caller: TerminalDevice) -> httpx2.Response:
    own = service.bureau.enrolment_code(SERIAL, PHARMACY_CODE)
    foreign = TerminalDevice(service.hospital.serial_number, service.clock, caller.key)
    return enrol(service, fields_of(foreign, own))


def _foreign_read(service: ScanService, caller: TerminalDevice) -> httpx2.Response:
    impostor = TerminalDevice(service.hospital.serial_number, service.clock, caller.key)
    return who(service, impostor)


OPERATIONS = {
    "a next key for a foreign terminal": _foreign_key,
    "a next key in a foreign name": _named_foreign,
    "an enrolment of a foreign terminal": _foreign_enrolment,
    "what a foreign terminal may do": _foreign_read,
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("caller", ["the same institution", "another institution", "nobody"])
def test_no_terminal_does_anything_to_another(
    service: ScanService, operation: str, caller: str
) -> None:
    callers = {
        "the same institution": lambda: service.enrol("H44060400001", 0xC8),
        "another institution": lambda: service.pharmacy,
        "nobody": lambda: TerminalDevice(b"\x00nobody!", service.clock),
    }
    device = callers[caller]()
    before = _hospital_row(service)
    answer = OPERATIONS[operation](service, device)
    assert answer.status_code in {401, 403, 422}
    assert "institution_code" not in answer.text
    assert _hospital_row(service) == before


def _hospital_row(service: ScanService) -> object:
    with service.bureau.store.read() as tx:
        return institutions.terminal_by_serial(tx, service.hospital.serial_number)


@pytest.mark.parametrize("target", [KEYS, "/v1/terminal"])
def test_a_holders_session_is_no_terminal(service: ScanService, target: str) -> None:
    browser = service.signed_in()
    method = "POST" if target == KEYS else "GET"
    assert browser.request(method, target).status_code == 401


# What an institution may scan for.


def test_a_terminal_scans_for_what_its_own_institution_may(service: ScanService) -> None:
    service.bureau.decide(ChangeBusinessTypes(PHARMACY_CODE, frozenset({"02122"})))
    service.registry.refresh()
    view = who(service, service.pharmacy).json()
    assert [one["code"] for one in view["business_types"]] == ["02122"]
    answer = service.scan(service.pharmacy, service.mint())
    assert (answer.status_code, answer.json()["code"]) == (403, "business_type_not_allowed")
    other = service.scan(service.pharmacy, service.mint(), business_type="02122")
    assert other.json()["outcome"] == "accepted"
    service.bureau.decide(ChangeBusinessTypes(PHARMACY_CODE, None))
    service.registry.refresh()
    assert service.scan(service.pharmacy, service.mint()).json()["outcome"] == "accepted"


def test_the_kernel_refuses_what_the_registry_does_not_know_yet(service: ScanService) -> None:
    service.bureau.decide(ChangeBusinessTypes(PHARMACY_CODE, frozenset()))
    answer = service.scan(service.pharmacy, service.mint())
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_a_stale_registry_is_a_503_and_a_tampered_row_calls_for_attention(
    service: ScanService, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert service.http.get("/readyz").json() == {"status": "ready"}
    with service.bureau.store.write() as tx:
        named = schema.terminals.c.serial_number == service.hospital.serial_number
        tx.connection.execute(schema.terminals.update().where(named).values(version=7))
    service.registry.refresh()
    assert service.http.get("/readyz").json() == {"status": "attention"}
    assert who(service, service.hospital).status_code == 401
    assert who(service, service.pharmacy).status_code == 200
    monkeypatch.setattr(service.registry, "_monotonic", lambda: 1e6)
    answer = who(service, service.pharmacy)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert service.http.get("/readyz").status_code == 503
