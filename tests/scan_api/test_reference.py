"""The reference and its document: complete, true to the models, and readable with no network."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from pydantic import BaseModel
from scan_service import ScanService

from card_core.verdicts import Reason
from scan_api import business_types, problems
from scan_api.channels import clerk_examples, clerk_models
from scan_api.channels import examples as channel_examples
from scan_api.channels import models as channel_models
from scan_api.holders import (
    application_models,
    device_examples,
    device_models,
    export_examples,
    export_models,
    family_examples,
    family_models,
)
from scan_api.holders import examples as holder_examples
from scan_api.holders import models as holder_models
from scan_api.issuers import examples as issuer_examples
from scan_api.issuers import models as issuer_models
from scan_api.receipt_checks import examples as receipt_examples
from scan_api.receipt_checks import models as receipt_models
from scan_api.scans import examples as scan_examples
from scan_api.scans import models as scan_models
from scan_api.terminals import examples as terminal_examples
from scan_api.terminals import models as terminal_models
from scan_api.visits import examples as visit_examples
from scan_api.visits import models as visit_models

OPERATIONS = {
    "recordScan": "POST /v1/scans",
    "getReceipt": "GET /v1/scans/{scan_id}/receipt",
    "giveCardChallenge": "POST /v1/card-challenges",
    "recordCardRead": "POST /v1/card-reads",
    "getTerminal": "GET /v1/terminal",
    "listBusinessTypes": "GET /v1/business-types",
    "takeVisitStep": "POST /v1/visit-steps",
    "uploadOfflineScans": "POST /v1/offline-scans",
    "reverseScan": "POST /v1/scans/{scan_id}/reversals",
    "listVisits": "GET /v1/holder/visits",
    "endVisit": "DELETE /v1/holder/visits/{visit_id}",
    "enrolTerminal": "POST /v1/terminals/enrolments",
    "rotateTerminalKey": "POST /v1/terminals/keys",
    "getToken": "POST /v1/oauth/token",
    "getChannel": "GET /v1/channel",
    "openChannelSession": "POST /v1/channel/sessions",
    "endChannelSession": "POST /v1/channel/sessions/end",
    "reportLossAtChannel": "POST /v1/channel/loss-reports",
    "printCode": "POST /v1/channel/printed-codes",
    "seeApplicationsAtChannel": "POST /v1/channel/applications/progress",
    "challengeClerk": "POST /v1/channel/clerk/challenges",
    "openClerkSession": "POST /v1/channel/clerk/sessions",
    "activateAtChannel": "POST /v1/channel/clerk/activations",
    "reportLossByClerk": "POST /v1/channel/clerk/loss-reports",
    "applyAtVisit": "POST /v1/channel/clerk/applications",
    "getBundle": "GET /v1/terminal/bundle",
    "getStatusList": "GET /v1/terminal/status-lists/{issuer}/{day_ends_at}",
    "signIn": "POST /v1/holder/sign-ins",
    "signOut": "DELETE /v1/holder/sign-ins",
    "getCard": "GET /v1/holder/card",
    "getFullIdentity": "GET /v1/holder/card/identity",
    "listScans": "GET /v1/holder/scans",
    "reportScan": "POST /v1/holder/scans/{scan_id}/reports",
    "exportHolder": "POST /v1/holder/exports",
    "mintCode": "POST /v1/holder/codes",
    "reportLoss": "POST /v1/holder/loss-reports",
    "withdrawLoss": "POST /v1/holder/loss-withdrawals",
    "answerPeerScan": "POST /v1/peer-scans",
    "answerPeerStatusList": "GET /v1/peer-status-lists/{day_ends_at}",
    "getTrustList": "GET /v1/issuers/trust-list",
    "checkReceipt": "POST /v1/receipt-checks",
    "listDevices": "GET /v1/holder/devices",
    "registerDevice": "POST /v1/holder/devices",
    "removeDevice": "DELETE /v1/holder/devices/{device_id}",
    "fetchCredentials": "POST /v1/holder/devices/{device_id}/credentials",
    "listApplications": "GET /v1/holder/applications",
    "applyForCard": "POST /v1/holder/applications",
    "withdrawApplication": "DELETE /v1/holder/applications/{application_id}",
    "listFamily": "GET /v1/holder/family",
    "offerECard": "POST /v1/holder/family/offers",
    "takeECard": "POST /v1/holder/family/members",
    "endFamilyMember": "DELETE /v1/holder/family/members/{family_member_id}",
    "showFamilyCode": "POST /v1/holder/family/members/{family_member_id}/codes",
    "reportWardLoss": "POST /v1/holder/family/wards/{guardianship_id}/loss-reports",
    "withdrawWardLoss": "POST /v1/holder/family/wards/{guardianship_id}/loss-withdrawals",
    "startPersonCheck": "POST /v1/holder/person-checks",
    "takePersonCheckResult": "POST /v1/holder/person-checks/results",
    "activateECard": "POST /v1/holder/activations",
    "resetPassword": "POST /v1/holder/password-resets",
    "changePassword": "POST /v1/holder/passwords",
    "listDataUses": "GET /v1/holder/data-uses",
    "setConsent": "POST /v1/holder/data-uses/{data_use}/consents",
    "healthz": "GET /healthz",
    "readyz": "GET /readyz",
}
OPEN_TO_ALL = {
    *("checkReceipt", "signIn", "enrolTerminal", "getToken", "listBusinessTypes"),
    *("startPersonCheck", "takePersonCheckResult", "activateECard", "resetPassword"),
}
EXAMPLES: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (scan_models.ScanRequest, scan_examples.REQUEST),
    (scan_models.Verdict, scan_examples.ACCEPTED),
    (scan_models.Verdict, scan_examples.ALREADY_USED),
    (scan_models.Verdict, scan_examples.CARD_LOST),
    (scan_models.Verdict, scan_examples.EXPIRED),
    (scan_models.ScanReceipt, scan_examples.RECEIPT_FETCHED),
    (scan_models.TerminalView, scan_examples.TERMINAL),
    (business_types.BusinessTypeList, business_types.EXAMPLE),
    (receipt_models.ReceiptCheckRequest, receipt_examples.ASKED),
    (receipt_models.ReceiptChecked, receipt_examples.GENUINE),
    (receipt_models.ReceiptChecked, receipt_examples.NOT_GENUINE),
    (visit_models.StepRequest, visit_examples.STEP),
    (scan_models.Verdict, visit_examples.STEP_TAKEN),
    (scan_models.Verdict, visit_examples.VISIT_ENDED),
    (visit_models.ReversalRequest, visit_examples.REVERSAL),
    (visit_models.ReversalView, visit_examples.REVERSED),
    (visit_models.HolderVisits, visit_examples.VISITS),
    (terminal_models.EnrolmentRequest, terminal_examples.ENROLMENT),
    (terminal_models.Enrolled, terminal_examples.ENROLLED),
    (terminal_models.NextKey, terminal_examples.NEXT_KEY),
    (terminal_models.KeyAccepted, terminal_examples.KEY_ACCEPTED),
    (terminal_models.Token, terminal_examples.TOKEN),
    (holder_models.HolderCard, holder_examples.CARD),
    (holder_models.ShownCode, holder_examples.CODE),
    (holder_models.CardStateChange, holder_examples.LOST),
    (holder_models.CardStateChange, holder_examples.FOUND),
    (holder_models.HolderScans, holder_examples.SCANS),
    (holder_models.FullIdentity, holder_examples.FULL_IDENTITY),
    (holder_models.ReportedScan, holder_examples.REPORTED),
    (issuer_models.PeerScanRequest, issuer_examples.REQUEST),
    (issuer_models.PeerVerdict, issuer_examples.ACCEPTED),
    (device_models.Devices, device_examples.DEVICES),
    (device_models.RegisteredDevice, device_examples.REGISTERED),
    (device_models.Credentials, device_examples.CREDENTIALS),
    (export_models.HolderExport, export_examples.EXPORT),
    (channel_models.ChannelView, channel_examples.CHANNEL),
    (channel_models.ChannelSignIn, channel_examples.SIGN_IN),
    (channel_models.ChannelSession, channel_examples.SESSION),
    (channel_models.PrintRequest, channel_examples.SESSION_ALONE),
    (channel_models.ChannelSessionEnded, channel_examples.ENDED),
    (channel_models.ChannelLossReport, channel_examples.LOSS),
    (channel_models.CardLost, channel_examples.LOST),
    (channel_models.PrintedCode, channel_examples.PRINTED),
    (clerk_models.ClerkChallengeRequest, clerk_examples.ATTEMPT),
    (clerk_models.ClerkChallenge, clerk_examples.CHALLENGE),
    (clerk_models.ClerkSignIn, clerk_examples.SIGN_IN),
    (clerk_models.ClerkSession, clerk_examples.SESSION),
    (clerk_models.CardActivation, clerk_examples.ACTIVATION),
    (clerk_models.ActivatedCard, clerk_examples.ACTIVATED),
    (clerk_models.ClerkLossReport, clerk_examples.LOSS),
    (clerk_models.VisitApplication, clerk_examples.APPLICATION),
    (clerk_models.FiledAtVisit, clerk_examples.FILED),
    (application_models.Applications, family_examples.APPLICATIONS),
    (application_models.FiledApplication, family_examples.FILED),
    (family_models.Family, family_examples.FAMILY),
    (family_models.MadeOffer, family_examples.OFFER),
    (family_models.MemberChange, family_examples.MEMBER),
    (holder_models.ShownCode, family_examples.CODE),
]


@pytest.fixture(scope="module")
def document(shared_service: ScanService) -> dict[str, Any]:
    answer = shared_service.http.get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_operation_ids_are_stable(document: dict[str, Any]) -> None:
    assert {one["operationId"]: name for name, one in operations(document)} == OPERATIONS


def test_every_operation_is_described_in_both_languages(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for text in (operation["summary"], operation["description"]):
            assert re.search(r"[一-鿿]", text), name
            assert re.search(r"[A-Za-z]{3}", text), name


def test_every_answer_but_health_and_sign_in_has_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            for media, content in answer.get("content", {}).items():
                plain = operation["operationId"] in {"healthz", "readyz", "signIn"}
                assert content.get("examples") or (plain and media == "application/json"), (
                    name,
                    status,
                )


def test_every_example_of_a_problem_is_the_problem_itself(document: dict[str, Any]) -> None:
    known = {problem.code: problem for problem in problems.CATALOGUE}
    seen = set()
    for _, operation in operations(document):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get(problems.MEDIA_TYPE, {})
            for code, example in content.get("examples", {}).items():
                assert example["value"] == known[code].document()
                assert known[code].status == int(status)
                seen.add(code)
    # Those that any address may answer with belong to no operation of their own.
    assert set(known) - seen == {
        "bad_request",
        "method_not_allowed",
        "internal_error",
        "self_test_failed",
    }


@pytest.mark.parametrize(("model", "example"), EXAMPLES)
def test_an_example_is_exactly_what_the_model_writes(
    model: type[BaseModel], example: dict[str, Any]
) -> None:
    assert json.loads(model.model_validate_json(json.dumps(example)).model_dump_json()) == example


def test_a_verdict_of_the_service_has_the_documented_shape(
    service: ScanService, document: dict[str, Any]
) -> None:
    verdict = service.scan(service.pharmacy, service.mint()).json()
    schema = document["components"]["schemas"]["Verdict"]
    assert set(verdict) == set(schema["properties"]) == set(schema["required"])
    assert verdict.keys() == scan_examples.ACCEPTED.keys()


def test_every_reference_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    text = json.dumps(document)
    found = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert found <= set(schemas)
    assert "OfflineScanRecord" in found
    # What tells the forms of a body apart names them besides.
    told = sum(len(json.loads(forms)) for forms in re.findall(r'"mapping": ({[^}]*})', text))
    assert len(re.findall(r'"\$ref"', text)) + told == text.count('"#/components/schemas/')
    assert "HTTPValidationError" not in schemas


def test_terminals_and_holders_prove_themselves_in_every_operation_of_theirs(
    document: dict[str, Any],
) -> None:
    for name, operation in operations(document):
        expected = {
            "terminal": ["terminalSignature", "accessToken"],
            "enrolment": ["terminalSignature"],
            "channel": ["terminalSignature"],
            "holder": ["holderSession"],
        }.get(operation["tags"][0])
        if operation["operationId"] in {"reverseScan", "uploadOfflineScans"}:
            expected = ["terminalSignature"]
        if expected and operation["operationId"] not in OPEN_TO_ALL:
            # Whose session has ended already may end it all the same.
            nobody = [{}] if operation["operationId"] == "signOut" else []
            assert operation["security"] == [{one: []} for one in expected] + nobody, name


def test_what_may_be_heard_anywhere_is_told_everywhere(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        answers = operation["responses"]
        for status, code in (
            ("431", "headers_too_large"),
            ("408", "body_too_slow"),
            ("413", "body_too_large"),
        ):
            assert code in answers[status]["content"][problems.MEDIA_TYPE]["examples"], name
        crowded = answers.get("503", {}).get("content", {}).get(problems.MEDIA_TYPE, {})
        is_health = operation["operationId"] in {"healthz", "readyz"}
        assert ("overloaded" in crowded.get("examples", {})) != is_health, name
        if {"terminalSignature": []} in operation.get("security", []):
            wait = answers["429"]["content"][problems.MEDIA_TYPE]["examples"]
            assert "too_many_failures" in wait, name


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.inline = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            if name in {"href", "src"} and value:
                self.links.add(value)
            self.inline = self.inline or name == "style" or name.startswith("on")


def test_the_reference_loads_nothing_from_another_host_and_runs_nothing(
    shared_service: ScanService,
) -> None:
    answer = shared_service.http.get("/docs")
    page = _Links()
    page.feed(answer.text)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 's")
    assert all(link.startswith(("/", "#")) and link[:2] != "//" for link in page.links)
    assert not page.tags & {"script", "style", "iframe"}
    assert not page.inline
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif link != "/":
            assert shared_service.http.get(link).status_code == 200


def test_the_reference_has_every_operation_reason_and_problem(shared_service: ScanService) -> None:
    page = _Links()
    text = shared_service.http.get("/docs").text
    page.feed(text)
    # Where a schema refers to another one, so does the page.
    assert {"#schema-OfflineScanRecord", "#schema-SignIn", "#schema-Verdict"} <= page.links
    assert "#/components" not in text
    assert "<code>have</code> (query, optional)" in text
    assert set(OPERATIONS) <= page.ids
    assert {f"reason-{reason.value}" for reason in Reason} <= page.ids
    for problem in problems.CATALOGUE:
        assert problem.document()["type"] == f"/docs#problem-{problem.code}"
        assert f"problem-{problem.code}" in page.ids
