"""Errors of applications made one by one, of cards made at once, and of family members.

KernelError
  ApplicationFaultsError    fields of an application are wrong; all of them are named
  ApplicationRefusedError   this person may not have this card; `code` says why
  NoBlankCardsError         the branch has not so many blank cards
  FamilyError               an e-card may not be shown by this holder; `code` says why
"""

from collections.abc import Sequence
from typing import NamedTuple

from card_core.errors import KernelError


class Fault(NamedTuple):
    """What is wrong with a field of an application: a stable code, and two texts."""

    field: str
    code: str
    message_zh: str
    message_en: str


class ApplicationFaultsError(KernelError):
    """faults: all that is wrong with the fields, as a roster's row would be told."""

    code = "application_faults"
    message_zh = "申领信息有误，请按提示更正"
    message_en = "Some fields of the application are wrong; put them right"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = tuple(faults)


class ApplicationRefusedError(KernelError):
    """code: why this person may not have this card; the texts say what to do."""

    def __init__(self, code: str, message_zh: str, message_en: str) -> None:
        self.code = code
        self.message_zh = message_zh
        self.message_en = message_en
        super().__init__()


class NoBlankCardsError(KernelError):
    code = "no_blank_cards"
    message_zh = "该网点的空白卡不足，请先办理入库"
    message_en = "The branch has not so many blank cards; have some brought in first"


class FamilyError(KernelError):
    """code: what stands in the way; the texts say what to do."""

    def __init__(self, code: str, message_zh: str, message_en: str) -> None:
        self.code = code
        self.message_zh = message_zh
        self.message_en = message_en
        super().__init__()
