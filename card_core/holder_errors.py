"""Errors about a person's own data; the tree that they belong to is drawn in `errors`.

KernelError
  TooManyExportsError     the person's data was taken out often enough today
  NotErasableError        why a person's data can't be erased yet
"""

from card_core.errors import KernelError


class TooManyExportsError(KernelError):
    code = "too_many_exports"
    message_zh = "今日导出个人信息的次数已达上限"
    message_en = "This person's data was taken out several times today already"


class NotErasableError(KernelError):
    """code: what stands in the way; the texts say what to do first."""

    def __init__(self, code: str, message_zh: str, message_en: str) -> None:
        self.code = code
        self.message_zh = message_zh
        self.message_en = message_en
        super().__init__()
