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
    """kiosk: 自助终端, where people serve themselves."""

    KIOSK = "kiosk"


PLACES: Final[Mapping[ChannelKind, frozenset[str]]] = MappingProxyType(
    {ChannelKind.KIOSK: frozenset({"bureau", "bank", "hospital"})}
)
"""At which kinds of institution (`business_types.PLACES`) a channel of each kind may stand."""

SESSION_LIFE: Final = timedelta(minutes=5)
SESSION_IDLE: Final = timedelta(minutes=2)
"""A person's session at a channel ends by itself: the next one in the queue must not find it."""
