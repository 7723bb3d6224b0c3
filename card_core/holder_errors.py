"""Errors about a person's own data; the tree that they belong to is drawn in `errors`.

KernelError
  TooManyExportsError     the person's data was taken out often enough today
  NotErasableError        why a person's data can't be erased yet
  PersonCheckError        what stands in the way of a check of the person, and what to do
    PersonCheckMissingError     none is done here
    PersonCheckUnavailableError whoever checks gave no answer
    PersonCheckRefusedError     not passed, or what was typed fits nobody here; not told apart
    PersonCheckUndecidedError   the person has not finished it
    PersonCheckOverError        unknown, done, or out of its time or tries
    PersonCheckLockedError      too many failures or checks; known and unknown people alike
"""

from datetime import datetime

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


class PersonCheckError(KernelError):
    code = "person_check_error"


class PersonCheckMissingError(PersonCheckError):
    code = "person_check_missing"
    message_zh = "本机构未开通网上本人核验，请带身份证和社保卡到窗口办理"
    message_en = "No check of the person is done here; take identity card and card to a window"


class PersonCheckUnavailableError(PersonCheckError):
    """Nothing was decided, and nothing is counted."""

    code = "person_check_unavailable"
    message_zh = "本人核验服务暂时没有答复，请稍后再试"
    message_en = "Whoever checks the person gives no answer; try again later"


class PersonCheckRefusedError(PersonCheckError):
    code = "person_check_refused"
    message_zh = "本人核验未通过，或所填信息与登记不符"
    message_en = "The check was not passed, or what was typed does not fit the records"


class PersonCheckUndecidedError(PersonCheckError):
    code = "person_check_undecided"
    message_zh = "本人核验尚未完成"
    message_en = "The check of the person is not finished"


class PersonCheckOverError(PersonCheckError):
    code = "person_check_over"
    message_zh = "本次核验已结束，请重新开始"
    message_en = "This check is over; begin anew"


class PersonCheckLockedError(PersonCheckError):
    """locked_until: aware, UTC."""

    code = "person_check_locked"
    message_zh = "次数过多，请 15 分钟后再试，或到窗口办理"
    message_en = "Too often: try again in 15 minutes, or at a window"

    def __init__(self, locked_until: datetime) -> None:
        super().__init__()
        self.locked_until = locked_until
