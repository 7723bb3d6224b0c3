"""Acts that decide for how long what is kept, and erase what is past its time.

A person is erased on request, by two people, or by itself when the policy's time is over; either
way only where nothing of the person is under way, and whatever it is read by is read again here.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from card_core.errors import InvalidActError, NotFoundError, RecordMergedError
from card_core.holder_errors import NotErasableError
from card_core.kernel import family_bindings, limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.acts.devices import RemoveDevice
from card_core.kernel.content import to_json
from card_core.kernel.dates import SHANGHAI
from card_core.retention_policy import (
    APPROVAL_DAYS,
    HOLDER_DAYS,
    ON_REQUEST_DAYS,
    REFUSED_DAYS,
    RetentionPolicy,
)
from card_core.store import (
    Lock,
    Reader,
    applications,
    approvals,
    devices,
    erasure,
    holder_base,
    holder_changes,
    holders,
    issuers,
    refused_rows,
    retention_policies,
    sessions,
    stock_cards,
)
from card_core.store.credentials import SubjectKind
from card_core.store.holder_trace import numbers_of

_LIVE: Final = (
    "card_not_cancelled",
    "此人有未注销的社保卡，不能删除其个人信息。请先注销（sscard card cancel）",
    "This person has a card that is not cancelled; cancel it first (sscard card cancel)",
)
_UNDER_WAY: Final = (
    "application_open",
    "此人有在办申领或待接管的存量卡，请先办结或驳回",
    "An application or a stock's card of this person is under way; finish or reject it first",
)
_PROPOSED: Final = (
    "approval_pending",
    "有关于此人的待复核事项，请先同意或驳回",
    "Something about this person waits for approval; approve or reject it first",
)


@dataclass(frozen=True, slots=True)
class SetRetentionPolicy(DangerousAct):
    """See `card_core.retention_policy.RetentionPolicy`; what is gone already stays gone."""

    act: ClassVar[str] = "set_retention_policy"

    holder_days: int
    refused_days: int
    approval_days: int

    def __post_init__(self) -> None:
        for name, days in (
            ("holder_days", HOLDER_DAYS),
            ("refused_days", REFUSED_DAYS),
            ("approval_days", APPROVAL_DAYS),
        ):
            limits.check_range(name, getattr(self, name), days.start, days.stop - 1)
        if self.approval_days > self.holder_days:
            raise InvalidActError(
                "approval_days", "不得长于 holder_days", "must not be more than holder_days"
            )

    def summary(self, tx: Reader) -> str:
        return (
            f"保存期限：注销后 {self.holder_days} 天删除个人信息，未发卡的行 "
            f"{self.refused_days} 天，复核内容 {self.approval_days} 天 / "
            f"Retention: people are erased {self.holder_days} days after their last card, rows "
            f"that came to nothing after {self.refused_days}, what was approved after "
            f"{self.approval_days}"
        )

    def apply(self, scene: Scene) -> Done:
        number = _own_issuer(scene.tx)
        policy = RetentionPolicy(self.holder_days, self.refused_days, self.approval_days)
        retention_policies.put(scene.tx, number, policy)
        answer = to_json(self)
        return Done(answer, f"issuer/{number}", answer)


@dataclass(frozen=True, slots=True)
class EraseHolder(DangerousAct):
    """删除个人信息 on the person's own request, six months after the last card was cancelled.

    Answer: holder_id and how many rows of each kind were erased. Raises NotFoundError, also for who
    is erased already; RecordMergedError; NotErasableError (card_not_cancelled, application_open,
    approval_pending, too_early).
    """

    act: ClassVar[str] = "erase_holder"

    holder_id: str

    def __post_init__(self) -> None:
        limits.check_id("holder_id", self.holder_id)

    def summary(self, tx: Reader) -> str:
        _check_erasable(tx, self.holder_id)
        return (
            f"删除持卡人记录 {self.holder_id} 的全部个人信息，不可恢复 / "
            f"Erase all personal data of holder record {self.holder_id}, for good"
        )

    def apply(self, scene: Scene) -> Done:
        return _erase(scene, self.holder_id, ON_REQUEST_DAYS)


@dataclass(frozen=True, slots=True)
class EraseLapsedHolder(Act):
    """As EraseHolder, for a person whose last card was cancelled as long ago as the policy says."""

    act: ClassVar[str] = "erase_lapsed_holder"

    holder_id: str

    def __post_init__(self) -> None:
        limits.check_id("holder_id", self.holder_id)

    def apply(self, scene: Scene) -> Done:
        policy = retention_policies.of(scene.tx, _own_issuer(scene.tx))
        return _erase(scene, self.holder_id, policy.holder_days)


@dataclass(frozen=True, slots=True)
class ForgetRefused(Act):
    """Delete some rows of rosters and stocks that came to nothing as long ago as the policy says,
    and erase some applications by themselves that were refused or withdrawn then.

    Answer: forgotten, how many; none is left where that is 0.
    """

    act: ClassVar[str] = "forget_refused"

    def apply(self, scene: Scene) -> Done:
        policy = retention_policies.of(scene.tx, _own_issuer(scene.tx))
        before = scene.now - timedelta(days=policy.refused_days)
        deleted = refused_rows.forget(scene.tx, before)
        return _forgotten(scene, deleted + erasure.erase_filings(scene.tx, before, scene.now))


@dataclass(frozen=True, slots=True)
class ForgetApprovals(Act):
    """Erase the content of some proposals decided as long ago as the policy says. Who proposed
    and approved what, when, and its hash, stay. Answer: forgotten, as of ForgetRefused."""

    act: ClassVar[str] = "forget_approvals"

    def apply(self, scene: Scene) -> Done:
        policy = retention_policies.of(scene.tx, _own_issuer(scene.tx))
        before = scene.now - timedelta(days=policy.approval_days)
        return _forgotten(scene, erasure.erase_approvals(scene.tx, before, scene.now))


def _forgotten(scene: Scene, count: int) -> Done:
    answer = {"forgotten": count}
    return Done(answer, f"issuer/{_own_issuer(scene.tx)}", answer)


def _own_issuer(tx: Reader) -> int:
    issuer = issuers.own(tx)
    if issuer is None:
        raise NotFoundError("issuer")
    return issuer.number


def _erase(scene: Scene, holder_id: str, days: int) -> Done:
    tx = scene.tx
    holder_base.lock(tx, Lock.OWN)
    holder_base.lock_record(tx, holder_id, Lock.OWN)
    record_ids, numbers = _check_erasable(tx, holder_id)
    today = scene.now.astimezone(SHANGHAI).date()
    _check_is_time(erasure.last_cancelled_on(tx, record_ids), today - timedelta(days=days), days)
    for record_id in record_ids:
        for phone in devices.of_holder(tx, record_id):
            RemoveDevice(phone.id).apply(scene)
        sessions.end_all(tx, SubjectKind.HOLDER, record_id)
        family_bindings.end_all(tx, record_id, scene.now)
    acts = _acts_that_name_people()
    erased = erasure.erase_person(tx, record_ids, numbers, acts, scene.now)
    answer: dict[str, Any] = {"holder_id": holder_id, **to_json(erased)}
    return Done(answer, f"holder/{holder_id}", answer)


def _check_erasable(tx: Reader, holder_id: str) -> tuple[list[str], list[str]]:
    """All records and numbers of the person, where nothing of them is under way."""
    if not holders.exists(tx, holder_id) or erasure.is_erased(tx, holder_id):
        raise NotFoundError("holder")
    into = holder_changes.merged_into(tx, holder_id)
    if into is not None:
        raise RecordMergedError(holder_changes.record_that_stays(tx, holder_id))
    record_ids = holder_changes.record_ids(tx, holder_id)
    if holder_base.live_cards_of(tx, record_ids):
        raise NotErasableError(*_LIVE)
    numbers = sorted(numbers_of(tx, record_ids))
    if applications.numbers_with_open_one(tx, numbers) or stock_cards.numbers_with_open_card(
        tx, numbers
    ):
        raise NotErasableError(*_UNDER_WAY)
    if _is_proposed(tx, record_ids):
        raise NotErasableError(*_PROPOSED)
    return record_ids, numbers


def _is_proposed(tx: Reader, record_ids: list[str]) -> bool:
    """Whether something waits that would be kept with what it says of the person."""
    after, acts = "", _acts_that_name_people()
    while page := approvals.pending(tx, after=after):
        for one in page:
            if one.act in acts:
                content = approvals.content_of(tx, one.id)
                if any(value in record_ids for value in content.values()):
                    return True
        after = page[-1].id
    return False


def _acts_that_name_people() -> set[str]:
    return {kind.act for kind in DangerousAct.__subclasses__() if kind.names_people}


def _check_is_time(cancelled_on: date | None, before: date, days: int) -> None:
    if cancelled_on is None or cancelled_on > before:
        raise NotErasableError(
            "too_early",
            f"最后一张卡注销未满 {days} 天，个人信息尚须保存",
            f"The last card was cancelled less than {days} days ago: the data has to be kept yet",
        )
