"""Receipts (核验凭据): the signed evidence of one accepted scan, or of its reversal.

A receipt says who scanned, when, for which business type and amount, and which event of the audit
log records it. It names its holder by a pseudonym that is good at one institution alone, and the
clerk by a commitment that opens to whoever has the words and their salt. The bytes are in
docs/receipts.md, complete enough for a stranger to verify one with no network, years later.

    receipts = make_receipts(contents, signer)      # one SM2 signature, whatever their number
    text = to_text(receipts[0])
    content = verify_receipt(from_text(text), keys)

    ReceiptsError
    ├── InvalidReceiptError     not a receipt, not genuine, or no key here verifies it
    ├── InvalidKeyFileError     no file of receipt keys
    └── InvalidContentError     the caller's own fault: a value that no receipt can carry
"""

from card_core.receipts.clerk import SALT_SIZE_BYTES, commit_to_clerk
from card_core.receipts.content import (
    CHAIN_MAX,
    INSTITUTION_CODE_MAX,
    NO_CLERK,
    NO_EVENT,
    NO_SCAN,
    PSEUDONYM_SIZE_BYTES,
    ReceiptContent,
    ReceiptKind,
)
from card_core.receipts.errors import (
    InvalidContentError,
    InvalidKeyFileError,
    InvalidReceiptError,
    ReceiptsError,
)
from card_core.receipts.key_file import (
    KEY_FILE_BYTES_MAX,
    fingerprint,
    read_key_file,
    write_key_file,
)
from card_core.receipts.making import GROUP_MAX, make_receipts
from card_core.receipts.reading import (
    INPUT_BYTES_MAX,
    RECEIPT_BYTES_MAX,
    RECEIPT_TEXT_MAX,
    Receipt,
    ReceiptKey,
    from_text,
    read_receipt,
    text_in,
    to_text,
    verify_receipt,
)

__all__ = [
    "CHAIN_MAX",
    "GROUP_MAX",
    "INPUT_BYTES_MAX",
    "INSTITUTION_CODE_MAX",
    "KEY_FILE_BYTES_MAX",
    "NO_CLERK",
    "NO_EVENT",
    "NO_SCAN",
    "PSEUDONYM_SIZE_BYTES",
    "RECEIPT_BYTES_MAX",
    "RECEIPT_TEXT_MAX",
    "SALT_SIZE_BYTES",
    "InvalidContentError",
    "InvalidKeyFileError",
    "InvalidReceiptError",
    "Receipt",
    "ReceiptContent",
    "ReceiptKey",
    "ReceiptKind",
    "ReceiptsError",
    "commit_to_clerk",
    "fingerprint",
    "from_text",
    "make_receipts",
    "read_key_file",
    "read_receipt",
    "text_in",
    "to_text",
    "verify_receipt",
    "write_key_file",
]
