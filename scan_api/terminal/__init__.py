"""An institution's terminal: its key, its connection to the service, and the counter's page.

With a pinned status key it works with no network, too (docs/offline-terminals.md):

    Carried, Journal, ServiceClock -> OfflineDesk.judge      by itself
    TerminalClient, OfflineDesk -> FailingOver.scan          the service first
    Rounds.running                                           fresh, and handed in
"""

from card_core.store.terminal_journal import Journal
from scan_api.terminal.carried import Carried, NotPinnedError, pin_status_key
from scan_api.terminal.client import TerminalClient, new_request_id
from scan_api.terminal.counter import create_counter_app
from scan_api.terminal.errors import (
    OutcomeUnknownError,
    RequestRefusedError,
    ServiceAwayError,
    TerminalError,
)
from scan_api.terminal.failing_over import FailingOver
from scan_api.terminal.key import TerminalKey, TerminalKeyError
from scan_api.terminal.offline_desk import OfflineDesk
from scan_api.terminal.rounds import Rounds
from scan_api.terminal.service_clock import ServiceClock

__all__ = [
    "Carried",
    "FailingOver",
    "Journal",
    "NotPinnedError",
    "OfflineDesk",
    "OutcomeUnknownError",
    "RequestRefusedError",
    "Rounds",
    "ServiceAwayError",
    "ServiceClock",
    "TerminalClient",
    "TerminalError",
    "TerminalKey",
    "TerminalKeyError",
    "create_counter_app",
    "new_request_id",
    "pin_status_key",
]
