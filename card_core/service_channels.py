"""Service channels (服务渠道): machines at which people without a phone are served.

A channel is enrolled like a terminal, with a key of its own and by two people, and is no terminal:
it never scans, and a terminal never does what a channel may. What each kind may do stands in
`kernel.permissions.CHANNEL_RIGHTS`.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class ChannelKind(StrEnum):
    """kiosk: 自助终端, where people serve themselves. bank_counter: 银行网点柜台, and home_visit:
    上门平板, where a clerk serves them."""

    KIOSK = "kiosk"
    BANK_COUNTER = "bank_counter"
    HOME_VISIT = "home_visit"


PLACES: Final[Mapping[ChannelKind, frozenset[str]]] = MappingProxyType(
    {
        ChannelKind.KIOSK: frozenset({"bureau", "bank", "hospital"}),
        ChannelKind.BANK_COUNTER: frozenset({"bank"}),
        ChannelKind.HOME_VISIT: frozenset({"bureau", "bank"}),
    }
)
"""At which kinds of institution (`business_types.PLACES`) a channel of each kind may stand."""

ATTENDED: Final = frozenset({ChannelKind.BANK_COUNTER, ChannelKind.HOME_VISIT})
"""Where an operator of the role `clerk` signs in and acts; at any other it is the holder."""

HANDING_OVER: Final = frozenset({ChannelKind.BANK_COUNTER})
"""Where cards are handed over: those that were dispatched to the branch whose code is that of the
institution at which the channel stands, and no others."""

SHOWING_APPLICATIONS: Final = frozenset({ChannelKind.KIOSK})
"""Where a holder sees how far their applications are."""

SESSION_LIFE: Final = timedelta(minutes=5)
SESSION_IDLE: Final = timedelta(minutes=2)
"""A person's session at a channel ends by itself: the next one in the queue must not find it."""

CLERK_SESSION_LIFE: Final = timedelta(hours=4)
CLERK_SESSION_IDLE: Final = timedelta(minutes=10)
"""A clerk's goes on from one person to the next, for half a working day."""
