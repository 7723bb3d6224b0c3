"""The operators' API: a visit at a window over HTTP, and who may ask what."""

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pytest
from bureau import HOLDER_PASSWORD, ISSUER, OPERATOR_PASSWORD, PEPPER, Bureau, signing_key
from card_making import MAKER, TRANSPORT_KEY, CardIssuer, card_issuer
from fastapi.routing import iter_route_contexts
from filing import newcomer, taken, ward_of
from scan_service import BASE_URL
from starlette.testclient import TestClient

from card_core.codes import KeyPurpose
from card_core.identity import Sex
from card_core.kernel.acts.families import OfferECard
from card_core.kernel.acts.filings import WithdrawFiling
from card_core.sign_in import Profile, sign_in_holder
from card_core.states import MakingState
from card_core.store import cards, issuers, makings
from issuance.console.app import create_console
from issuance.console.reference import EXAMPLES
from tests.stranger import card_maker

BRANCH = "440604001"
V1 = "/v1/operator"


class Window:
    """The API over a bureau, and callers with sessions of their own."""

    def __init__(self, bureau: Bureau) -> None:
        self.bureau = bureau
        self.app = create_console(
            bureau.kernel, pepper=PEPPER, profile=Profile.SM, clock=bureau.clock
        )
        self._keys = iter(range(1_000_000))

    def caller(self, token: str = "") -> TestClient:
        client = TestClient(self.app, base_url=BASE_URL, raise_server_exceptions=False)
        if token:
            client.headers["Authorization"] = f"Bearer {token}"
        client.event_hooks = {"request": [self._name], "response": [self._compare]}
        return client

    @cached_property
    def operations(self) -> dict[str, Any]:
        """By its id, what the framework knows of each."""
        found: Any = iter_route_contexts(self.app.routes)
        return {one.operation_id: one for one in found if one.include_in_schema}

    def _name(self, request: Any) -> None:
        if request.method != "GET" and "Idempotency-Key" not in request.headers:
            request.headers["Idempotency-Key"] = f"key-{next(self._keys)}"

    def _compare(self, response: Any) -> None:
        """A good answer has the members that the reference shows; an approval has its act's."""
        if not (response.is_success and response.headers.get("content-type") == "application/json"):
            return
        answer, asked = json.loads(response.read()), response.request
        for name, route in self.operations.items():
            is_asked = asked.method in route.methods and route.path_regex.match(asked.url.path)
            if is_asked and name != "approve":
                assert answer.keys() == EXAMPLES[name].gives.keys(), name

    def sign_in(self, name: str) -> TestClient:
        client = self.caller()
        asked = client.post(f"{V1}/challenges", json={"name": name}).json()
        signature = signing_key(name).sign(bytes.fromhex(asked["challenge"]))
        body = {
            "attempt": asked["attempt"],
            "password": OPERATOR_PASSWORD,
            "signature": signature.hex(),
        }
        opened = client.post(f"{V1}/sign-ins", json=body)
        assert opened.status_code == 201, opened.text
        return self.caller(opened.json()["token"])


@pytest.fixture
def window(bureau: Bureau) -> Window:
    return Window(bureau)


@pytest.fixture
def device(bureau: Bureau) -> CardIssuer:
    return card_issuer(bureau)


def fields(serial: int = 0) -> dict[str, str]:
    one = newcomer(serial)
    return {
        "name": one.name,
        "certificate": "居民身份证",
        "number": one.number.text,
        "sex": "男" if one.sex is Sex.MALE else "女",
        "ethnic_group": "汉族",
        "birth_on": one.birth_on.isoformat(),
        "phone": one.phone,
        "address": one.address,
        "region": one.region,
        "bank": one.bank,
        "branch": BRANCH,
    }


def new(serial: int = 0, **more: Any) -> dict[str, Any]:
    return {"fields": fields(serial), "evidence": "identity_document", **more}


def done(answer: Any) -> Any:
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


def test_a_visit_from_application_to_a_card_in_hand(window: Window, device: CardIssuer) -> None:
    maker, checker = window.sign_in("maker"), window.sign_in("checker")
    proposed = done(maker.post(f"{V1}/blank-cards/receipts", json={"branch": BRANCH, "count": 2}))
    (waiting,) = done(checker.get(f"{V1}/approvals"))["approvals"]
    assert waiting["approval_id"] == proposed["approval_id"]
    body = {"content_hash": waiting["content_hash"]}
    own = maker.post(f"{V1}/approvals/{waiting['approval_id']}/approval", json=body)
    assert (own.status_code, own.json()["code"]) == (403, "same_person")
    done(checker.post(f"{V1}/approvals/{waiting['approval_id']}/approval", json=body))
    filed = done(maker.post(f"{V1}/applications", json=new(mode="at_once")))
    assert filed["state"] == "filed"
    place = f"{V1}/applications/{filed['filing_id']}"
    seen = checker.get(place)
    assert newcomer().name not in seen.text
    assert newcomer().number.text not in seen.text
    assert seen.json()["code"] == "10"
    done(checker.post(f"{place}/acceptance", json={}))
    issued = done(maker.post(f"{place}/card", json={}))
    number = issued["card_number"]
    file = maker.post(f"{V1}/cards/{number}/maker-file", json={"maker": MAKER})
    assert file.status_code == 200, file.text
    found = read_file(window.bureau, device, file.content)
    assert [one.elements["card_number"] for one in found] == [number]
    order = order_of(window.bureau, issued["card_id"])
    content = card_maker.answer(found, batch=order, issuer=ISSUER, failed={}, first_serial=0)
    back = done(maker.post(f"{V1}/maker-returns", content=content))
    assert (back["made"], back["failed"]) == (1, 0)
    again = done(maker.post(f"{V1}/maker-returns", content=content))
    assert again["known"] == 1
    with window.bureau.store.read() as tx:
        making = makings.get(tx, issued["card_id"])
    assert making is not None
    assert making.state is MakingState.MADE_AT_ONCE
    (blanks,) = done(maker.get(f"{V1}/blank-cards"))["branches"]
    assert blanks == {
        "branch": BRANCH, "received": 2, "on_hand": 1, "in_device": 0, "used": 1, "spoiled": 0,
    }  # fmt: skip


def read_file(bureau: Bureau, device: CardIssuer, content: bytes) -> list[card_maker.Card]:
    with bureau.store.read() as tx:
        key = issuers.get_key(tx, ISSUER, 1, KeyPurpose.CARD_ISSUING)
    assert key is not None
    return card_maker.read_file(
        content,
        issuer_key=key.public_key.to_bytes(),
        private_key=device.maker_key.to_bytes(),
        public_key=device.maker_key.public_key().to_bytes(),
        transport_key=TRANSPORT_KEY,
    )


def order_of(bureau: Bureau, card_id: str) -> str:
    with bureau.store.read() as tx:
        making = makings.get(tx, card_id)
    assert making is not None
    assert making.order_id is not None
    return making.order_id


def test_a_batch_of_applications_and_the_reasons_of_refusals(window: Window) -> None:
    maker = window.sign_in("maker")
    done(maker.post(f"{V1}/applications", json=new()))
    twice = maker.post(f"{V1}/applications", json=new())
    assert (twice.status_code, twice.json()["code"]) == (409, "has_open_application")
    assert "在办" in twice.json()["detail_zh"]
    wrong = new(1)
    wrong["fields"] |= {"sex": "x", "phone": "1"}
    faults = maker.post(f"{V1}/applications", json=wrong)
    assert {one["field"] for one in faults.json()["errors"]} == {"sex", "phone"}
    unknown = maker.post(f"{V1}/applications", json={"fields": {"name": "张三"}})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "invalid_request")
    assert "张三" not in unknown.text
    with window.bureau.store.read() as tx:
        card = cards.get(tx, window.bureau.person().card_id)
    assert card is not None
    body = {
        "card_number": card.card_number, "kind": "replacement", "evidence": "identity_document",
    }  # fmt: skip
    refused = maker.post(f"{V1}/applications/next", json=body)
    assert refused.json()["code"] == "not_lost"
    taken_in = done(maker.post(f"{V1}/applications/batches", json={"name": "窗口"}))
    assert (taken_in["accepted"], taken_in["chunks"]) == (1, 1)
    assert window.bureau.approve(taken_in)["state"] == "released"


def test_a_retry_under_its_key_does_nothing_twice(window: Window) -> None:
    maker = window.sign_in("maker")
    key = {"Idempotency-Key": '"one"'}
    first = maker.post(f"{V1}/applications", json=new(), headers=key)
    again = maker.post(f"{V1}/applications", json=new(), headers=key)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    other = maker.post(f"{V1}/applications", json=new(1), headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    none = maker.post(f"{V1}/applications", json=new(1), headers={"Idempotency-Key": "?"})
    assert (none.status_code, none.json()["code"]) == (400, "idempotency_key_needed")
    (one,) = done(maker.get(f"{V1}/applications?state=accepted"))["applications"]
    assert one["application_id"] == first.json()["filing_id"]


def test_a_sign_in_is_answered_once_by_the_right_key(window: Window) -> None:
    client = window.caller()

    def attempt(name: str, signed_by: str, password: str = OPERATOR_PASSWORD) -> Any:
        asked = client.post(f"{V1}/challenges", json={"name": name}).json()
        signature = signing_key(signed_by).sign(bytes.fromhex(asked["challenge"]))
        return {
            "attempt": asked["attempt"], "password": password, "signature": signature.hex(),
        }  # fmt: skip

    for body in (
        attempt("maker", "checker"),
        attempt("maker", "maker", "wrong"),
        attempt("nobody", "maker"),
        {"attempt": "0" * 32, "password": OPERATOR_PASSWORD},
    ):
        refused = client.post(f"{V1}/sign-ins", json=body)
        assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_refused")
    good = attempt("maker", "maker")
    opened = client.post(f"{V1}/sign-ins", json=good)
    assert opened.status_code == 201
    assert client.post(f"{V1}/sign-ins", json=good).status_code == 401
    late = attempt("maker", "maker")
    window.bureau.clock.advance(60)
    assert client.post(f"{V1}/sign-ins", json=late).status_code == 401
    maker = window.caller(opened.json()["token"])
    assert maker.get(f"{V1}/applications").status_code == 200
    assert maker.delete(f"{V1}/sign-ins").status_code == 204
    assert maker.get(f"{V1}/applications").status_code == 401


ID = "0" * 32
HASH = "0" * 64
NEXT = {"card_number": "GD0000001", "kind": "exchange", "evidence": "identity_document"}
GUARDIAN = {
    "ward_id": ID, "guardian_id": "1" * 32, "evidence": "household_register", "reference": "1",
}  # fmt: skip
PLACE = {"code": "P44060499999", "name": "药店", "kind": "pharmacy", "region": "440604"}
# Of each operation: method, target, body, and which roles get beyond "you may not".
MAKER_ONLY, CHECKER_ONLY = {"maker"}, {"checker"}
BOTH = MAKER_ONLY | CHECKER_ONLY
WHO_WORKS = BOTH | {"administrator"}
WHO_PROPOSES = MAKER_ONLY | {"administrator"}
WHO_READS_FIGURES = WHO_WORKS | {"auditor"}
OPERATIONS: dict[str, tuple[str, str, Any, set[str]]] = {
    "listApplications": ("GET", "/applications", None, BOTH),
    "getApplication": ("GET", f"/applications/{ID}", None, BOTH),
    "fileApplication": ("POST", "/applications", new(7), MAKER_ONLY),
    "fileNextApplication": ("POST", "/applications/next", NEXT, MAKER_ONLY),
    "acceptApplication": ("POST", f"/applications/{ID}/acceptance", {}, CHECKER_ONLY),
    "refuseApplication": (
        "POST", f"/applications/{ID}/refusal", {"reason": "data_wrong"}, CHECKER_ONLY,
    ),
    "withdrawApplication": ("POST", f"/applications/{ID}/withdrawal", {}, MAKER_ONLY),
    "issueAtOnce": ("POST", f"/applications/{ID}/card", {}, MAKER_ONLY),
    "batchApplications": ("POST", "/applications/batches", {"name": "x"}, MAKER_ONLY),
    "writeMakerFile": ("POST", "/cards/GD0000001/maker-file", {"maker": "M01"}, MAKER_ONLY),
    "takeMakerReturn": ("POST", "/maker-returns", {}, MAKER_ONLY),
    "listBlankCards": ("GET", "/blank-cards", None, BOTH),
    "proposeBlanks": (
        "POST", "/blank-cards/receipts", {"branch": BRANCH, "count": 1}, MAKER_ONLY,
    ),
    "proposeWriteOff": (
        "POST", "/blank-cards/write-offs",
        {"branch": BRANCH, "count": 1, "reason": "damaged"}, MAKER_ONLY,
    ),
    "proposeGuardian": ("POST", "/guardianships", GUARDIAN, MAKER_ONLY),
    "endGuardianship": ("DELETE", f"/guardianships/{ID}", None, MAKER_ONLY),
    "endFamilyMember": ("DELETE", f"/family-members/{ID}", None, MAKER_ONLY),
    "listApprovals": ("GET", "/approvals", None, BOTH | {"administrator", "security"}),
    "beginRoster": ("POST", "/rosters", {"file_name": "a.csv", "size": 9}, MAKER_ONLY),
    "sendRosterPart": ("PUT", f"/rosters/{ID}/content", None, MAKER_ONLY),
    "getRoster": ("GET", f"/rosters/{ID}", None, MAKER_ONLY),
    "listRosterRows": ("GET", f"/rosters/{ID}/rows", None, MAKER_ONLY),
    "getCorrections": ("GET", f"/rosters/{ID}/corrections", None, MAKER_ONLY),
    "importRoster": ("POST", f"/rosters/{ID}/import", {"name": "x"}, MAKER_ONLY),
    "forgetRoster": ("POST", f"/rosters/{ID}/forget", {}, MAKER_ONLY),
    "search": ("POST", "/searches", {"text": "x"}, BOTH),
    "getHolder": ("GET", f"/holders/{ID}", None, BOTH),
    "listActsOnHolder": ("GET", f"/holders/{ID}/acts", None, BOTH),
    "listInstitutions": ("GET", "/institutions", None, WHO_WORKS),
    "listTerminals": ("GET", "/institutions/H44060499999/terminals", None, WHO_WORKS),
    "suspendInstitution": ("POST", "/institutions/H44060499999/suspension", {}, WHO_WORKS),
    "proposeReinstateInstitution": (
        "POST", "/institutions/H44060499999/reinstatement", {}, WHO_PROPOSES,
    ),
    "listBusinessTypes": ("GET", "/business-types", None, WHO_WORKS),
    "proposeInstitution": ("POST", "/institutions", PLACE, WHO_PROPOSES),
    "proposeBusinessTypes": (
        "POST", "/institutions/H44060499999/business-types", {"business_types": []}, WHO_PROPOSES,
    ),
    "proposeEnrolment": (
        "POST", "/institutions/H44060499999/terminals", {"serial_number": "1" * 16}, WHO_PROPOSES,
    ),
    "withdrawEnrolment": ("POST", f"/terminals/{'1' * 16}/withdrawal", {}, WHO_WORKS),
    "revokeTerminalKeys": ("POST", f"/terminals/{'1' * 16}/revocation", {}, WHO_WORKS),
    "listStatusKeys": ("GET", "/status-keys", None, WHO_WORKS),
    "suspendTerminal": ("POST", f"/terminals/{'1' * 16}/suspension", {}, WHO_WORKS),
    "proposeReinstateTerminal": (
        "POST", f"/terminals/{'1' * 16}/reinstatement", {}, WHO_PROPOSES,
    ),
    "getFigures": ("GET", "/figures", None, WHO_READS_FIGURES),
    "getFiguresFile": ("GET", "/figures/file", None, WHO_READS_FIGURES),
    "getScanFigures": ("GET", "/scan-figures", None, WHO_READS_FIGURES),
    "listBatches": ("GET", "/batches", None, BOTH),
    "getBatch": ("GET", f"/batches/{ID}", None, BOTH),
    "getBatchProgress": ("GET", f"/batches/{ID}/progress", None, BOTH),
    "issueBatch": ("POST", f"/batches/{ID}/issue", {}, MAKER_ONLY),
    "pauseBatch": ("POST", f"/batches/{ID}/pause", {}, BOTH),
    "resumeBatch": ("POST", f"/batches/{ID}/resumption", {}, BOTH),
    "proposeCancelBatch": ("POST", f"/batches/{ID}/cancellation", {}, MAKER_ONLY),
    "approve": ("POST", f"/approvals/{ID}/approval", {"content_hash": HASH}, BOTH),
    "reject": ("POST", f"/approvals/{ID}/rejection", {}, BOTH),
}  # fmt: skip
SESSIONS = {
    "askChallenge", "signIn", "askTicket", "signInByTicket", "signOut", "getSession", "keepSession",
}  # fmt: skip


def operation_ids(app: Any) -> Iterator[str]:
    for methods in app.openapi()["paths"].values():
        for operation in methods.values():
            yield operation["operationId"]


def test_the_table_covers_every_operation(window: Window) -> None:
    found = list(operation_ids(window.app))
    assert sorted(found) == sorted([*OPERATIONS, *SESSIONS])


def test_nobody_and_no_holder_gets_in(window: Window) -> None:
    person = window.bureau.person()
    holder_token = holder_session(window, person.number)
    for caller in (window.caller(), window.caller("nonsense"), window.caller(holder_token)):
        for name, (method, target, body, _) in OPERATIONS.items():
            answer = caller.request(method, V1 + target, json=body)
            assert (answer.status_code, answer.json()["code"]) == (401, "session_ended"), name


def holder_session(window: Window, number: str) -> str:
    return sign_in_holder(window.bureau.kernel, number, HOLDER_PASSWORD, pepper=PEPPER).token


@pytest.mark.parametrize("role", ["maker", "checker", "administrator", "security", "auditor"])
def test_each_role_does_what_is_its_own(window: Window, role: str) -> None:
    caller = window.sign_in(role)
    for name, (method, target, body, may) in OPERATIONS.items():
        answer = caller.request(method, V1 + target, json=body)
        told = answer.json().get("code") if answer.status_code >= 400 else "ok"
        if name in {"approve", "reject", "writeMakerFile", "takeMakerReturn"}:
            # What is named there is found missing, or over, before the role is asked for.
            assert answer.status_code in {403, 404, 409, 422}, (name, answer.text)
        elif role in may:
            assert told != "not_allowed", (name, answer.text)
        else:
            assert told == "not_allowed", (name, answer.text)


def test_guardians_and_members_are_ended_at_the_window(window: Window) -> None:
    bureau = window.bureau
    mother, father = bureau.people(2)
    ward = ward_of(bureau, mother)
    maker, checker = window.sign_in("maker"), window.sign_in("checker")
    body = GUARDIAN | {"ward_id": ward.holder_id, "guardian_id": mother.holder_id}
    proposed = done(maker.post(f"{V1}/guardianships", json=body))
    place = f"{V1}/approvals/{proposed['approval_id']}/approval"
    bound = done(checker.post(place, json={"content_hash": proposed["content_hash"]}))
    ended = maker.delete(f"{V1}/guardianships/{bound['guardianship_id']}")
    assert done(ended)["state"] == "ended"
    member_id = taken(bureau, bureau.perform(OfferECard(), mother.actor), father)
    assert done(maker.delete(f"{V1}/family-members/{member_id}"))["state"] == "ended"


def test_an_unexpected_error_tells_nothing(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("张三 440604198001010013")

    maker = window.sign_in("maker")
    monkeypatch.setattr(WithdrawFiling, "apply", fail)
    answer = maker.post(f"{V1}/applications/{ID}/withdrawal", json={})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "张三" not in json.dumps(answer.json(), ensure_ascii=False)
