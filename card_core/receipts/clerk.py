"""The clerk in a receipt: a commitment, so that a receipt passed on names nobody.

Who scanned at which desk is the institution's own word for one of its people. The receipt binds
those words without showing them: whoever has operator, department and salt can prove them.
"""

from typing import Final

from card_core.receipts.content import NO_CLERK
from card_core.receipts.errors import InvalidContentError
from crypto import sm3

SALT_SIZE_BYTES: Final = 16
WORD_BYTES_MAX: Final = 255
_CONTEXT: Final = b"sscard/receipt-clerk/v1\0"


def commit_to_clerk(operator: str, department: str, salt: bytes) -> bytes:
    """Return 32 bytes over both words; NO_CLERK where there are none.

    salt: 16 bytes that differ for every scan, or the same clerk would be seen in two receipts.
    Raises InvalidContentError.
    """
    if not operator and not department:
        return NO_CLERK
    first, second = operator.encode(), department.encode()
    if len(first) > WORD_BYTES_MAX:
        raise InvalidContentError("operator")
    if len(second) > WORD_BYTES_MAX:
        raise InvalidContentError("department")
    if len(salt) != SALT_SIZE_BYTES:
        raise InvalidContentError("salt")
    return sm3.digest(
        b"".join((_CONTEXT, salt, bytes((len(first),)), first, bytes((len(second),)), second))
    )
