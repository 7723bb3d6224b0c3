"""Status lists (状态列表): which device credentials of a day may no longer be relied on.

The bytes are in docs/offline.md. A list has one position for each credential of its day, drawn at
random and never reused, and each position has a state of two bits. The work on positions is done by
the native core (`card_core._native`); this face signs, verifies and gives it Python's types.

    issuer   ListHead -> to_be_signed() -> its status key -> assemble_list, assemble_update
    terminal open_list(answer, keys=..., held=...) -> HeldList.state(index), HeldList.age(now)

The issuer signs the head, which holds the digest of the whole list. So an update needs no signature
of its own: whoever applies it can tell whether it led to the list that was signed.

The error tree:

    StatusListError
    ├── InvalidListError      the caller's own fault
    ├── MalformedListError    bytes that are no list, or do not follow the list that is held
    ├── ListNotGenuineError   no status key in force signed it
    └── OlderListError        an older version than the one that is held
"""

from card_core._native import (
    STATUS_LISTED_MAX,
    STATUS_POSITIONS_MAX,
    StatusList,
)
from card_core._native import compose_status_changes as compose_changes
from card_core._native import status_changes as make_changes
from card_core.status_list.errors import (
    InvalidListError,
    ListNotGenuineError,
    MalformedListError,
    OlderListError,
    StatusListError,
)
from card_core.status_list.head import SIZE as HEAD_SIZE
from card_core.status_list.head import ListHead
from card_core.status_list.signed import (
    LIST_BYTES_MAX,
    Age,
    HeldList,
    assemble_list,
    assemble_update,
    open_list,
)
from card_core.status_list.states import CredentialState

__all__ = [
    "HEAD_SIZE",
    "LIST_BYTES_MAX",
    "STATUS_LISTED_MAX",
    "STATUS_POSITIONS_MAX",
    "Age",
    "CredentialState",
    "HeldList",
    "InvalidListError",
    "ListHead",
    "ListNotGenuineError",
    "MalformedListError",
    "OlderListError",
    "StatusList",
    "StatusListError",
    "assemble_list",
    "assemble_update",
    "compose_changes",
    "make_changes",
    "open_list",
]
