"""What is posted: signed bytes that a stranger verifies, and only a 2xx counts as taken."""

import base64
import json
from datetime import UTC, datetime

import httpx2
import pytest
from bureau import ISSUER, Bureau
from office import Office, refused
from phone import status_signer, with_offline_keys

from card_core.outbox_relay import Relay
from card_core.store import outbox
from crypto import sm2
from issuance.event_posting import EventPosting, EventsNotTakenError
from issuance.installation import Installation

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
EVENT = outbox.Event("bureau", 17, AT, "report_temporary_loss", "card/1", '{"card_id":"1"}')


def posting(
    bureau: Bureau, answer: httpx2.Response | Exception
) -> tuple[EventPosting, list[httpx2.Request]]:
    requests: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        request.read()
        requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    keys = with_offline_keys(bureau)
    url = "https://events.example/in"
    return EventPosting(url, keys, transport=httpx2.MockTransport(handle)), requests


def test_a_stranger_verifies_what_was_posted(bureau: Bureau) -> None:
    made, requests = posting(bureau, httpx2.Response(204))
    made.take([EVENT])
    (request,) = requests
    assert json.loads(request.content) == {
        "events": [
            {
                "chain": "bureau",
                "seq": 17,
                "at": "2026-03-02T01:30:00.000000+00:00",
                "topic": "report_temporary_loss",
                "subject": "card/1",
                "payload": {"card_id": "1"},
            }
        ]
    }
    issuer, number, text = request.headers["Sscard-Signature"].split(".")
    assert (int(issuer), int(number)) == (ISSUER, 1)
    signature = base64.urlsafe_b64decode(text + "==")
    key = status_signer(bureau).public_key
    key.verify(signature, b"sscard/events/v1\n" + request.content)
    with pytest.raises(sm2.InvalidSignatureError):
        key.verify(signature, b"sscard/events/v1\n" + request.content + b" ")


@pytest.mark.parametrize(
    "answer",
    [
        *(httpx2.Response(status) for status in (301, 302, 307, 400, 404, 429, 500, 503)),
        httpx2.ConnectError("away"),
        httpx2.ReadTimeout("slow"),
    ],
)
def test_only_a_confirmation_counts(bureau: Bureau, answer: httpx2.Response | Exception) -> None:
    made, requests = posting(bureau, answer)
    relay = Relay(bureau.kernel, "notifications", made)
    with pytest.raises(EventsNotTakenError):
        relay.round()
    with bureau.store.read() as tx:
        assert {one.seq for one in outbox.all_positions(tx)} == {0}
    assert requests[-1].url == "https://events.example/in"


def test_the_commands_show_positions_and_forget(office: Office, site: Installation) -> None:
    site.kernel.advance_outbox("notifications", "bureau", 3)
    shown = office.done("outbox", "show")
    assert "notifications" in shown
    assert "bureau" in shown
    assert office.run("outbox", "forget", "notifications").exit_code == 1
    office.done("outbox", "forget", "notifications", "--yes")
    assert "notifications" not in office.done("outbox", "show")
    refused(office.run("outbox", "forget", "x", "--yes"), "没有接收方", "no consumer")
    refused(office.run("outbox", "relay"), "SSCARD_EVENTS_URL", "is not set")
    bad = office.run("outbox", "show", SSCARD_EVENTS_URL="http://events.example/s3cret")
    refused(bad, "SSCARD_EVENTS_URL", "https://")
    assert "s3cret" not in bad.output
