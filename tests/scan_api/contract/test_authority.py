"""Who may do what: every operation of the OpenAPI document, asked by everybody.

For each operation one good request is made, about something that belongs to its rightful caller.
All others send it first, each with what proves them; what they are told is in the tables here, and
tells nothing of the holder. Then the rightful caller sends it and is served: the others have
changed nothing and used up nothing. An operation that is new in the document, or a new way to prove
oneself, fails here until it is in the tables.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest
from asks import ASKS, Ask, text_of
from contract_town import NOBODY, Caller, Town, signing
from request_keys import HEADER, new_key
from scan_service import BASE_URL
from starlette.testclient import TestClient

OK = "ok"
NO_PROOF = {
    "not_authenticated",
    "peer_not_authenticated",
    "sign_in_needed",
}
TERMINAL = "terminalSignature or accessToken"
SIGNED = "terminalSignature"
HOLDER = "holderSession"
HOLDER_OR_NOBODY = "holderSession or nothing"
PEER = "peerSignature"
OPEN = "nothing"

# What everybody is told who is no terminal in service, no holder, no peer.
REFUSED: Mapping[str, Mapping[str, str]] = {
    TERMINAL: {
        **dict.fromkeys(
            ("nobody", "revoked key", "holder", "other holder", "peer", "operator"),
            "not_authenticated",
        ),
        **dict.fromkeys(("suspended terminal", "suspended one's token"), "terminal_suspended"),
        "terminal of a suspended institution": "institution_suspended",
    },
    HOLDER: dict.fromkeys(
        (
            "nobody",
            "other institution",
            "pharmacy",
            "suspended terminal",
            "terminal of a suspended institution",
            "revoked key",
            "token",
            "suspended one's token",
            "other kiosk",
            "peer",
            "operator",
        ),
        "sign_in_needed",
    ),
    PEER: dict.fromkeys(
        (
            "nobody",
            "other institution",
            "pharmacy",
            "suspended terminal",
            "terminal of a suspended institution",
            "revoked key",
            "token",
            "suspended one's token",
            "holder",
            "other holder",
            "other kiosk",
            "operator",
        ),
        "peer_not_authenticated",
    ),
    # Whoever asks, it is the body that is judged, or nothing.
    OPEN: {},
    HOLDER_OR_NOBODY: {},
}
# What a terminal of another hospital and one of a pharmacy are told about what is the hospital's.
# OK: the operation is about nothing but the caller and its own, or about a code that may be shown
# anywhere.
NOT_OFFERED = "business_type_not_allowed"
TERMINALS: Mapping[str, tuple[str, str]] = {
    "recordScan": (OK, NOT_OFFERED),
    "getReceipt": ("not_found", "not_found"),
    "giveCardChallenge": (OK, OK),
    "recordCardRead": ("challenge_invalid", NOT_OFFERED),
    "getTerminal": (OK, OK),
    "takeVisitStep": ("visit_not_here", NOT_OFFERED),
    "uploadOfflineScans": ("not_genuine", "not_genuine"),
    "reverseScan": ("not_found", "not_found"),
    "rotateTerminalKey": ("invalid_request", "invalid_request"),
    "getBundle": (OK, OK),
    "getStatusList": (OK, OK),
}
# What another service channel is told about what a person does at the kiosk; a terminal may none of
# it, and a channel none of what terminals do but to change its own key.
CHANNELS: Mapping[str, str] = {
    "getChannel": OK,
    "openChannelSession": OK,
    "endChannelSession": OK,
    "reportLossAtChannel": "sign_in_needed",
    "printCode": "sign_in_needed",
    "seeApplicationsAtChannel": "sign_in_needed",
    # At a kiosk there is no clerk.
    "challengeClerk": "not_allowed",
    "openClerkSession": "not_allowed",
    "activateAtChannel": "not_allowed",
    "reportLossByClerk": "not_allowed",
    "applyAtVisit": "not_allowed",
}
# What another holder is told about what is the holder's.
HOLDERS: Mapping[str, str] = {
    "listVisits": OK,
    "endVisit": "not_found",
    "getCard": OK,
    "getFullIdentity": OK,
    "listScans": OK,
    "reportScan": "not_found",
    "exportHolder": OK,
    "mintCode": OK,
    "reportLoss": OK,
    "withdrawLoss": "wrong_state",
    "listDevices": OK,
    "registerDevice": "invalid_request",
    "removeDevice": "not_found",
    "fetchCredentials": "not_found",
    "listApplications": OK,
    "applyForCard": OK,
    "withdrawApplication": "not_found",
    "listFamily": OK,
    "offerECard": OK,
    "takeECard": OK,
    "endFamilyMember": "not_found",
    "showFamilyCode": "not_found",
    "changePassword": "sign_in_refused",
    "listDataUses": OK,
    "setConsent": OK,
    "reportWardLoss": "not_found",
    "withdrawWardLoss": "not_found",
}
ANYBODY = {
    "enrolTerminal",
    "getToken",
    "signIn",
    "signOut",
    "startPersonCheck",
    "takePersonCheckResult",
    "activateECard",
    "resetPassword",
    "listBusinessTypes",
    "getTrustList",
    "checkReceipt",
    "healthz",
    "readyz",
}
PEERS = {"answerPeerScan", "answerPeerStatusList"}
# Where a request names something of the rightful caller's: in its path, or in these fields.
NAMING = {"takeVisitStep": "visit_token", "recordCardRead": "challenge_id"}

# Of what terminals do, a channel does this, too; here with another's proof.
ALSO_OF_CHANNELS = {"rotateTerminalKey": "invalid_request"}

_addresses = itertools.count(1)


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Operation id, method, path, and how it is proved who asks, from the document alone."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            ways = [" and ".join(one) or OPEN for one in operation.get("security", [{}])]
            yield operation["operationId"], method.upper(), path, " or ".join(ways)


def everybody(town: Town) -> dict[str, Caller]:
    return {
        "nobody": NOBODY,
        "other institution": signing(town.other_hospital),
        "pharmacy": signing(town.service.pharmacy),
        "suspended terminal": signing(town.suspended),
        "terminal of a suspended institution": signing(town.closed),
        "revoked key": signing(town.revoked),
        "token": town.bearing(town.hospital),
        "suspended one's token": town.bearing(town.suspended),
        "holder": town.signed_in(town.holder),
        "other holder": town.signed_in(town.other_holder),
        "other kiosk": signing(town.other_kiosk),
        "peer": town.peer(),
        "operator": town.operator(),
    }


def expected(name: str, proof: str, role: str) -> str:
    """What this caller is told; OK where it is served. Raises KeyError for what is in no table."""
    if name in ANYBODY and proof in {OPEN, HOLDER_OR_NOBODY}:
        return OK
    refused = REFUSED[TERMINAL if proof == SIGNED else proof]
    if role in refused:
        return refused[role]
    match role:
        case "other kiosk" | "other institution" | "pharmacy":
            return told_machine(name, role)
        case "token":
            return "signature_needed" if proof == SIGNED else OK
        case "other holder":
            return HOLDERS[name]
    return OK


def told_machine(name: str, role: str) -> str:
    if role == "other kiosk":
        return CHANNELS[name] if name in CHANNELS else ALSO_OF_CHANNELS.get(name, "not_allowed")
    return "not_allowed" if name in CHANNELS else TERMINALS[name][role == "pharmacy"]


def send(town: Town, method: str, path: str, ask: Ask, caller: Caller) -> httpx2.Response:
    """From an address of its own: failures of one are not counted for the other."""
    number = next(_addresses)
    client = TestClient(
        town.service.app,
        base_url=BASE_URL,
        raise_server_exceptions=False,
        client=(f"10.0.{number // 250}.{number % 250}", 1),
    )
    target, body = path.format(**ask.path), ask.content()
    key = {HEADER: new_key()}
    headers = {"Origin": BASE_URL, **key, **caller.prove(method, target, body)}
    if body:
        headers["Content-Type"] = ask.media_type
    return client.request(method, target, content=body, headers=headers)


def told(answer: httpx2.Response) -> str:
    """The code of a problem, the reason of a refusal, or OK."""
    if "json" not in answer.headers.get("content-type", ""):
        return OK
    document = answer.json()
    if answer.status_code >= 400:
        return str(document.get("code") or document["error"])
    if document.get("outcome") == "refused":
        return str(document["reason"])
    outcomes = {one["outcome"] for one in document.get("records", [])} - {"confirmed"}
    return str(outcomes.pop()) if outcomes else OK


def test_every_operation_is_in_the_tables(town: Town) -> None:
    found = {name: proof for name, _, _, proof in operations(town.service.app.openapi())}
    assert set(found) == set(ASKS)
    assert {*TERMINALS, *CHANNELS, *HOLDERS, *ANYBODY, *PEERS} == set(found)
    signed = {name for name, proof in found.items() if proof in {TERMINAL, SIGNED}}
    assert signed == {*TERMINALS, *CHANNELS}
    assert {name for name, proof in found.items() if proof == HOLDER} == set(HOLDERS)
    assert {name for name, proof in found.items() if proof == PEER} == PEERS


@pytest.mark.parametrize("name", ASKS)
def test_everybody_but_the_rightful_caller_is_kept_out(town: Town, name: str) -> None:
    ((method, path, proof),) = [
        rest for found, *rest in operations(town.service.app.openapi()) if found == name
    ]
    town.find(town.other_holder)
    ask = ASKS[name](town)
    own = {PEER: "peer", HOLDER: "holder"}.get(proof)
    for role, caller in everybody(town).items():
        if role == own:
            continue
        hoped = expected(name, proof, role)
        answer = send(town, method, path, ask, caller)
        assert told(answer) == hoped, (role, answer.text)
        if hoped == OK:
            ask = ASKS[name](town)
        else:
            leaks = {what for what, value in town.personal_data().items() if value in answer.text}
            assert not leaks, (role, answer.text)
    answer = send(town, method, path, ask, ask.rightful)
    assert answer.status_code < 300, answer.text
    assert told(answer) == OK, answer.text
    town.sign_everybody_out()


def other_of(value: Any) -> Any:
    """As long and of the same letters, and nobody's."""
    return value.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))


FOREIGN = ["getReceipt", "reverseScan", "takeVisitStep", "recordCardRead"]
FOREIGN += ["endVisit", "removeDevice", "fetchCredentials", "withdrawApplication"]
FOREIGN += ["endFamilyMember", "showFamilyCode", "reportScan"]
FOREIGN += ["reportWardLoss", "withdrawWardLoss"]


def test_foreign_and_unknown_are_told_apart_by_nobody(town: Town) -> None:
    """Whoever asks about what is another's is told what is told about what never was."""
    found = {name: rest for name, *rest in operations(town.service.app.openapi())}
    named = {name for name, (_, path, _) in found.items() if "_id}" in path}
    assert named | set(NAMING) == set(FOREIGN)
    for name in FOREIGN:
        method, path, proof = found[name]
        ask = ASKS[name](town)
        stranger = (
            town.signed_in(town.other_holder) if proof == HOLDER else signing(town.other_hospital)
        )
        foreign = send(town, method, path, ask, stranger)
        body = json.loads(json.dumps(ask.body))
        if name in NAMING:
            body[NAMING[name]] = other_of(body[NAMING[name]])
        if body is not None and "request_id" in body:
            body["request_id"] += "b"
        unknown = Ask(ask.rightful, {key: other_of(one) for key, one in ask.path.items()}, body)
        never_was = send(town, method, path, unknown, stranger)
        assert text_of(foreign) == text_of(never_was), name
        assert foreign.status_code == never_was.status_code
        assert told(foreign) not in {OK, *NO_PROOF}


def test_a_holder_gets_what_is_the_holders_own(town: Town) -> None:
    """Where the other holder is served, it is with other things."""
    other = town.signed_in(town.other_holder)
    for name, method, path, proof in operations(town.service.app.openapi()):
        if proof == HOLDER and HOLDERS[name] == OK:
            answer = send(town, method, path, ASKS[name](town), other)
            values = town.personal_data().values()
            assert not [value for value in values if value in answer.text], name


def test_a_terminal_gets_what_is_its_own_institutions(town: Town) -> None:
    ask = ASKS["getTerminal"](town)
    shown = [
        send(town, "GET", "/v1/terminal", ask, signing(device)).json()
        for device in (town.hospital, town.other_hospital)
    ]
    assert shown[0]["institution_code"] != shown[1]["institution_code"]
    assert shown[0]["serial_number"] not in json.dumps(shown[1])
