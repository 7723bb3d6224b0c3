"""Codes (动态码): what a QR picture holds, how one is made and how one is checked.

The bytes, the limits and the order of the checks are in docs/code-format.md. The work is done by
the native core (`card_core._native`); this face gives it Python's types. Checking is one call that
needs no store and holds no lock. Making a code is to lay out what is to be signed, to have it
signed by whoever holds the key, and to assemble the text. `card_core.codes.picture` draws it.

The error tree:

    CodesError
    ├── RefusedError         the text may not be relied on; `reason` says why
    └── InvalidFieldError    the caller's own fault: a value that no code can carry

The native core holds its own copy of the SM core. Once a self-test of that copy has failed,
`require_operational`, `check` and `KeyRing` raise crypto.SelfTestError.
"""

from card_core._native import (
    AMOUNT_FEN_MAX,
    CODE_LIFE_SECONDS,
    CODE_TEXT_MAX,
    CREDENTIAL_LIFE_SECONDS,
    KEY_RING_MAX,
    OFFLINE_SKEW_SECONDS,
    ONLINE_SKEW_SECONDS,
    KeyRing,
    require_operational,
)
from card_core.codes.box import open_box, seal_box
from card_core.codes.checking import CheckedCode, check
from card_core.codes.errors import CodesError, InvalidFieldError, RefusedError
from card_core.codes.fields import (
    ANY_TERMINAL,
    CodeKind,
    ForWhom,
    Presence,
    PurposeClass,
)
from card_core.codes.keys import CodeKey, KeyPurpose, KeyState, key_name
from card_core.codes.making import (
    DeviceCredential,
    OfflineCode,
    OnlineCode,
    assemble,
    assemble_credential,
)

__all__ = [
    "AMOUNT_FEN_MAX",
    "ANY_TERMINAL",
    "CODE_LIFE_SECONDS",
    "CODE_TEXT_MAX",
    "CREDENTIAL_LIFE_SECONDS",
    "KEY_RING_MAX",
    "OFFLINE_SKEW_SECONDS",
    "ONLINE_SKEW_SECONDS",
    "CheckedCode",
    "CodeKey",
    "CodeKind",
    "CodesError",
    "DeviceCredential",
    "ForWhom",
    "InvalidFieldError",
    "KeyPurpose",
    "KeyRing",
    "KeyState",
    "OfflineCode",
    "OnlineCode",
    "Presence",
    "PurposeClass",
    "RefusedError",
    "assemble",
    "assemble_credential",
    "check",
    "key_name",
    "open_box",
    "require_operational",
    "seal_box",
]
