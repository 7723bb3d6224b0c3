"""Institutions and terminals."""

from typing import Final

from issuance.console.reference.example import NOTHING, Example, proposed

_CODE: Final = "P99010100001"
_INSTITUTION_ID: Final = "019c3f5a7b2e4d6f8a90b1c2d3e4f510"
_TERMINAL_ID: Final = "019c3f5a7b2e4d6f8a90b1c2d3e4f511"
_SERIAL: Final = "00000000000000a1"
_PLACE: Final = {
    "code": _CODE,
    "name": "示范大药房",
    "kind": "pharmacy",
    "region": "990101",
    "business_types": ["02121", "02122"],
}

EXAMPLES: Final = {
    "listBusinessTypes": Example(
        {
            "business_types": [
                {
                    "code": "02121",
                    "name_zh": "药店购药",
                    "name_en": "Buying medicine at a pharmacy",
                    "kinds": ["pharmacy"],
                }
            ]
        }
    ),
    "listInstitutions": Example(
        {"institutions": [{**_PLACE, "state": "active"}], "next_after": None}
    ),
    "proposeInstitution": Example(
        proposed(
            f"定点 {_CODE} 示范大药房（药店，990101），用码业务类型 02121, 02122 / Designate "
            f"{_CODE} 示范大药房 (pharmacy, 990101), business types 02121, 02122"
        ),
        _PLACE,
    ),
    "proposeBusinessTypes": Example(
        proposed(
            f"更改定点 {_CODE} 的用码业务类型：该类机构的全部 / "
            f"Change the business types of institution {_CODE}: all of its kind"
        ),
        {"business_types": None},
    ),
    "suspendInstitution": Example(
        {"institution_id": _INSTITUTION_ID, "state": "suspended"}, NOTHING
    ),
    "proposeReinstateInstitution": Example(
        proposed(f"恢复定点 {_CODE} / Reinstate institution {_CODE}"), NOTHING
    ),
    "listTerminals": Example(
        {
            "terminals": [
                {"serial_number": _SERIAL, "channel": None, "state": "active", "has_key": True}
            ],
            "waiting": [
                {
                    "serial_number": "00000000000000a2",
                    "channel": None,
                    "code_name": "7KQMX",
                    "ends_at": "2026-03-03T01:30:00Z",
                }
            ],
        }
    ),
    "proposeEnrolment": Example(
        proposed(
            f"登记终端 {_SERIAL}（{_CODE}），登记码 7KQMX-… / "
            f"Enrol terminal {_SERIAL} at {_CODE}, code 7KQMX-…"
        )
        | {"enrolment_code": "7KQMX-2VTNC-9RZ4D-WH3SP"},
        {"serial_number": _SERIAL, "channel": None},
    ),
    "withdrawEnrolment": Example({"ended": 1}, NOTHING),
    "revokeTerminalKeys": Example(
        {"terminal_id": _TERMINAL_ID, "ended_at": "2026-03-02T01:30:00+00:00"}, NOTHING
    ),
    "listStatusKeys": Example({"keys": ["status.1.1:02" + "1f7e92ab" * 8]}),
    "suspendTerminal": Example({"terminal_id": _TERMINAL_ID, "state": "suspended"}, NOTHING),
    "proposeReinstateTerminal": Example(
        proposed(f"恢复终端 {_SERIAL} / Reinstate terminal {_SERIAL}"), NOTHING
    ),
}
