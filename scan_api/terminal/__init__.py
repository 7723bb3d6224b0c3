"""An institution's terminal: its key, its connection to the service, and the counter's page."""

from scan_api.terminal.client import TerminalClient, new_request_id
from scan_api.terminal.counter import create_counter_app
from scan_api.terminal.errors import (
    OutcomeUnknownError,
    RequestRefusedError,
    ServiceAwayError,
    TerminalError,
)
from scan_api.terminal.key import TerminalKey, TerminalKeyError

__all__ = [
    "OutcomeUnknownError",
    "RequestRefusedError",
    "ServiceAwayError",
    "TerminalClient",
    "TerminalError",
    "TerminalKey",
    "TerminalKeyError",
    "create_counter_app",
    "new_request_id",
]
