"""A holder of one issuer at another one's counter: two real installations on loopback."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from bureau import ISSUER, MemorySigner
from region import NEIGHBOUR, PEER, Region, fresh, name
from scan_service import tampered

from card_core import receipts
from card_core.codes import KeyPurpose, KeyState
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.signing import SigningKey
from card_core.store import audit, issuers
from crypto import sm2
from scan_api.issuers import asking, channel
from scan_api.issuers.asking import ASKED_AT_ONCE_MAX, LEFT_ALONE_SECONDS
from scan_api.issuers.signatures import NONCE_BYTES, Question, authorization

TARGET = "/v1/peer-scans"


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an issuer is away it is cut off; one that is there may be on a busy machine."""
    monkeypatch.setattr(asking, "ANSWER_SECONDS", 10)
    monkeypatch.setattr(channel, "ANSWER_SECONDS", 10)
    monkeypatch.setattr(asking, "ALL_SECONDS", 30)


def test_a_neighbours_holder_is_served_once_and_sees_where(region: Region) -> None:
    code = region.theirs.mint()
    accepted = region.scan(code)
    person = region.theirs.person
    assert (accepted["outcome"], accepted["reason"]) == ("accepted", "accepted")
    shown = accepted["holder"]
    assert (shown["name"], shown["social_security_number"]) == (person.name, person.number)
    # The receipt is the card's issuer's own, and names our terminal.
    with region.theirs.bureau.store.read() as tx:
        keys = [
            receipts.ReceiptKey(key.issuer, key.number, key.public_key, key.state)
            for key in issuers.keys_of(tx, NEIGHBOUR, KeyPurpose.RECEIPT)
        ]
    receipt = receipts.verify_receipt(receipts.from_text(accepted["receipt"]), keys)
    assert (receipt.issuer, receipt.terminal) == (
        NEIGHBOUR,
        region.ours.hospital.serial_number,
    )
    assert receipt.pseudonym.hex() == accepted["pseudonym"]
    assert accepted["visit"] is None
    assert accepted["card_state"] == "normal"
    again = region.scan(code)
    assert (again["reason"], again["holder"]) == ("already_used", None)
    at_home = region.theirs.scan(region.theirs.hospital, code).json()
    assert at_home["reason"] == "already_used"
    seen = region.theirs.signed_in().get("/v1/holder/scans").json()["scans"]
    named = {scan["institution_name"] for scan in seen}
    assert named == {"机构161"}
    for service in (region.ours, region.theirs):
        with service.bureau.store.read() as tx:
            audit.verify_chain(tx, "scan")
            audit.verify_rows(tx)
            audit.verify_scans(tx)


def test_the_neighbours_database_is_the_truth(region: Region) -> None:
    code = region.theirs.mint()
    person = region.theirs.person
    region.theirs.bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    lost = region.scan(code)
    assert (lost["reason"], lost["card_state"], lost["holder"]) == (
        "card_lost",
        "temporary_loss",
        None,
    )


def test_a_neighbours_code_is_checked_here_before_anybody_is_asked(region: Region) -> None:
    code = region.theirs.mint()
    assert region.scan(tampered(code))["reason"] == "bad_signature"
    region.ours.clock.advance(66)
    assert region.scan(code)["reason"] == "expired"
    assert region.network.requests == []


def test_a_retry_gets_the_same_answer_and_spends_nothing(region: Region) -> None:
    code = region.theirs.mint()
    first = region.scan(code, request_id="till-1")
    assert region.scan(code, request_id="till-1") == first
    assert first["outcome"] == "accepted"
    assert region.spent_there() == 1


def test_a_lost_answer_is_asked_for_again_by_the_same_id(region: Region) -> None:
    region.network.losing = 1
    assert region.scan(region.theirs.mint())["outcome"] == "accepted"
    ids = {json.loads(request.content)["request_id"] for request in region.network.requests}
    nonces = {request.headers["Authorization"] for request in region.network.requests}
    assert (len(ids), len(nonces)) == (1, 2)
    assert region.spent_there() == 1


def test_a_peer_that_is_away_is_a_refusal_and_is_left_alone_for_a_moment(region: Region) -> None:
    seconds = [100.0]
    region.ours.peers._monotonic = lambda: seconds[0]
    region.network.cut = True
    code = region.theirs.mint()
    refused = region.scan(code, request_id="till-1")
    assert (refused["outcome"], refused["reason"]) == ("refused", "issuer_unreachable")
    assert refused["next_action"]["clerk_en"]
    asked = len(region.network.requests)
    region.network.cut = False
    assert region.scan(code)["reason"] == "issuer_unreachable"
    assert len(region.network.requests) == asked
    seconds[0] += LEFT_ALONE_SECONDS
    assert region.scan(code, request_id="till-1") == refused
    assert region.scan(region.theirs.mint())["outcome"] == "accepted"


def test_our_own_holders_do_not_wait_for_the_neighbour(region: Region) -> None:
    region.network.cut = True
    assert region.scan(region.theirs.mint())["reason"] == "issuer_unreachable"
    assert region.scan(region.ours.mint())["outcome"] == "accepted"


def test_no_more_are_asked_at_once_than_there_is_room_for(region: Region) -> None:
    places = region.ours.peers._places
    for _ in range(ASKED_AT_ONCE_MAX):
        assert places.acquire(blocking=False)
    assert region.scan(region.theirs.mint())["reason"] == "issuer_unreachable"
    assert region.network.requests == []
    places.release(ASKED_AT_ONCE_MAX)
    assert region.scan(region.theirs.mint())["outcome"] == "accepted"


ANSWERS: dict[str, dict[str, Any]] = {
    "another verdict": {"body": b'{"outcome": "accepted"}'},
    "no signature": {"headers": {}},
    "garbage for a signature": {"headers": {"SSCARD-Signature": 'issuer="2"'}},
    "a failure": {"status": 503},
    "a redirect": {"status": 302, "headers": {"Location": "http://127.0.0.1/"}},
    "too much": {"body": b"x" * 100_000},
}


@pytest.mark.parametrize("how", ANSWERS)
def test_an_answer_that_the_issuer_did_not_sign_is_no_answer(region: Region, how: str) -> None:
    region.network.replacing = ANSWERS[how]
    assert region.scan(region.theirs.mint())["reason"] == "issuer_unreachable"


def test_the_answer_to_another_question_is_no_answer(region: Region) -> None:
    """Signed by the issuer, and about another code: somebody on the way kept it."""
    kept: list[tuple[Any, bytes]] = []
    handle = region.network.handle_request

    def swap(request: httpx2.Request) -> httpx2.Response:
        response = handle(request)
        kept.append((response.headers, response.read()))
        return fresh(200, *kept[0])

    region.network.handle_request = swap  # type: ignore[method-assign]
    assert region.scan(region.theirs.mint())["outcome"] == "accepted"
    assert region.scan(region.theirs.mint())["reason"] == "issuer_unreachable"


@pytest.mark.parametrize("state", [KeyState.PENDING, KeyState.REVOKED])
def test_keys_that_the_list_revokes_count_for_nothing(region: Region, state: KeyState) -> None:
    code = region.theirs.mint()
    region.trust_each_other(state=state)
    assert region.scan(code)["reason"] == "key_not_active"


def test_who_is_not_in_their_list_is_not_answered_and_who_is_not_in_ours_not_asked(
    region: Region,
) -> None:
    region.trust_each_other(theirs=False)
    assert region.scan(region.theirs.mint())["reason"] == "issuer_unreachable"
    assert len(region.network.requests) == 2
    region.trust_each_other(ours=False)
    assert region.scan(region.theirs.mint())["reason"] == "unknown_key"
    assert len(region.network.requests) == 2


@dataclass
class Impostor:
    """Asks the neighbour by hand."""

    region: Region

    def ask(
        self, *, signer: MemorySigner | None = None, body: bytes | None = None, **other: Any
    ) -> tuple[int, str]:
        ours = self.region.ours.bureau
        asked: dict[str, Any] = {
            "method": "POST",
            "target": TARGET,
            "asking": ISSUER,
            "asked": NEIGHBOUR,
            "signed_at": int(ours.clock().timestamp()),
            "nonce": ours.kernel.random_bytes(NONCE_BYTES),
            "body": self.body(),
        }
        key = SigningKey(1, signer or ours.keys.signer(name(ours, PEER)))
        header = authorization(Question(**{**asked, **other}), key)
        headers = {"Authorization": header, "Content-Type": "application/json"}
        answer = httpx2.post(
            self.region.url + TARGET, content=body or asked["body"], headers=headers
        )
        return answer.status_code, answer.json().get("code") or answer.json()["reason"]

    def body(self, **fields: Any) -> bytes:
        usual = {
            "code": self.region.theirs.mint(),
            "business_type": "01101",
            "request_id": self.region.ours.bureau.request_id(),
            "institution_code": "H44060400001",
            "institution_name": "邻市医院",
            "institution_kind": "hospital",
            "terminal": "00000000000000a1",
        }
        return json.dumps({**usual, **fields}).encode()


def test_only_the_asking_issuers_own_fresh_signature_for_this_issuer_counts(
    region: Region,
) -> None:
    impostor = Impostor(region)
    nobody = (401, "peer_not_authenticated")
    now = int(region.ours.clock().timestamp())
    assert impostor.ask() == (200, "accepted")
    code_key = region.ours.bureau.keys.signer(name(region.ours.bureau, KeyPurpose.CODE_SIGNING))
    stranger = MemorySigner(sm2.PrivateKey.generate())
    for how in (
        {"signer": stranger},
        {"signer": code_key},
        {"asking": 3},
        {"asked": 3},
        {"method": "PUT"},
        {"target": "/v1/scans"},
        {"body": impostor.body()},
    ):
        assert impostor.ask(**how) == nobody, how
    for seconds in (-301, 301):
        assert impostor.ask(signed_at=now + seconds) == (401, "clock_off")
    same = {"nonce": bytes(NONCE_BYTES)}
    assert impostor.ask(**same) == (200, "accepted")
    assert impostor.ask(**same)[0] == 401


def test_what_an_asking_issuer_may_not_ask(region: Region) -> None:
    impostor = Impostor(region)

    def ask(**fields: Any) -> tuple[int, str]:
        body = impostor.body(**fields)
        key = SigningKey(1, region.ours.bureau.keys.signer(name(region.ours.bureau, PEER)))
        question = Question(
            "POST",
            TARGET,
            ISSUER,
            NEIGHBOUR,
            int(region.ours.clock().timestamp()),
            region.ours.bureau.kernel.random_bytes(NONCE_BYTES),
            body,
        )
        headers = {
            "Authorization": authorization(question, key),
            "Content-Type": "application/json",
        }
        answer = httpx2.post(region.url + TARGET, content=body, headers=headers)
        return answer.status_code, answer.json().get("code") or answer.json()["reason"]

    assert ask(business_type="02121") == (403, "business_type_not_allowed")
    assert ask(business_type="99999") == (422, "unknown_business_type")
    assert ask(institution_kind="castle") == (403, "business_type_not_allowed")
    assert ask(institution_name="a\nb") == (422, "invalid_request")
    assert ask(terminal="xyz") == (422, "invalid_request")
    assert ask(extra=1) == (422, "invalid_request")
    # A code of a third issuer, or of the one that asks, is not theirs to judge.
    region.theirs.key_ring.refresh()
    assert ask(code=region.ours.mint()) == (200, "unknown_key")


def test_the_trust_list_is_there_for_whoever_asks(region: Region) -> None:
    http = region.ours.http
    answer = http.get("/v1/issuers/trust-list")
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"1"'
    assert "trust_list" in answer.json()
    unchanged = http.get("/v1/issuers/trust-list", headers={"If-None-Match": '"1"'})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    region.ours.clock.now += timedelta(days=31)
    expired = http.get("/v1/issuers/trust-list")
    assert (expired.status_code, expired.json()["code"]) == (404, "no_trust_list")
