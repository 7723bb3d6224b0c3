"""For every operation of the OpenAPI document a request that its rightful caller may make.

`ASKS` goes by operation id. Each call gives a new request, on an object of its own where the
operation changes or uses up one.
"""

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import person_bodies
from bureau import HOLDER_PASSWORD, Person
from channel_asks import CHANNEL_ASKS
from contract_town import NOBODY, Caller, Town, signing
from family_asks import (
    end_family_member,
    offer_ecard,
    report_ward_loss,
    show_family_code,
    take_ecard,
    withdraw_ward_loss,
)
from filing import child, child_fields, file
from one_ask import Ask, post, request_id
from person_checks import OTHER_PASSWORD
from phone import Phone, day_ends, registered_phone
from scan_service import BASE_URL, HOSPITAL_CODE
from token_purchase import FORM, Draft, name_of

from card_core.codes import PurposeClass
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.offline_records import OfflineRecord
from crypto import sm2
from scan_api.terminals.possession import enrolment_bytes, next_key_bytes, prove

_numbers = itertools.count(1)


def text_of(answer: httpx2.Response) -> str:
    """A verdict without what differs from scan to scan; any other answer as it is."""
    document = answer.json()
    return json.dumps(document | {"scan_id": "", "scanned_at": ""})


def terminal(town: Town) -> Caller:
    return signing(town.hospital)


def holder(town: Town) -> Caller:
    return town.signed_in(town.holder)


def scan_fields(town: Town, business_type: str = "01101", **more: Any) -> dict[str, Any]:
    town.find(town.holder)
    code = town.service.mint(town.holder)
    return {"code": code, "business_type": business_type, "request_id": request_id(), **more}


def scan(town: Town, business_type: str = "01101", **more: Any) -> Any:
    """An accepted scan at the hospital."""
    return post(town, town.hospital, "/v1/scans", scan_fields(town, business_type, **more))


def record_scan(town: Town) -> Ask:
    clerk = {"operator": "clerk 0017", "department": "desk 4 秘"}
    return Ask(terminal(town), body=scan_fields(town, **clerk))


def get_receipt(town: Town) -> Ask:
    return Ask(terminal(town), {"scan_id": scan(town)["scan_id"]})


def nothing_of_a_terminal(town: Town) -> Ask:
    return Ask(terminal(town))


def record_card_read(town: Town) -> Ask:
    town.find(town.holder)
    asked = town.hospital.post(town.service.http, "/v1/card-challenges", b"").json()
    card = town.chip_card(town.holder)
    body = {
        "challenge_id": asked["challenge_id"],
        "card_text": card.text(),
        "cryptogram": card.cryptogram(asked["session_factor"], asked["challenge"]),
        "business_type": "01101",
        "request_id": request_id(),
    }
    return Ask(terminal(town), body=body)


def take_visit_step(town: Town) -> Ask:
    body = {
        "visit_token": scan(town)["visit"]["token"],
        "business_type": "01201",
        "step": f"bill-{next(_numbers)}",
        "request_id": request_id(),
    }
    return Ask(terminal(town), body=body)


def upload_offline_scans(town: Town) -> Ask:
    person = town.bureau.person()
    phone = registered_phone(town.bureau, person, days=1)
    now = town.bureau.clock()
    code = phone.show(now)
    record = OfflineRecord(
        town.hospital.serial_number, next(_numbers), now, "01101", None, request_id(), code
    )
    sent = {
        "request_id": record.request_id,
        "code": code,
        "business_type": record.business_type,
        "scanned_at": int(now.timestamp()),
        "sequence": record.sequence,
        "signature": town.hospital.key.sign(record.to_be_signed()).hex(),
    }
    return Ask(terminal(town), body={"request_id": request_id(), "records": [sent]})


def reverse_scan(town: Town) -> Ask:
    paid = scan(town, "01301", amount_fen=2000)
    body = {"kind": "refund", "amount_fen": 500, "request_id": request_id()}
    return Ask(terminal(town), {"scan_id": paid["scan_id"]}, body)


def nothing_of_a_holder(town: Town) -> Ask:
    return Ask(holder(town))


def end_visit(town: Town) -> Ask:
    scan(town)
    browser = town.service.signed_in(town.holder)
    visits = browser.get("/v1/holder/visits").json()["visits"]
    return Ask(holder(town), {"visit_id": visits[0]["visit_id"]})


def report_scan(town: Town) -> Ask:
    scan(town)
    scans = town.service.signed_in(town.holder).get("/v1/holder/scans").json()["scans"]
    return Ask(holder(town), {"scan_id": scans[0]["scan_id"]}, {})


def enrol_terminal(town: Town) -> Ask:
    serial = (0xE000_0000 + next(_numbers)).to_bytes(8)
    code = town.bureau.enrolment_code(serial, HOSPITAL_CODE)
    key = sm2.PrivateKey.generate()
    public_key = key.public_key().to_bytes(compressed=True)
    body = {
        "enrolment_code": code.text,
        "serial_number": serial.hex(),
        "public_key": public_key.hex(),
        "proof": prove(key, enrolment_bytes(serial, code.text, public_key)),
    }
    return Ask(NOBODY, body=body)


def rotate_terminal_key(town: Town) -> Ask:
    device = town.enrol()
    key = sm2.PrivateKey.generate()
    public_key = key.public_key().to_bytes(compressed=True)
    proof = prove(key, next_key_bytes(device.serial_number, public_key))
    body = {"public_key": public_key.hex(), "proof": proof}
    return Ask(signing(device), body=body)


def get_token(town: Town) -> Ask:
    draft = Draft(town.service)
    serial = town.hospital.serial_number.hex()
    draft.key, draft.head["kid"] = town.hospital.key, name_of(town.hospital)
    draft.payload |= {"iss": serial, "sub": serial}
    body = {**draft.form, "client_assertion": draft.assertion()}
    return Ask(NOBODY, body=body, media_type=FORM)


def get_status_list(town: Town) -> Ask:
    (today,) = day_ends(town.bureau.clock(), 1)
    path = {"issuer": town.bureau.issuer, "day_ends_at": int(today.timestamp())}
    return Ask(terminal(town), path)


def sign_out(town: Town) -> Ask:
    return Ask(town.signed_in(town.bureau.person(), anew=True))


def mint_code(town: Town) -> Ask:
    town.find(town.holder)
    return Ask(holder(town), body={"purpose_class": PurposeClass.ANY_USE.name.lower()})


def report_loss(town: Town) -> Ask:
    town.find(town.holder)
    return Ask(holder(town), body={})


def withdraw_loss(town: Town) -> Ask:
    town.find(town.holder)
    town.bureau.perform(ReportTemporaryLoss(town.holder.card_id), town.holder.actor)
    return Ask(holder(town), body={"password": HOLDER_PASSWORD})


def export_holder(town: Town) -> Ask:
    return Ask(holder(town), body={"password": HOLDER_PASSWORD})


def register_device(town: Town) -> Ask:
    person = town.bureau.person()
    caller = town.signed_in(person)
    phone = Phone()
    body = {
        "grade": phone.grade.value,
        "public_key": phone.public_key.hex(),
        "signature": phone.registers(challenge(town, caller)).hex(),
        "password": HOLDER_PASSWORD,
    }
    return Ask(caller, body=body)


def challenge(town: Town, caller: Caller) -> bytes:
    """The session's, which a phone signs."""
    headers = caller.prove("GET", "/v1/holder/devices", b"")
    answer = town.service.client().get("/v1/holder/devices", headers=headers)
    return bytes.fromhex(answer.json()["challenge"])


def phone_of_somebody(town: Town) -> tuple[Person, Phone]:
    person = town.bureau.person()
    return person, registered_phone(town.bureau, person, days=1)


def remove_device(town: Town) -> Ask:
    person, phone = phone_of_somebody(town)
    return Ask(town.signed_in(person), {"device_id": phone.device_id})


def fetch_credentials(town: Town) -> Ask:
    person, phone = phone_of_somebody(town)
    caller = town.signed_in(person)
    days = day_ends(town.bureau.clock(), 2)[1:]
    keys, signature = phone.asks_for(phone.device_id, challenge(town, caller), days)
    body = {
        "keys": [
            {
                "expires_at": int(one.expires_at.timestamp()),
                "public_key": one.public_key.hex(),
                "signature": one.signature.hex(),
            }
            for one in keys
        ],
        "signature": signature.hex(),
    }
    return Ask(caller, {"device_id": phone.device_id}, body)


def apply_for_card(town: Town) -> Ask:
    return Ask(holder(town), body={"kind": "new", "child": child_fields(next(_numbers))})


def withdraw_application(town: Town) -> Ask:
    parent = town.bureau.person()
    filed = file(town.bureau, child(parent, next(_numbers)), actor=parent.actor)
    return Ask(town.signed_in(parent), {"application_id": filed["filing_id"]})


def set_consent(town: Town) -> Ask:
    return Ask(holder(town), {"data_use": "scan_messages"}, {"given": True})


def on_the_page(body: dict[str, Any]) -> Ask:
    """Of nobody yet, but on the service's own page."""
    return Ask(Caller(lambda method, target, content: {"Origin": BASE_URL}), body=body)


def sign_in(town: Town) -> Ask:
    return on_the_page({"social_security_number": town.holder.number, "password": HOLDER_PASSWORD})


def change_password(town: Town) -> Ask:
    """With an old password that is nobody else's here."""
    person = town.bureau.person()
    caller = town.signed_in(person)
    town.session(person)
    person_bodies.give_password(town, person, OTHER_PASSWORD)
    return Ask(caller, body={"password": OTHER_PASSWORD, "new_password": HOLDER_PASSWORD})


def answer_peer_scan(town: Town) -> Ask:
    body = scan_fields(town) | {
        "institution_code": "H31010100009",
        "institution_name": "邻市医院",
        "institution_kind": "hospital",
        "terminal": "00000000000000a7",
    }
    return Ask(town.peer(), body=body)


def answer_peer_status_list(town: Town) -> Ask:
    day = day_ends(town.bureau.clock(), 1)[0]
    return Ask(town.peer(), {"day_ends_at": int(day.timestamp())})


def check_receipt(town: Town) -> Ask:
    return Ask(NOBODY, body={"receipt": "AQGq"})


def open_to_all(town: Town) -> Ask:
    return Ask(NOBODY)


ASKS: Mapping[str, Callable[[Town], Ask]] = {
    "recordScan": record_scan,
    "getReceipt": get_receipt,
    "giveCardChallenge": nothing_of_a_terminal,
    "recordCardRead": record_card_read,
    "getTerminal": nothing_of_a_terminal,
    "takeVisitStep": take_visit_step,
    "uploadOfflineScans": upload_offline_scans,
    "reverseScan": reverse_scan,
    "listVisits": nothing_of_a_holder,
    "endVisit": end_visit,
    "enrolTerminal": enrol_terminal,
    "rotateTerminalKey": rotate_terminal_key,
    "getToken": get_token,
    "getBundle": nothing_of_a_terminal,
    "getStatusList": get_status_list,
    "signIn": sign_in,
    "signOut": sign_out,
    "getCard": nothing_of_a_holder,
    "getFullIdentity": nothing_of_a_holder,
    "listScans": nothing_of_a_holder,
    "reportScan": report_scan,
    "exportHolder": export_holder,
    "mintCode": mint_code,
    "reportLoss": report_loss,
    "withdrawLoss": withdraw_loss,
    "listDevices": nothing_of_a_holder,
    "registerDevice": register_device,
    "removeDevice": remove_device,
    "fetchCredentials": fetch_credentials,
    **CHANNEL_ASKS,
    "listApplications": nothing_of_a_holder,
    "applyForCard": apply_for_card,
    "withdrawApplication": withdraw_application,
    "listFamily": nothing_of_a_holder,
    "offerECard": offer_ecard,
    "takeECard": take_ecard,
    "endFamilyMember": end_family_member,
    "reportWardLoss": report_ward_loss,
    "withdrawWardLoss": withdraw_ward_loss,
    "showFamilyCode": show_family_code,
    "startPersonCheck": lambda town: on_the_page(person_bodies.claim(town)),
    "takePersonCheckResult": lambda town: on_the_page(person_bodies.begun_check(town)),
    "activateECard": lambda town: on_the_page(person_bodies.activation(town)),
    "resetPassword": lambda town: on_the_page(person_bodies.reset(town)),
    "changePassword": change_password,
    "listDataUses": nothing_of_a_holder,
    "setConsent": set_consent,
    "listBusinessTypes": open_to_all,
    "answerPeerScan": answer_peer_scan,
    "answerPeerStatusList": answer_peer_status_list,
    "getTrustList": open_to_all,
    "checkReceipt": check_receipt,
    "healthz": open_to_all,
    "readyz": open_to_all,
}
