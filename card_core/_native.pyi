"""The native core; its public faces are card_core.codes, card_core.status_list and, for what
PostgreSQL is given, card_core.store.bulk."""

from collections.abc import Iterable
from typing import Any, Final, TypeAlias, final

from card_core.codes.keys import CodeKey

__all__ = [
    "AMOUNT_FEN_MAX",
    "CODE_LIFE_SECONDS",
    "CODE_TEXT_MAX",
    "CREDENTIAL_LIFE_SECONDS",
    "KEY_RING_MAX",
    "OFFLINE_SKEW_SECONDS",
    "ONLINE_SKEW_SECONDS",
    "STATUS_LISTED_MAX",
    "STATUS_POSITIONS_MAX",
    "KeyRing",
    "StatusList",
    "array_text",
    "assemble",
    "assemble_credential",
    "check",
    "compose_status_changes",
    "copy_rows",
    "credential_to_be_signed",
    "offline_to_be_signed",
    "online_to_be_signed",
    "require_operational",
    "status_changes",
]

AMOUNT_FEN_MAX: Final[int]
CODE_LIFE_SECONDS: Final[int]
CODE_TEXT_MAX: Final[int]
CREDENTIAL_LIFE_SECONDS: Final[int]
KEY_RING_MAX: Final[int]
OFFLINE_SKEW_SECONDS: Final[int]
ONLINE_SKEW_SECONDS: Final[int]
STATUS_LISTED_MAX: Final[int]
STATUS_POSITIONS_MAX: Final[int]

_OfflineFields: TypeAlias = tuple[bytes, bytes, int, int]
_Fields: TypeAlias = tuple[
    *tuple[int, int, int, int],
    *tuple[int, int, int, int],
    *tuple[bytes, int, bytes | None, _OfflineFields | None],
]

@final
class KeyRing:
    def __new__(
        cls, keys: Iterable[CodeKey], *, remembered_bytes_max: int | None = None
    ) -> KeyRing: ...
    def __len__(self) -> int: ...
    @property
    def remembered(self) -> int: ...
    @property
    def remembered_bytes(self) -> int: ...

def require_operational() -> None: ...
def array_text(kind: str, values: list[Any]) -> str: ...
def copy_rows(kinds: list[str], columns: list[list[Any]]) -> bytes: ...
def check(
    text: str,
    keys: KeyRing,
    now: int,
    purpose: int,
    consumes: bool,
    terminal: bytes,
    amount_fen: int | None,
) -> _Fields: ...
def online_to_be_signed(
    issuer: int,
    key_number: int,
    minted_at: int,
    purpose_class: int,
    purposes: int,
    for_whom: int,
    presence: int,
    terminal: bytes,
    amount_fen: int,
    sealed_box: bytes,
) -> bytes: ...
def credential_to_be_signed(
    issuer: int,
    key_number: int,
    expires_at: int,
    purpose_class: int,
    purposes: int,
    for_whom: int,
    presence: int,
    status_index: int,
    device_key: bytes,
) -> bytes: ...
def offline_to_be_signed(
    credential: bytes,
    minted_at: int,
    purpose_class: int,
    purposes: int,
    nonce: bytes,
    terminal: bytes,
    amount_fen: int,
) -> bytes: ...
def assemble(to_be_signed: bytes, signature: bytes) -> str: ...
def assemble_credential(to_be_signed: bytes, signature: bytes) -> bytes: ...

@final
class StatusList:
    def __new__(cls, size: int, listed: Iterable[tuple[int, int]]) -> StatusList: ...
    @staticmethod
    def decode(size: int, body: bytes) -> StatusList: ...
    def encode(self) -> bytes: ...
    @property
    def size(self) -> int: ...
    @property
    def listed(self) -> int: ...
    def state(self, index: int) -> int: ...
    def changes_to(self, later: StatusList) -> bytes: ...
    def apply(self, changes: bytes) -> StatusList: ...
    def __eq__(self, other: object, /) -> bool: ...

def status_changes(size: int, changed: Iterable[tuple[int, int]]) -> bytes: ...
def compose_status_changes(size: int, steps: Iterable[bytes]) -> bytes: ...
