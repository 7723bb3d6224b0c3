"""The life of an issuer's key: its steps, when it signs, and how long what it signed is believed.

A key is made known as pending, long before it signs anything. Activating it fixes the instant from
which it signs; the key before it signs until then, and verifies for as long as something that it
signed may still be shown (its overlap). After that it is as good as revoked, whether or not
anybody has ended it by then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from card_core._native import CODE_LIFE_SECONDS, OFFLINE_SKEW_SECONDS, ONLINE_SKEW_SECONDS
from card_core.codes.keys import CodeKey, KeyPurpose, KeyState
from card_core.states import Step

# Revoking is for emergencies and asks for no overlap; ending is for a key that has had its time.
KEY: Mapping[Step, Mapping[KeyState, KeyState]] = MappingProxyType(
    {
        Step.ACTIVATE: {KeyState.PENDING: KeyState.ACTIVE},
        Step.SUPERSEDE: {KeyState.ACTIVE: KeyState.VERIFY_ONLY},
        Step.END: {KeyState.VERIFY_ONLY: KeyState.REVOKED},
        Step.REVOKE: {
            state: KeyState.REVOKED for state in KeyState if state is not KeyState.REVOKED
        },
    }
)

RING_AGE_SECONDS_MAX: Final = 4
"""A process that could not read the keys for longer refuses every code."""

CLOCKS_APART_SECONDS_MAX: Final = 5
"""Between two machines of one service; beyond it the service raises an alarm."""

ACTIVATION_LEAD: Final = timedelta(seconds=RING_AGE_SECONDS_MAX + CLOCKS_APART_SECONDS_MAX + 1)
"""A key signs only this long after its activation: by then every process that still answers has
read that it is active, so that no code of it is refused for being new."""

CREDENTIAL_DAYS_AHEAD: Final = 7
"""How many days' device credentials a phone may hold."""

# Codes are taken up to the end of the last whole second, hence the one more.
_ONLINE_SECONDS = CODE_LIFE_SECONDS + ONLINE_SKEW_SECONDS + 1
_OFFLINE_SECONDS = CODE_LIFE_SECONDS + OFFLINE_SKEW_SECONDS + 1

OVERLAP: Mapping[KeyPurpose, timedelta] = MappingProxyType(
    {
        KeyPurpose.CODE_SIGNING: timedelta(seconds=_ONLINE_SECONDS),
        KeyPurpose.DEVICE_CREDENTIAL: timedelta(
            days=CREDENTIAL_DAYS_AHEAD + 1, seconds=_OFFLINE_SECONDS
        ),
        # A status list is carried for a day at the longest, and its day's neighbour with it.
        KeyPurpose.STATUS: timedelta(days=2),
        # Receipts are evidence for years.
        KeyPurpose.RECEIPT: timedelta(days=3653),
        # A request between issuers is taken for minutes, its answer at once.
        KeyPurpose.PEER: timedelta(minutes=10),
        # Trust lists say themselves when they expire, a year ahead at the latest.
        KeyPurpose.TRUST_LIST: timedelta(days=366),
        # A maker makes cards within weeks; a file that failed is sent again.
        KeyPurpose.CARD_ISSUING: timedelta(days=366),
    }
)
"""How long a key of this purpose verifies after it has ceased to sign: the longest life of what
it signs, and the skew that is allowed."""


def ends_at(key: CodeKey) -> datetime | None:
    """When what the key signed is believed no more; None while nobody has fixed it."""
    return None if key.signs_until is None else key.signs_until + OVERLAP[key.purpose]


def signs_at(key: CodeKey, now: datetime) -> bool:
    """Whether the key signs at this instant. A key that was superseded does so until its hour."""
    if key.state is KeyState.VERIFY_ONLY and key.signs_until is None:
        return False
    return (
        key.state in {KeyState.ACTIVE, KeyState.VERIFY_ONLY}
        and (key.signs_from is None or key.signs_from <= now)
        and (key.signs_until is None or now < key.signs_until)
    )


def at(key: CodeKey, now: datetime) -> CodeKey:
    """The key as it is to be believed now: revoked once its overlap is over."""
    end = ends_at(key)
    if key.state is KeyState.VERIFY_ONLY and end is not None and now > end:
        return replace(key, state=KeyState.REVOKED)
    return key


def signing_key(
    keys: Iterable[CodeKey], issuer: int, purpose: KeyPurpose, now: datetime
) -> CodeKey | None:
    """The one key of the issuer that signs for this purpose now; None where there is none.

    Should two claim it, as two machines' clocks may make it seem, it is the one that began last.
    """
    signing = [
        key
        for key in keys
        if key.issuer == issuer and key.purpose is purpose and signs_at(key, now)
    ]
    return max(signing, key=lambda key: (key.signs_from is not None, key.signs_from), default=None)
