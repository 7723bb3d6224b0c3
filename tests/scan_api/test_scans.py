import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from scan_service import PURCHASE, REGISTRATION, ScanService, TerminalDevice, tampered

from card_core.codes import AMOUNT_FEN_MAX, CODE_LIFE_SECONDS, CODE_TEXT_MAX, ONLINE_SKEW_SECONDS
from card_core.identity import Sex
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.store import scans
from card_core.verdicts import Reason
from scan_api.refusal_limit import REFUSALS_MAX


def recorded(service: ScanService) -> int:
    with service.bureau.store.read() as tx:
        return len(scans.of_holder(tx, service.person.holder_id))


def test_a_fresh_code_is_accepted_with_the_full_holder_at_registration(
    service: ScanService,
) -> None:
    answer = service.scan(service.hospital, service.mint())
    verdict = answer.json()
    assert answer.status_code == 200
    assert (verdict["outcome"], verdict["reason"]) == ("accepted", "accepted")
    shown = {field: value for field, value in verdict["holder"].items() if value is not None}
    assert shown == {
        "view": "full",
        "name": service.person.name,
        "social_security_number": service.person.number,
        "sex": Sex.MALE if int(service.person.number[16]) % 2 else Sex.FEMALE,
    }
    assert verdict["card_state"] == "normal"
    assert verdict["text_zh"] == Reason.ACCEPTED.text_zh
    assert verdict["text_en"] == Reason.ACCEPTED.text_en
    assert all(verdict["next_action"].values())


def test_a_later_desk_sees_the_holder_masked(service: ScanService) -> None:
    holder = service.scan(service.hospital, service.mint(), business_type="01201").json()["holder"]
    assert holder["view"] == "masked"
    assert service.person.name not in holder["name"]
    assert service.person.number not in holder["social_security_number"]


def test_a_second_use_is_refused_everywhere(service: ScanService) -> None:
    code = service.mint()
    assert service.scan(service.hospital, code).json()["outcome"] == "accepted"
    for device in (service.hospital, service.pharmacy):
        verdict = service.scan(device, code).json()
        assert (verdict["outcome"], verdict["reason"]) == ("refused", "already_used")
        assert verdict["holder"] is None


def test_a_tampered_code_is_refused_and_spends_nothing(service: ScanService) -> None:
    code = service.mint()
    assert service.scan(service.pharmacy, tampered(code)).json()["reason"] == "bad_signature"
    assert service.scan(service.pharmacy, code).json()["outcome"] == "accepted"


def test_rubbish_is_a_verdict_with_what_to_do_next(service: ScanService) -> None:
    verdict = service.scan(service.pharmacy, "https://example.test/").json()
    assert verdict["reason"] == "malformed"
    assert verdict["next_action"]["clerk_zh"] == Reason.MALFORMED.next_action.clerk_zh
    assert (verdict["holder"], verdict["card_state"]) == (None, None)


def test_a_code_ends_with_its_life_and_the_skew(service: ScanService) -> None:
    code = service.mint()
    service.clock.advance(CODE_LIFE_SECONDS + ONLINE_SKEW_SECONDS + 1)
    assert service.scan(service.pharmacy, code).json()["reason"] == "expired"


def test_a_loss_refuses_the_very_next_scan(service: ScanService) -> None:
    code = service.mint()
    service.bureau.perform(ReportTemporaryLoss(service.person.card_id), service.person.actor)
    verdict = service.scan(service.pharmacy, code).json()
    assert (verdict["reason"], verdict["card_state"]) == ("card_lost", "temporary_loss")
    assert verdict["holder"] is None


def test_of_two_institutions_that_race_for_one_code_exactly_one_wins(
    service: ScanService,
) -> None:
    for _ in range(5):
        code = service.mint()
        start = threading.Barrier(2)

        def scan(device: TerminalDevice, code: str = code, start: threading.Barrier = start) -> str:
            start.wait()
            return str(service.scan(device, code).json()["reason"])

        with ThreadPoolExecutor(2) as pool:
            reasons = list(pool.map(scan, (service.hospital, service.pharmacy)))
        assert sorted(reasons) == ["accepted", "already_used"]


def test_a_retry_gets_the_same_bytes_and_spends_nothing(service: ScanService) -> None:
    code = service.mint()
    first = service.scan(service.pharmacy, code, request_id="r1")
    again = service.scan(service.pharmacy, code, request_id="r1")
    assert first.json()["outcome"] == "accepted"
    assert again.content == first.content
    assert recorded(service) == 1


def test_a_retry_after_the_code_has_expired_still_gets_its_first_answer(
    service: ScanService,
) -> None:
    code = service.mint()
    first = service.scan(service.pharmacy, code, request_id="r1")
    service.clock.advance(3600)
    again = service.scan(service.pharmacy, code, request_id="r1")
    assert first.json()["outcome"] == "accepted"
    assert again.content == first.content


def test_a_refusal_is_answered_the_same_again_too(service: ScanService) -> None:
    code = tampered(service.mint())
    first = service.scan(service.pharmacy, code, request_id="r1")
    assert service.scan(service.pharmacy, code, request_id="r1").content == first.content


def test_many_retries_at_once_have_one_effect_and_one_answer(service: ScanService) -> None:
    code = service.mint()
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(
                lambda _: service.scan(service.pharmacy, code, request_id="r1").content, range(100)
            )
        )
    assert len(set(answers)) == 1
    assert json.loads(answers[0])["outcome"] == "accepted"
    assert recorded(service) == 1


@pytest.mark.parametrize(
    "changed",
    [{"amount_fen": 1}, {"operator": "0042"}, {"department": "till 3"}, {"code": "7406"}],
)
def test_the_same_request_id_with_another_content_is_refused(
    service: ScanService, changed: dict[str, object]
) -> None:
    code = service.mint()
    service.scan(service.pharmacy, code, request_id="r1")
    answer = service.scan(service.pharmacy, **{"code": code, "request_id": "r1"} | changed)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_conflict")


def test_request_ids_of_two_terminals_do_not_meet(service: ScanService) -> None:
    first = service.scan(service.pharmacy, service.mint(), request_id="r1").json()
    second = service.scan(service.hospital, service.mint(), request_id="r1").json()
    assert first["outcome"] == second["outcome"] == "accepted"
    assert first["scan_id"] != second["scan_id"]


@pytest.mark.parametrize(
    ("business_type", "status", "code"),
    [
        (REGISTRATION, 403, "business_type_not_allowed"),
        ("03131", 403, "business_type_not_allowed"),
        ("99999", 422, "unknown_business_type"),
    ],
)
def test_the_business_type_is_judged_before_any_code_is_looked_at(
    service: ScanService, business_type: str, status: int, code: str
) -> None:
    answers = [
        service.scan(service.pharmacy, text, business_type=business_type)
        for text in (service.mint(), "rubbish")
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (status, code)
    ] * 2
    assert recorded(service) == 0


def test_the_eleventh_worthless_code_in_a_minute_has_to_wait_and_good_ones_go_on(
    service: ScanService,
) -> None:
    for _ in range(REFUSALS_MAX):
        assert service.scan(service.pharmacy, "rubbish").status_code == 200
    answer = service.scan(service.pharmacy, "rubbish")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_refusals")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert service.scan(service.hospital, "rubbish").status_code == 200
    assert service.scan(service.pharmacy, service.mint()).json()["outcome"] == "accepted"
    service.clock.advance(int(answer.headers["Retry-After"]))
    assert service.scan(service.pharmacy, "rubbish").status_code == 200


def test_refusals_of_genuine_codes_do_not_count_as_worthless(service: ScanService) -> None:
    code = service.mint()
    answers = [service.scan(service.pharmacy, code) for _ in range(REFUSALS_MAX + 3)]
    assert {answer.status_code for answer in answers} == {200}


WRONG_FIELDS = [
    ({"code": ""}, "code", "string_too_short"),
    ({"code": "7" * (CODE_TEXT_MAX + 1)}, "code", "string_too_long"),
    ({"code": 7406}, "code", "string_type"),
    ({"code": None}, "code", "string_type"),
    ({"business_type": "2121"}, "business_type", "string_pattern_mismatch"),
    ({"business_type": "０２１２１"}, "business_type", "string_pattern_mismatch"),
    ({"request_id": ""}, "request_id", "string_pattern_mismatch"),
    ({"request_id": "r" * 65}, "request_id", "string_pattern_mismatch"),
    ({"request_id": "r\n"}, "request_id", "string_pattern_mismatch"),
    ({"request_id": "请求"}, "request_id", "string_pattern_mismatch"),
    ({"amount_fen": 0}, "amount_fen", "greater_than_equal"),
    ({"amount_fen": AMOUNT_FEN_MAX + 1}, "amount_fen", "less_than_equal"),
    ({"amount_fen": "100"}, "amount_fen", "int_type"),
    ({"amount_fen": 1.5}, "amount_fen", "int_type"),
    ({"amount_fen": True}, "amount_fen", "int_type"),
    ({"operator": " 0042"}, "operator", "string_pattern_mismatch"),
    ({"operator": "0042\n"}, "operator", "string_pattern_mismatch"),
    ({"operator": "\u202e42"}, "operator", "string_pattern_mismatch"),
    ({"operator": "x" * 65}, "operator", "string_too_long"),
    ({"department": ""}, "department", "string_too_short"),
    ({"surprise": 1}, "surprise", "extra_forbidden"),
    ({"Not A Name": 1}, "?", "extra_forbidden"),
]


@pytest.mark.parametrize(("changed", "field", "kind"), WRONG_FIELDS)
def test_a_wrong_field_is_named_and_its_value_is_not_repeated(
    shared_service: ScanService, changed: dict[str, object], field: str, kind: str
) -> None:
    answer = shared_service.scan(
        shared_service.pharmacy, **{"code": shared_service.mint()} | changed
    )  # type: ignore[arg-type]
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_request")
    (error,) = problem["errors"]
    assert (error["field"], error["code"]) == (field, kind)
    assert error["message_zh"]
    assert error["message_en"]


def test_a_missing_field_is_named(shared_service: ScanService) -> None:
    answer = shared_service.pharmacy.scan(
        shared_service.http, code=shared_service.mint(), business_type=PURCHASE
    )
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("request_id", "missing")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b"\xff\xfe", 400, "malformed_json"),
        (b'{"code":"7406"} x', 400, "malformed_json"),
        (b"[" * 10_000 + b"]" * 10_000, 400, "malformed_json"),
        (b'{"code":' * 5_000 + b"1" + b"}" * 5_000, 400, "malformed_json"),
        (b'{"code":"\\ud800"}', 400, "malformed_json"),
        (b"[]", 422, "invalid_request"),
        (b"null", 422, "invalid_request"),
        (b'"7406"', 422, "invalid_request"),
        (b"{}", 422, "invalid_request"),
    ],
)
def test_a_body_that_is_no_scan_is_the_callers_fault(
    shared_service: ScanService, body: bytes, status: int, code: str
) -> None:
    answer = shared_service.pharmacy.post_scan(shared_service.http, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_another_media_type_is_refused(
    shared_service: ScanService, content_type: str | None
) -> None:
    body = b"{}"
    headers = {"Authorization": shared_service.pharmacy.authorization("POST", "/v1/scans", body)}
    if content_type:
        headers["Content-Type"] = content_type
    answer = shared_service.http.post("/v1/scans", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "not_json")
