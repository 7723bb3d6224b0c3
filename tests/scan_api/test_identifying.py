"""Codes signed for identifying only, over HTTP, with a real Redis; two applications at once."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from bureau import Person, receipt_keys
from identifying import Identifying, prepared_bureau, serving, until
from scan_service import PURCHASE
from servers import redis as redis_servers
from servers.databases import SQLiteDatabases
from servers.redis import RedisServer
from sqlalchemy import update

from card_core import receipts
from card_core.errors import TamperedRowError
from card_core.kernel.acts.cards import ReportTemporaryLoss, WithdrawTemporaryLoss
from card_core.store import FieldCipher, audit, scans
from card_core.store.schema import cards
from card_core.store.schema import scans as table


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"), "save ''")
    with redis_servers.running(server):
        yield server


@pytest.fixture(scope="module")
def desks(
    tmp_path_factory: pytest.TempPathFactory,
    sqlite_databases: SQLiteDatabases,
    cipher: FieldCipher,
    redis_server: RedisServer,
) -> Iterator[list[Identifying]]:
    directory = tmp_path_factory.mktemp("identifying")
    with (
        prepared_bureau(directory, sqlite_databases, cipher) as bureau,
        serving(bureau, redis_server.url, apps=2) as found,
    ):
        yield found


@pytest.fixture
def desk(desks: list[Identifying]) -> Identifying:
    return desks[0]


@pytest.fixture
def person(desk: Identifying) -> Person:
    return desk.service.bureau.person()


def records(desk: Identifying, person: Person) -> list[Any]:
    with desk.service.bureau.store.read() as tx:
        return scans.of_holder(tx, person.holder_id)


def spending_commands(server: RedisServer) -> int:
    stats = server.client().info("commandstats")
    return int(stats["cmdstat_evalsha"]["calls"])


def test_a_code_is_accepted_once_and_shows_its_holder(desk: Identifying, person: Person) -> None:
    code = desk.mint(person)
    first = desk.scan(code)
    assert (first["outcome"], first["reason"], first["card_state"]) == (
        "accepted",
        "accepted",
        "normal",
    )
    assert first["holder"] == {
        "view": "full",
        "name": person.name,
        "social_security_number": person.number,
        "sex": "1",
    }
    assert (first["medium"], first["presence"], first["for_whom"]) == (
        "online_code",
        "plain",
        "self",
    )
    assert first["pseudonym"]
    assert (first["receipt"], first["visit"]) == (None, None)
    second = desk.scan(code)
    assert (second["outcome"], second["reason"]) == ("refused", "already_used")
    assert (second["holder"], second["pseudonym"]) == (None, None)
    assert second["scan_id"] != first["scan_id"]


def test_a_later_desk_sees_the_holder_masked_and_by_the_same_pseudonym(
    desk: Identifying, person: Person
) -> None:
    full = desk.scan(desk.mint(person))
    masked = desk.scan(desk.mint(person), business_type="01201")
    assert masked["holder"]["view"] == "masked"
    assert person.name not in masked["holder"]["name"]
    assert masked["pseudonym"] == full["pseudonym"]


def test_such_a_code_moves_no_money(desk: Identifying, person: Person) -> None:
    code = desk.mint(person)
    device = desk.service.pharmacy
    assert desk.scan(code, device, business_type=PURCHASE)["reason"] == "purpose_mismatch"
    assert desk.scan(code)["outcome"] == "accepted"


def test_a_retry_gets_the_same_scan_on_any_worker(desks: list[Identifying], person: Person) -> None:
    code = desks[0].mint(person)
    answers = [one.scan(code, request_id="again") for one in desks for _ in range(2)]
    told = {(one["scan_id"], one["outcome"], one["reason"]) for one in answers}
    assert len(told) == 1
    assert answers[0]["outcome"] == "accepted"
    assert all(one["holder"] == answers[0]["holder"] for one in answers)
    desks[0].recorded(answers[0]["scan_id"])
    assert len(records(desks[0], person)) == 1


def test_the_same_request_id_with_another_word_is_no_retry(
    desk: Identifying, person: Person
) -> None:
    code = desk.mint(person)
    assert desk.scan(code, request_id="words", operator="7")["outcome"] == "accepted"
    assert desk.scan(code, request_id="words", operator="8")["reason"] == "already_used"


def test_a_signed_request_that_is_replayed_gets_nothing(desk: Identifying, person: Person) -> None:
    device = desk.service.hospital
    fields = {"code": desk.mint(person), "business_type": "01101", "request_id": "replayed"}
    body = json.dumps(fields).encode()
    headers = {
        "Authorization": device.authorization("POST", "/v1/scans", body),
        "Content-Type": "application/json",
    }
    first = desk.http.post("/v1/scans", content=body, headers=headers)
    assert first.json()["outcome"] == "accepted"
    desk.recorded(first.json()["scan_id"])
    assert desk.http.post("/v1/scans", content=body, headers=headers).status_code == 401
    assert device.post_scan(desk.http, body).json()["scan_id"] == first.json()["scan_id"]


def test_of_64_that_race_over_two_applications_one_is_accepted(
    desks: list[Identifying], person: Person
) -> None:
    for _ in range(3):
        code = desks[0].mint(person)
        start = threading.Barrier(64)

        def scan(number: int, code: str = code, start: threading.Barrier = start) -> str:
            start.wait()
            return str(desks[number % 2].scan(code, request_id=f"{code[-8:]}-{number}")["reason"])

        with ThreadPoolExecutor(64) as pool:
            reasons = list(pool.map(scan, range(64)))
        assert reasons.count("accepted") == 1
        # Where a busy machine let a lease run out, the answer is another refusal, not another yes.
        assert set(reasons) <= {"accepted", "already_used", "show_new_code"}


def test_a_loss_refuses_the_next_scan_on_every_worker(
    desks: list[Identifying], person: Person
) -> None:
    bureau = desks[0].service.bureau
    assert all(one.scan(one.mint(person))["outcome"] == "accepted" for one in desks)
    shown = [one.mint(person) for one in desks]
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    for one, code in zip(desks, shown, strict=True):
        verdict = one.scan(code)
        assert (verdict["reason"], verdict["card_state"]) == ("card_lost", "temporary_loss")
        assert verdict["holder"] is None
    bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)
    assert [one.scan(code)["outcome"] for one, code in zip(desks, shown, strict=True)] == [
        "accepted",
        "accepted",
    ]


def test_losses_while_the_card_is_scanned_all_day_are_seen_at_once(
    desks: list[Identifying], person: Person
) -> None:
    bureau = desks[0].service.bureau
    for number in range(10):
        codes = [desks[0].mint(person) for _ in range(4)]
        desks[number % 2].scan(codes.pop())
        bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
        assert {one.scan(codes.pop())["reason"] for one in desks} == {"card_lost"}
        bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)
        assert desks[number % 2].scan(codes.pop())["outcome"] == "accepted"


@pytest.mark.alone
def test_the_record_and_its_receipt_follow_within_a_second(
    desk: Identifying, person: Person
) -> None:
    verdict = desk.scan(desk.mint(person), operator="柜员 7")
    seconds = until(lambda: bool(records(desk, person)))
    assert seconds < 1.0
    found = desk.recorded(verdict["scan_id"])
    content = receipts.verify_receipt(
        receipts.from_text(found["receipt"]), receipt_keys(desk.service.bureau.store)
    )
    assert content.scan_id == verdict["scan_id"]
    assert content.pseudonym.hex() == verdict["pseudonym"]
    assert found["clerk_salt"] == verdict["clerk_salt"]
    (scan,) = records(desk, person)
    assert (scan.id, scan.card_id, scan.operator) == (verdict["scan_id"], person.card_id, "柜员 7")
    assert scan.scanned_at.isoformat() == verdict["scanned_at"].replace("Z", "+00:00")


def test_refused_scans_are_on_record_too_and_have_no_receipt(
    desk: Identifying, person: Person
) -> None:
    code = desk.mint(person)
    desk.scan(code)
    refused = desk.scan(code)
    until(lambda: len(records(desk, person)) == 2)
    assert {one.reason.value for one in records(desk, person)} == {"accepted", "already_used"}
    target = f"/v1/scans/{refused['scan_id']}/receipt"
    signature = desk.service.hospital.authorization("GET", target)
    assert desk.http.get(target, headers={"Authorization": signature}).status_code == 404


def test_another_institution_does_not_get_the_receipt(desk: Identifying, person: Person) -> None:
    verdict = desk.scan(desk.mint(person))
    desk.recorded(verdict["scan_id"])
    target = f"/v1/scans/{verdict['scan_id']}/receipt"
    signature = desk.service.pharmacy.authorization("GET", target)
    assert desk.http.get(target, headers={"Authorization": signature}).status_code == 404
    assert desk.http.get(target).status_code == 401


def test_the_audit_log_holds_and_shows_an_edited_record(desk: Identifying, person: Person) -> None:
    verdict = desk.scan(desk.mint(person))
    desk.recorded(verdict["scan_id"])
    store = desk.service.bureau.store
    until(lambda: desk.service.writer.waiting == 0)
    with store.read() as tx:
        audit.verify_chain(tx, "scan")
        assert audit.verify_scans(tx) > 0
    for business_type in ("01201", "01101"):
        with store.write() as tx:
            edit = update(table).where(table.c.id == verdict["scan_id"])
            tx.connection.execute(edit.values(business_type=business_type))
        if business_type == "01201":
            with store.read() as tx, pytest.raises(TamperedRowError):
                audit.verify_scans(tx)


def test_an_accepted_scan_is_one_command_to_redis(
    desk: Identifying, person: Person, redis_server: RedisServer
) -> None:
    desk.scan(desk.mint(person))  # from now on the card is loaded
    codes = [desk.mint(person) for _ in range(20)]
    before = spending_commands(redis_server)
    assert all(desk.scan(code)["outcome"] == "accepted" for code in codes)
    assert spending_commands(redis_server) - before == len(codes)


def test_a_card_is_loaded_once_and_then_read_from_the_fast_store(
    desk: Identifying, person: Person, redis_server: RedisServer
) -> None:
    before = spending_commands(redis_server)
    assert desk.scan(desk.mint(person))["outcome"] == "accepted"
    assert spending_commands(redis_server) - before == 3  # missed, kept, spent


def test_a_record_that_was_tampered_with_is_never_a_yes(
    desk: Identifying, person: Person, redis_server: RedisServer
) -> None:
    client = redis_server.client()
    client_keys = set(client.keys("*:c:*"))
    desk.scan(desk.mint(person))
    (key,) = set(client.keys("*:c:*")) - client_keys
    kept = client.get(key)
    client.set(key, kept[:-1] + bytes([kept[-1] ^ 1]), keepttl=True)
    verdict = desk.scan(desk.mint(person))
    assert (verdict["outcome"], verdict["reason"]) == ("refused", "show_new_code")
    client.set(key, kept, keepttl=True)
    assert desk.scan(desk.mint(person))["outcome"] == "accepted"


def test_a_lost_card_s_state_byte_turned_back_is_no_yes(
    desk: Identifying, person: Person, redis_server: RedisServer
) -> None:
    client = redis_server.client()
    before = set(client.keys("*:c:*"))
    code = desk.mint(person)
    desk.service.bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    assert desk.scan(code)["reason"] == "card_lost"
    (key,) = set(client.keys("*:c:*")) - before
    kept = client.get(key)
    client.set(key, kept[:8] + b"\x01" + kept[9:], keepttl=True)
    assert desk.scan(code)["reason"] == "card_lost"


def test_a_row_that_was_tampered_with_is_no_yes(desk: Identifying, person: Person) -> None:
    code = desk.mint(person)
    with desk.service.bureau.store.write() as tx:
        edit = update(cards).where(cards.c.id == person.card_id)
        tx.connection.execute(edit.values(region="440605"))
    assert desk.post(code).status_code == 500
    with desk.service.bureau.store.write() as tx:
        edit = update(cards).where(cards.c.id == person.card_id)
        tx.connection.execute(edit.values(region="440604"))
    assert desk.scan(code)["outcome"] == "accepted"


def test_nothing_personal_is_in_redis(
    desk: Identifying, person: Person, redis_server: RedisServer
) -> None:
    desk.scan(desk.mint(person))
    client = redis_server.client()
    keys = list(client.scan_iter("sscard:*"))
    cards_kept = [client.get(key) for key in keys if b":c:" in key]
    everything = b"".join([*keys, *cards_kept])
    assert cards_kept
    for secret in (person.name, person.number, person.sign_number, person.holder_id):
        assert secret.encode() not in everything


def test_a_short_code_is_the_same_code(desk: Identifying, person: Person) -> None:
    service = desk.service
    browser = service.signed_in(person)
    shown = browser.post(
        "/v1/holder/codes", json={"purpose_class": "identify_only", "short": True}
    ).json()
    verdict = desk.scan(shown["short_code"]["text"])
    assert (verdict["outcome"], verdict["medium"]) == ("accepted", "short_code")
    assert desk.scan(shown["text"])["reason"] == "already_used"


def test_a_code_of_the_holders_page_identifies(desk: Identifying, person: Person) -> None:
    browser = desk.service.signed_in(person)
    shown = browser.post("/v1/holder/codes", json={"purpose_class": "identify_only"}).json()
    assert desk.scan(shown["text"])["outcome"] == "accepted"


def test_the_service_is_ready(desk: Identifying) -> None:
    assert desk.http.get("/readyz").json() == {"status": "ready"}
