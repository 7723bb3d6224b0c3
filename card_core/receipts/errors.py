"""The errors of `card_core.receipts`; the tree is drawn in the package's docstring."""

from card_core.errors import CardCoreError


class ReceiptsError(CardCoreError):
    """Anything that this package raises."""

    code = "receipts"


class InvalidReceiptError(ReceiptsError):
    """Not to be believed. Which check failed is not told: to the reader it is all the same."""

    code = "invalid_receipt"
    message_zh = "凭据无效：内容不完整、被改动，或不是由所信任的密钥签发"
    message_en = (
        "The receipt is not valid: cut, changed, or not signed by a key that is trusted here"
    )


class InvalidKeyFileError(ReceiptsError):
    """Not a file of receipt keys, or not one that this program understands whole."""

    code = "invalid_receipt_key_file"
    message_zh = "不是可用的凭据公钥文件，请向发卡机构重新索取（sscard receipt keys 导出）"
    message_en = "This is no usable file of receipt keys; ask the issuer for it again"


class InvalidContentError(ReceiptsError, ValueError):
    """A value that no receipt can carry was given by the caller. `field` names it, no more."""

    code = "invalid_receipt_content"

    def __init__(self, field: str) -> None:
        self.field = field
        self.message_zh = f"凭据字段 {field} 的值超出允许范围"
        self.message_en = f"The receipt's {field} is out of range"
        super().__init__()
