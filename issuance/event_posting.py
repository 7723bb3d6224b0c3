"""Posting events to an address of the bureau's choice: what it tells holders and others by.

    POST <SSCARD_EVENTS_URL>
    Content-Type: application/json
    Sscard-Signature: <issuer>.<key number>.<base64url of r || s>

    {"events": [{"chain": "bureau", "seq": 17, "at": "2026-03-02T01:30:00.000000+00:00",
                 "topic": "report_temporary_loss", "subject": "card/…", "payload": {…}}]}

The signature is SM2 with SM3 by the issuer's status key over "sscard/events/v1" LF and the body.
Whatever status but 2xx comes, or none, the same events come again, in pages that may be others.
"""

import base64
import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

import httpx2

from card_core.codes import KeyPurpose
from card_core.signing import SigningKeys
from card_core.store.outbox import Event
from issuance.errors import IssuanceError

CONTEXT: Final = b"sscard/events/v1\n"
SIGNATURE_HEADER: Final = "Sscard-Signature"
CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 10.0


class EventsNotTakenError(IssuanceError):
    """The address did not confirm; nothing of what it answered is repeated."""

    def __init__(self) -> None:
        super().__init__(
            "events_not_taken",
            "SSCARD_EVENTS_URL 未确认收到事件，将再次发送。",
            "SSCARD_EVENTS_URL did not confirm the events; they are sent again.",
        )


class EventPosting:
    """A consumer of the outbox (`card_core.outbox_relay`). url: https, or http to this machine."""

    begins_at_end = False

    def __init__(
        self,
        url: str,
        signing_keys: SigningKeys,
        *,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._url = url
        self._signing_keys = signing_keys
        self._http = httpx2.Client(
            transport=transport,
            timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def take(self, events: Sequence[Event]) -> None:
        """Raises EventsNotTakenError; NoSigningKeyError, StoreError where nothing can be signed."""
        body = json.dumps(
            {"events": [_to_data(event) for event in events]},
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        key = self._signing_keys.current(KeyPurpose.STATUS)
        signature = base64.urlsafe_b64encode(key.signer.sign(CONTEXT + body)).rstrip(b"=").decode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: f"{self._signing_keys.issuer}.{key.number}.{signature}",
        }
        try:
            # The status alone is read: a body of any length stays where it is.
            with self._http.stream("POST", self._url, content=body, headers=headers) as response:
                is_taken = response.is_success
        except httpx2.HTTPError:
            raise EventsNotTakenError from None
        if not is_taken:
            raise EventsNotTakenError


def _to_data(event: Event) -> dict[str, Any]:
    return {
        "chain": event.chain,
        "seq": event.seq,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "topic": event.topic,
        "subject": event.subject,
        "payload": json.loads(event.payload),
    }
