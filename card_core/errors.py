"""The error tree of card_core's acts and storage. Each class has a stable code and two texts.

    CardCoreError
      StoreError
        StoreBusyError          the database did not answer in time; try again
          StoreConflictError    another transaction was faster, several times in a row
        SchemaOutdatedError     the database needs `upgrade`, or is newer than this program
        TamperedRowError        a row that decides does not fit its HMAC; nothing relies on it
        FieldKeyDiffersError    this process has not the field key that personal data is sealed with
        AuditChainError         the audit chain shows an edit, a deletion, a swap or a cut tail
          AuditRewrittenError     the chain is not the one that a checkpoint was signed of
      KernelError
        NotAllowedError         this actor may not do this
        ApprovalNeededError     the act is dangerous: propose it, another person approves it
        SamePersonError         whoever proposed may not approve
        ContentChangedError     what is approved is not what was proposed
        WrongStateError         the thing is in a state in which this can't be done
        NotByPolicyError        the issuer's policy does not allow this
        TooEarlyError           this can't be done yet
        FieldKeyInUseError      something is still sealed under the version to be destroyed
        NotFoundError           there is no such thing
        AlreadyExistsError      there is one already
        (application_errors)    what stands in the way of an application or a shown e-card
        ApplicantsRefusedError  of people who apply together some may not; none is opened
        ImportUnderWayError     the same roster is being imported
        ReturnRefusedError      a row of a bank's or a maker's return does not fit what was sent
        InvalidActError         a field of the act is out of its limits
        IdempotencyConflictError    the request id was used for another content
        NotReversibleError      nothing, or nothing more, of this scan can be taken back
        ReplayedRequestError    the signed request was seen before, or is too old
        RecordMergedError       the holder's record was merged into another, which is named
        HolderRecordError       what stands in the way of a merge or correction, to be done first
        TooManyShortCodesError  the holder has as many short codes alive as one may
      SignInError
        SignInRefusedError      unknown person or wrong password, told apart by nothing
        SignInLockedError       too many failures; known and unknown people alike
        SessionEndedError       no such session, or ended, or idle too long
        WeakPasswordError       the new password is too easy
      CardUnusableError         no code can be minted; `reason` says why

Those about a person's own data are in `holder_errors`. The texts hold no personal data and nothing
that came from outside. No HTTP here.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from card_core.return_reasons import RETURN_REASONS


class CardCoreError(Exception):
    """The root. code: stable English; message_zh and message_en: what went wrong, what to do."""

    code = "card_core_error"
    message_zh = "操作失败"
    message_en = "The act failed"

    def __init__(self) -> None:
        super().__init__(self.message_en)

    def __reduce__(self) -> tuple[Any, ...]:
        """It passes between processes as it is: its constructor takes other arguments."""
        return _as_it_was, (type(self), self.args, self.__dict__)


def _as_it_was(kind: type["CardCoreError"], args: tuple[Any, ...], more: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    error.__dict__.update(more)
    return error


class StoreError(CardCoreError):
    """The database can't serve, or must not be believed."""

    code = "store_error"
    message_zh = "数据库错误"
    message_en = "The database failed"


class StoreBusyError(StoreError):
    code = "store_busy"
    message_zh = "数据库繁忙或无法连接，请稍后以同一请求号重试"
    message_en = "The database is busy or out of reach; try again with the same request id"


class StoreConflictError(StoreBusyError):
    """A deadlock, or a lost race for a unique value."""


class CardPushError(StoreBusyError):
    """The act is committed; that every worker has heard of it is not sure yet."""

    code = "card_push_failed"
    message_zh = "更改已记录，但尚未确认所有核验进程都已知道，请以同一请求号重试"
    message_en = (
        "The change is recorded, but it is not sure yet that every scanning process knows; "
        "try again with the same request id"
    )


class SchemaOutdatedError(StoreError):
    code = "schema_outdated"
    message_zh = "数据库结构与本程序版本不符，请先升级"
    message_en = "The database's structure does not fit this program; upgrade first"


class TamperedRowError(StoreError):
    """`table` and `row_id` go to the log of whoever looks into it."""

    code = "tampered_row"
    message_zh = "数据完整性校验失败，已拒绝使用，请联系管理员"
    message_en = "A record fails its integrity check and is not used; tell the administrator"

    def __init__(self, table: str, row_id: str) -> None:
        super().__init__()
        self.table = table
        self.row_id = row_id


class FieldKeyDiffersError(StoreError):
    """version: of the field key that should be here and is another one, or none."""

    code = "field_key_differs"

    def __init__(self, version: int) -> None:
        self.message_zh = (
            f"本机密钥文件夹中没有个人信息加密密钥第 {version} 版，或与启用的不符。"
            "请从备份或启用它的机器复制密钥文件"
        )
        self.message_en = (
            f"Version {version} of the field key is not in this machine's key folder, or is "
            "another one. Copy its file from a backup or from the machine that activated it"
        )
        super().__init__()
        self.version = version


class AuditChainError(StoreError):
    """seq: the first event, counted from 1, at which the chain does not hold."""

    code = "audit_chain_broken"

    def __init__(self, chain: str, seq: int) -> None:
        self.message_zh = f"审计链 {chain} 在第 {seq} 条断裂"
        self.message_en = f"The audit chain {chain} does not hold at event {seq}"
        super().__init__()
        self.chain = chain
        self.seq = seq


class AuditRewrittenError(AuditChainError):
    """The chain holds in itself, and is not the one that somebody signed at this event."""

    code = "audit_log_rewritten"

    def __init__(self, chain: str, seq: int) -> None:
        super().__init__(chain, seq)
        self.message_zh = (
            f"审计链 {chain} 与签名的检查点不符：第 {seq} 条或此前的记录被改写，或日志被截断、"
            "数据库被换成旧的。请保留现场并调查"
        )
        self.message_en = (
            f"The audit chain {chain} does not fit a signed checkpoint: event {seq} or one before "
            "it was rewritten, or the log was cut, or an older database put in its place. Keep "
            "everything as it is and look into it"
        )


class KernelError(CardCoreError):
    """An act was refused and nothing changed."""

    code = "act_refused"


class NotAllowedError(KernelError):
    code = "not_allowed"
    message_zh = "当前身份无权进行此操作"
    message_en = "You may not do this"


class ApprovalNeededError(KernelError):
    code = "approval_needed"
    message_zh = "此操作须先提交，由另一人复核后生效"
    message_en = "This must be proposed first; it takes effect when another person approves it"


class SamePersonError(KernelError):
    code = "same_person"
    message_zh = "经办人不得复核自己提交的操作"
    message_en = "Whoever proposed this may not approve it"


class ContentChangedError(KernelError):
    code = "content_changed"
    message_zh = "复核内容与提交内容不一致，请重新提交"
    message_en = "What would be approved is not what was proposed; propose it anew"


class WrongStateError(KernelError):
    """thing: what it is about, such as "card"; state: the state it is in."""

    code = "wrong_state"

    def __init__(self, thing: str, state: StrEnum) -> None:
        self.message_zh = f"当前状态（{state.value}）下不能进行此操作"
        self.message_en = f"The {thing} is in the state {state.value}, in which this can't be done"
        super().__init__()
        self.thing = thing
        self.state = state


class NotByPolicyError(KernelError):
    code = "not_by_policy"
    message_zh = "发卡机构的卡管理规定不允许此操作"
    message_en = "The issuer's policy for cards does not allow this"


class TooEarlyError(KernelError):
    """possible_at: aware; from when on it can be done. None where nothing has fixed that yet."""

    code = "too_early"

    def __init__(self, possible_at: datetime | None) -> None:
        when = "" if possible_at is None else f"{possible_at:%Y-%m-%d %H:%M:%S} UTC"
        self.message_zh = f"尚不能进行此操作{f'，最早 {when}' if when else ''}"
        self.message_en = f"This can't be done yet{f', at the earliest {when}' if when else ''}"
        super().__init__()
        self.possible_at = possible_at


class ReturnRefusedError(KernelError):
    """number: of the row. reason: of RETURN_REASONS; nothing of the return was taken."""

    code = "return_refused"

    def __init__(self, number: int, reason: str) -> None:
        zh, en = RETURN_REASONS[reason]
        self.message_zh = f"回盘文件序号 {number}：{zh}。整个文件未采用，请核对后重新取得文件"
        self.message_en = (
            f"Record {number} of the return: {en}. Nothing of the file was taken; have it checked "
            "and sent again"
        )
        super().__init__()
        self.number = number
        self.reason = reason


class FieldKeyInUseError(KernelError):
    """table: that has a value under it."""

    code = "field_key_in_use"

    def __init__(self, table: str) -> None:
        self.message_zh = (
            f"表 {table} 中仍有数据由该版密钥加密，请待后台重新加密（最多一天）、制卡单全部回盘"
        )
        self.message_en = (
            f"The table {table} still has data under this version; wait until the service has "
            "sealed it anew, a day at most, and until makers have answered their orders"
        )
        super().__init__()
        self.table = table


class NotFoundError(KernelError):
    """thing: what was looked for; the value is not repeated."""

    code = "not_found"

    def __init__(self, thing: str) -> None:
        self.message_zh = f"没有这条记录（{thing}）"
        self.message_en = f"There is no such {thing}"
        super().__init__()
        self.thing = thing


class AlreadyExistsError(KernelError):
    code = "already_exists"

    def __init__(self, thing: str) -> None:
        self.message_zh = f"记录已存在（{thing}）"
        self.message_en = f"There is such a {thing} already"
        super().__init__()
        self.thing = thing


class ApplicantsRefusedError(KernelError):
    """refused: row and code of each who may not, as `acts.batches.ImportRoster` tells them."""

    code = "applicants_refused"

    def __init__(self, refused: Sequence[tuple[int, str]]) -> None:
        self.message_zh = f"{len(refused)} 人不能申领，全部申领均未受理"
        self.message_en = (
            f"{len(refused)} of the people may not apply, and no application was opened"
        )
        super().__init__()
        self.refused = tuple(refused)


class ImportUnderWayError(KernelError):
    code = "import_under_way"
    message_zh = "同一份名册正在导入，请等其完成"
    message_en = "The same roster is being imported at this moment; wait until it is in"


class InvalidActError(KernelError):
    """field: the act's field that is out of its limits; the value is not repeated."""

    code = "invalid_act"

    def __init__(self, field: str, message_zh: str, message_en: str) -> None:
        self.message_zh = f"{field}：{message_zh}"
        self.message_en = f"{field}: {message_en}"
        super().__init__()
        self.field = field


class IdempotencyConflictError(KernelError):
    code = "idempotency_conflict"
    message_zh = "该请求号已用于其他内容，请换新的请求号"
    message_en = "This request id was used for another content; use a new one"


class ReplayedRequestError(KernelError):
    code = "replayed_request"
    message_zh = "该签名请求已使用过或已过期，请重新签名"
    message_en = "This signed request was used before or is too old; sign anew"


class NotReversibleError(KernelError):
    code = "not_reversible"

    def __init__(self, message_zh: str, message_en: str) -> None:
        self.message_zh = message_zh
        self.message_en = message_en
        super().__init__()


class RecordMergedError(KernelError):
    """into: the id of the record that the holder has now."""

    code = "record_merged"

    def __init__(self, into: str) -> None:
        self.message_zh = f"该持卡人记录已合并，请使用记录 {into}"
        self.message_en = f"This holder record was merged; use record {into}"
        super().__init__()
        self.into = into


class HolderRecordError(KernelError):
    """code: what stands in the way; the texts say what to do first."""

    def __init__(self, code: str, message_zh: str, message_en: str) -> None:
        self.code = code
        self.message_zh = message_zh
        self.message_en = message_en
        super().__init__()


class TooManyShortCodesError(KernelError):
    code = "too_many_short_codes"
    message_zh = "正在使用的短码过多，请一分钟后再试"
    message_en = "Too many short codes are alive; try again in a minute"


class SignInError(CardCoreError):
    """Nobody is signed in."""

    code = "sign_in_error"


class SignInRefusedError(SignInError):
    code = "sign_in_refused"
    message_zh = "号码或密码不正确"
    message_en = "The number or the password is wrong"


class SignInLockedError(SignInError):
    """locked_until: aware, UTC."""

    code = "sign_in_locked"
    message_zh = "连续失败次数过多，已锁定 15 分钟，请稍后再试"
    message_en = "Too many failures: locked for 15 minutes; try again later"

    def __init__(self, locked_until: datetime) -> None:
        super().__init__()
        self.locked_until = locked_until


class FactorMissingError(SignInError):
    """The password is right, and there is no second factor that could be asked for."""

    code = "factor_missing"
    message_zh = "尚未登记第二因素，请先登记后再登录"
    message_en = "No second factor is enrolled yet; enrol one, then sign in"


class SessionEndedError(SignInError):
    code = "session_ended"
    message_zh = "登录已失效，请重新登录"
    message_en = "The session has ended; sign in again"


class WeakPasswordError(SignInError):
    code = "weak_password"

    def __init__(self, message_zh: str, message_en: str) -> None:
        self.message_zh = message_zh
        self.message_en = message_en
        super().__init__()


class FastStoreError(CardCoreError):
    """cause: a stable English word for the log. The verdict is `Reason.SHOW_NEW_CODE`."""

    code = "fast_store_error"
    message_zh = "暂时无法确认动态码是否已使用，请刷新出新的码"
    message_en = "Whether the code was used can't be known now; show a new code"

    def __init__(self, cause: str) -> None:
        super().__init__()
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.code}: {self.cause}"


class FastStoreAwayError(FastStoreError):
    code = "fast_store_away"


class InDoubtError(FastStoreError):
    code = "in_doubt"


class CardUnusableError(CardCoreError):
    """reason: a `card_core.verdicts.Reason`, the one that a scan would get."""

    code = "card_unusable"
    message_zh = "卡片当前不可用，不能生成动态码"
    message_en = "The card can't be used now; no code was made"

    def __init__(self, reason: StrEnum) -> None:
        super().__init__()
        self.reason = reason
