"""The states of a device credential, numbered as in a status list."""

import enum


class CredentialState(enum.IntEnum):
    """GOOD is what a list does not mention; a credential in another state is not relied on.

    SUSPENDED comes back when the loss is withdrawn. WITHDRAWN is about this credential alone: its
    phone was removed, while the card and the holder's other phones may be in use.
    """

    GOOD = 0
    SUSPENDED = 1
    CANCELLED = 2
    WITHDRAWN = 3
