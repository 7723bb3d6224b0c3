"""A service channel's side of the service: signs every request with the channel's own key."""

import base64
import secrets
from typing import Any

from card_core.kernel.second_factor import is_challenge
from card_core.sign_in import Prover
from scan_api.terminal.client import TerminalClient, new_request_id
from scan_api.terminal.errors import OutcomeUnknownError, ServiceAwayError

ATTEMPT_BYTES = 32


class ChannelClient(TerminalClient):
    """One channel's connection; safe in many threads. Every method raises TerminalError."""

    def describe(self) -> dict[str, Any]:
        """Which channel this is and what may be done at it: GET /v1/channel."""
        try:
            return self._ask("GET", "/v1/channel", b"")
        except OutcomeUnknownError:
            raise ServiceAwayError from None

    def open_session(self, social_security_number: str, password: str) -> dict[str, Any]:
        """Of whoever stands before the channel: POST /v1/channel/sessions."""
        fields = {"social_security_number": social_security_number, "password": password}
        return self._send("/v1/channel/sessions", fields)

    def end_session(self, session: str) -> None:
        self._send("/v1/channel/sessions/end", {"session": session})

    def report_loss(self, session: str, *, request_id: str | None = None) -> dict[str, Any]:
        """request_id: give that of an earlier report to settle its outcome."""
        fields = {"session": session, "request_id": request_id or new_request_id()}
        return self._send("/v1/channel/loss-reports", fields)

    def see_applications(self, session: str) -> dict[str, Any]:
        return self._send("/v1/channel/applications/progress", {"session": session})

    def print_code(self, session: str) -> dict[str, Any]:
        """A retry prints anew, and what was printed before is worth nothing."""
        return self._send("/v1/channel/printed-codes", {"session": session})

    def open_clerk_session(
        self, name: str, password: str, digits: str | None, prover: Prover | None = None
    ) -> dict[str, Any]:
        """digits: a dynamic password; None: `prover` answers, with the clerk's own key.

        Signing in again after no answer came draws another attempt.
        """
        fields: dict[str, str | None] = {"name": name, "password": password}
        if digits is not None or prover is None:
            return self._send("/v1/channel/clerk/sessions", {**fields, "dynamic_password": digits})
        drawn = secrets.token_bytes(ATTEMPT_BYTES)
        attempt = base64.urlsafe_b64encode(drawn).decode().rstrip("=")
        asked = self._send("/v1/channel/clerk/challenges", {"name": name, "attempt": attempt})
        challenge = _challenge_in(asked)
        fields |= {"attempt": attempt, "signature": prover(challenge).value.hex()}
        return self._send("/v1/channel/clerk/sessions", fields)

    def by_clerk(self, what: str, session: str, fields: dict[str, Any]) -> dict[str, Any]:
        """what: `activations`, `loss-reports` or `applications`. fields: as the page sent them,
        with their request_id."""
        return self._send(f"/v1/channel/clerk/{what}", {**fields, "session": session})


def _challenge_in(asked: dict[str, Any]) -> bytes:
    """What a clerk's key may sign. Raises: OutcomeUnknownError for whatever is no challenge."""
    try:
        challenge = bytes.fromhex(asked["challenge"])
    except (KeyError, TypeError, ValueError):
        raise OutcomeUnknownError from None
    if not is_challenge(challenge):
        raise OutcomeUnknownError
    return challenge
