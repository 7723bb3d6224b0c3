"""A service channel's side of the service: signs every request with the channel's own key."""

from typing import Any

from scan_api.terminal.client import TerminalClient, new_request_id
from scan_api.terminal.errors import OutcomeUnknownError, ServiceAwayError


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

    def print_code(self, session: str) -> dict[str, Any]:
        """A retry prints anew, and what was printed before is worth nothing."""
        return self._send("/v1/channel/printed-codes", {"session": session})
