"""The errors of `card_core.codes`; the tree is drawn in the package's docstring."""

from card_core.errors import CardCoreError
from card_core.verdicts import Reason


class CodesError(CardCoreError):
    """Anything that this package raises."""

    code = "codes"


class RefusedError(CodesError):
    """The text may not be relied on. `reason` is the first check that failed, and all there is."""

    code = "code_refused"

    def __init__(self, reason: Reason) -> None:
        self.reason = Reason(reason)
        self.message_zh = self.reason.text_zh
        self.message_en = self.reason.text_en
        super().__init__()


class InvalidFieldError(CodesError, ValueError):
    """A value that no code can carry was given by the caller. `field` names it, not its value."""

    code = "invalid_code_field"

    def __init__(self, field: str) -> None:
        self.field = field
        self.message_zh = f"字段 {field} 的值超出允许范围"
        self.message_en = f"The value of {field} is out of range"
        super().__init__()
