"""Scans that two issuers have a part in, recorded by the kernel, on both databases."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from bureau import Bureau
from sqlalchemy import update
from trusting import document, entry, pin, take

from card_core.codes import ForWhom, Presence
from card_core.errors import (
    CardCoreError,
    IdempotencyConflictError,
    InvalidActError,
    NotAllowedError,
    ReplayedRequestError,
)
from card_core.kernel.actors import RequestProof
from card_core.kernel.peers import AskingInstitution, JudgedElsewhere
from card_core.kernel.scan_requests import ScanRequest
from card_core.presented import Medium
from card_core.store import audit, scans, schema, trust
from card_core.store.trust import PeerScan
from card_core.verdicts import Reason

AT = AskingInstitution(2, "H44040400001", "邻市医院", "hospital", bytes([7]) * 8)
VIEW = {"view": "full", "name": "王小明", "social_security_number": "990101199001011237"}


@pytest.fixture
def neighbours(bureau: Bureau) -> Bureau:
    """The bureau, where issuer 2 is trusted for a day."""
    pin(bureau)
    take(bureau, document(bureau.clock(), entry(2), days=1))
    return bureau


def asked(bureau: Bureau, text: str, at: AskingInstitution = AT, **more: Any) -> ScanRequest:
    request = bureau.scan_request(text, **more)
    return replace(request, asking=at, terminal_id=at.terminal_id, institution_id=at.institution_id)


def mint(bureau: Bureau) -> str:
    return bureau.minter.mint(bureau.person().holder_id).text


def test_an_issuer_that_is_trusted_scans_once_and_its_place_is_kept(neighbours: Bureau) -> None:
    text = mint(neighbours)
    accepted = neighbours.record(asked(neighbours, text))
    assert (accepted["reason"], accepted["holder"]["view"]) == ("accepted", "full")
    assert neighbours.scan(text)["reason"] == "already_used"
    with neighbours.store.read() as tx:
        found = trust.peer_scan(tx, accepted["scan_id"])
        (row,) = scans.of_terminal(tx, AT.terminal_id)
        audit.verify_chain(tx, "scan")
        audit.verify_scans(tx)
    assert found == PeerScan(accepted["scan_id"], 2, AT.code, AT.name, AT.terminal)
    assert (row.institution_id, row.reason) == ("peer-2-H44040400001", Reason.ACCEPTED)


def test_a_retry_is_the_issuers_own_and_a_nonce_is_taken_once(neighbours: Bureau) -> None:
    text = mint(neighbours)
    request = asked(neighbours, text, request_id="same")
    first = neighbours.record(request)
    assert neighbours.record(request) == first
    with pytest.raises(IdempotencyConflictError):
        neighbours.record(asked(neighbours, mint(neighbours), request_id="same"))
    # A terminal of ours may use the same id: it is another's.
    assert neighbours.scan(mint(neighbours), request_id="same")["outcome"] == "accepted"
    proof = RequestProof(bytes(16), neighbours.clock() + timedelta(seconds=300))
    proven = [
        replace(asked(neighbours, mint(neighbours)), proof=proof, request_id=f"proof-{number}")
        for number in range(2)
    ]
    assert neighbours.record(proven[0])["outcome"] == "accepted"
    with pytest.raises(ReplayedRequestError):
        neighbours.record(proven[1])


def test_an_issuer_that_is_not_trusted_now_scans_nothing_and_stops_nobody(
    neighbours: Bureau,
) -> None:
    strange = replace(AT, issuer=3)
    lies = replace(asked(neighbours, mint(neighbours)), terminal_id="peer-3-00")
    group = [
        asked(neighbours, mint(neighbours), strange),
        lies,
        asked(neighbours, mint(neighbours), replace(AT, kind="pharmacy")),
        neighbours.scan_request(mint(neighbours)),
        asked(neighbours, mint(neighbours)),
    ]
    results = neighbours.kernel.record_scans(group)
    assert [type(one) for one in results[:3]] == [NotAllowedError] * 3
    assert [json.loads(one)["outcome"] for one in results[3:] if isinstance(one, bytes)] == [
        "accepted"
    ] * 2
    neighbours.clock.advance(24 * 3600)
    with pytest.raises(NotAllowedError):
        neighbours.record(asked(neighbours, mint(neighbours)))


def test_a_tampered_trust_list_stops_other_issuers_and_not_our_terminals(
    neighbours: Bureau,
) -> None:
    with neighbours.store.write() as tx:
        tx.connection.execute(update(schema.trust).values(edition=9))
    results = neighbours.kernel.record_scans(
        [asked(neighbours, mint(neighbours)), neighbours.scan_request(mint(neighbours))]
    )
    assert isinstance(results[0], NotAllowedError)
    assert not isinstance(results[1], CardCoreError)


def elsewhere(bureau: Bureau, reason: Reason, **more: Any) -> ScanRequest:
    accepted = reason is Reason.ACCEPTED
    judged = JudgedElsewhere(
        issuer=2,
        reason=reason,
        medium=Medium.ONLINE_CODE,
        presence=Presence.FACE,
        for_whom=ForWhom.SELF,
        card_state="normal",
        holder=VIEW if accepted else None,
    )
    request = bureau.scan_request(mint(bureau), **more)
    return replace(request, presented=None, refusal=None, elsewhere=judged)


def test_what_another_issuer_said_is_recorded_and_spends_nothing_here(bureau: Bureau) -> None:
    accepted = bureau.record(elsewhere(bureau, Reason.ACCEPTED))
    assert (accepted["outcome"], accepted["holder"]) == ("accepted", VIEW)
    assert (accepted["medium"], accepted["presence"], accepted["card_state"]) == (
        "online_code",
        "face",
        "normal",
    )
    refused = bureau.record(elsewhere(bureau, Reason.CARD_LOST))
    assert (refused["reason"], refused["holder"]) == ("card_lost", None)
    with bureau.store.read() as tx:
        rows = scans.of_terminal(tx, bureau.hospital.id, limit=2)
        assert tx.connection.execute(schema.spent.select()).all() == []
        audit.verify_scans(tx)
    assert {(row.reason.value, row.holder_id) for row in rows} == {
        ("accepted", None),
        ("card_lost", None),
    }


def test_a_scan_has_one_finding_and_an_asking_place_its_limits(bureau: Bureau) -> None:
    request = elsewhere(bureau, Reason.ACCEPTED)
    with pytest.raises(InvalidActError):
        replace(request, refusal=Reason.EXPIRED)
    for change in (
        {"issuer": 0},
        {"code": "x" * 21},
        {"name": ""},
        {"kind": "castle"},
        {"terminal": b"7"},
    ):
        with pytest.raises(InvalidActError):
            replace(AT, **change)
