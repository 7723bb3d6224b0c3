import json
import logging
import re
from typing import Any

import pytest
from scan_service import BASE_URL, ScanService

from card_core import errors
from card_core.errors import CardCoreError
from card_core.states import CardState
from scan_api import problems
from scan_api.problems import CATALOGUE, ProblemError
from scan_api.terminals.registry import RegistryStaleError

MEMBERS = ["type", "title", "status", "detail", "code", "title_zh", "detail_zh"]


def test_codes_are_unique_and_texts_are_in_both_languages() -> None:
    codes = [problem.code for problem in CATALOGUE]
    assert len(set(codes)) == len(codes) >= 20
    for problem in CATALOGUE:
        assert re.fullmatch(r"[a-z_]+", problem.code)
        assert 400 <= problem.status < 600
        for chinese in (problem.title_zh, problem.detail_zh):
            assert re.search(r"[一-鿿]", chinese), problem.code
        for english in (problem.title, problem.detail):
            assert english.isascii(), problem.code


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1/scans", 405, "method_not_allowed"),
        ("DELETE", "/v1/terminal", 405, "method_not_allowed"),
        ("POST", "/v1/scans/", 404, "not_found"),
        ("POST", "/v1/scans", 401, "not_authenticated"),
        ("GET", "/v1/holder/card", 401, "sign_in_needed"),
        ("POST", "/v1/holder/codes", 403, "cross_site"),
    ],
)
def test_a_fault_is_a_problem_document(
    shared_service: ScanService, method: str, path: str, status: int, code: str
) -> None:
    answer = shared_service.http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(answer.json())[: len(MEMBERS)] == MEMBERS
    assert answer.json()["status"] == status


def _raised(service: ScanService, monkeypatch: pytest.MonkeyPatch, error: Exception) -> Any:
    """What a holder's page gets when showing the card fails with this error."""

    def fail(*_: object) -> None:
        raise error

    browser = service.signed_in()
    monkeypatch.setattr("scan_api.holders.views.view_card", fail)
    return browser.get("/v1/holder/card")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.NotAllowedError(), 403, "not_allowed"),
        (errors.WrongStateError("card", CardState.LOCKED), 409, "wrong_state"),
        (errors.NotFoundError("card"), 404, "not_found"),
        (errors.InvalidActError("operator", "不对", "is wrong"), 422, "invalid_request"),
        (errors.StoreBusyError(), 503, "not_ready"),
        (errors.StoreConflictError(), 503, "not_ready"),
        (errors.SchemaOutdatedError(), 503, "not_ready"),
        (ProblemError(problems.NOT_READY), 503, "not_ready"),
        # What nobody outside has a use for is a failure of the service.
        (errors.TamperedRowError("cards", "0019canary"), 500, "internal_error"),
        (errors.ApprovalNeededError(), 500, "internal_error"),
        (CardCoreError(), 500, "internal_error"),
        (KeyError("0019canary"), 500, "internal_error"),
    ],
)
def test_each_error_below_has_its_answer(
    service: ScanService,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    code: str,
) -> None:
    answer = _raised(service, monkeypatch, error)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "0019canary" not in answer.text
    if status == 503:
        assert answer.headers["Retry-After"]


def test_where_a_row_was_tampered_with_stands_in_the_log_alone(
    service: ScanService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = _raised(service, monkeypatch, errors.TamperedRowError("cards", "0019canary"))
    assert "0019canary" not in answer.text
    assert "cards" not in answer.text
    assert '"table": "cards", "row_id": "0019canary"' in caplog.text


@pytest.mark.parametrize(
    ("error", "code"),
    [(errors.SchemaOutdatedError(), "schema_outdated"), (RegistryStaleError(), "registry_stale")],
)
def test_why_the_service_was_not_ready_stands_in_the_log_alone(
    service: ScanService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: CardCoreError,
    code: str,
) -> None:
    caplog.set_level(logging.INFO)
    answer = _raised(service, monkeypatch, error)
    assert code not in answer.text
    line = json.loads(caplog.messages[-1])
    assert (line["status"], line["error"]) == (503, code)


def test_a_method_that_is_not_offered_is_told_all_that_are(shared_service: ScanService) -> None:
    for path, allowed in (
        ("/v1/holder/sign-ins", "DELETE, POST"),
        ("/v1/holder/devices", "GET, POST"),
        ("/v1/scans", "POST"),
        ("/healthz", "GET"),
    ):
        answer = shared_service.http.request("TRACE", path)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == allowed


def test_every_answer_is_confined(shared_service: ScanService) -> None:
    for path in ("/", "/holder", "/docs", "/openapi.json", "/healthz", "/v1/terminal", "/nowhere"):
        headers = shared_service.http.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "microphone=()" in headers["Permissions-Policy"]
        assert headers["Strict-Transport-Security"]


def test_transport_security_is_not_claimed_over_plain_http(shared_service: ScanService) -> None:
    answer = shared_service.http.get(BASE_URL.replace("https", "http") + "/healthz")
    assert "Strict-Transport-Security" not in answer.headers


def test_the_service_lives_and_is_ready(shared_service: ScanService) -> None:
    assert shared_service.http.get("/healthz").json() == {"status": "alive"}
    assert shared_service.http.get("/readyz").json() == {"status": "ready"}


def test_it_lives_but_is_not_ready_without_its_database(
    service: ScanService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> bool:
        raise errors.StoreBusyError

    monkeypatch.setattr(type(service.services.store), "is_current", fail)
    answer = service.http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert service.http.get("/healthz").status_code == 200


def test_it_is_not_ready_before_the_database_is_migrated(
    service: ScanService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(service.services.store), "is_current", lambda _: False)
    assert service.http.get("/readyz").status_code == 503
