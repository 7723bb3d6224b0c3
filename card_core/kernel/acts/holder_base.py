"""Acts on the holder base (持卡人员基础库): merge two records of one person, correct key data.

A card never moves from record to record: a code is spent under its holder's record, so that a code
shown before such a move could be taken once more after it. Therefore the record with the live card
is the one that stays; if its number is the wrong one of the two, it is corrected afterwards.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from card_core import states
from card_core.errors import (
    AlreadyExistsError,
    ContentChangedError,
    HolderRecordError,
    InvalidActError,
    NotFoundError,
    RecordMergedError,
)
from card_core.identity import IdentityNumber, validate_name
from card_core.kernel import family_bindings, limits
from card_core.kernel.act import DangerousAct, Done, Scene
from card_core.states import Step
from card_core.store import (
    Lock,
    Reader,
    applications,
    cards,
    devices,
    erasure,
    holder_base,
    holder_changes,
    holders,
    sessions,
    stock_cards,
)
from card_core.store.credentials import SubjectKind
from card_core.store.holder_changes import ChangeKind, HolderChange
from card_core.store.holders import Holder


class HolderEvidence(StrEnum):
    """What the operator saw of the person; the document itself is not kept."""

    IDENTITY_DOCUMENT = "identity_document"
    HOUSEHOLD_REGISTER = "household_register"
    POLICE_CERTIFICATE = "police_certificate"  # 公安机关出具的身份信息变更证明


TWO_LIVE_CARDS = (
    "two_live_cards",
    "两条记录各有一张未注销的社保卡，不能合并。请先核实并注销其中一张（sscard card cancel）",
    (
        "Each of the two records has a card that is not cancelled; cancel one of them first "
        "(sscard card cancel)"
    ),
)
LIVE_CARD_GOES = (
    "live_card_goes",
    "被合并的记录有未注销的社保卡。请对调两条记录：保留有卡的记录，合并后再更正其号码",
    (
        "The record that would go has a card that is not cancelled. Merge the other way round: "
        "keep the record with the card, and correct its number afterwards"
    ),
)
APPLICATION_OPEN = (
    "application_open",
    "该号码有在办申领，请先办结或驳回其批次",
    "An application for this number is under way; finish or reject its batch first",
)
STOCK_CARD_OPEN = (
    "stock_card_open",
    "该号码有待接管的存量卡，请先办结或驳回其存量卡批次",
    "A card of this number waits to be taken over; finish or reject its stock first",
)


def seen_digest(tx: Reader, *seen: Holder) -> bytes:
    """32 bytes over the key data of records as an operator sees them: what is decided on."""
    parts = [b"holders"]
    for one in seen:
        parts += [one.id.encode(), one.social_security_number.encode(), one.name.encode()]
    return tx.cipher.keyed_digest(parts)


@dataclass(frozen=True, slots=True)
class MergeHolders(DangerousAct):
    """合并: the record `merged_id` goes into `holder_id`, which stays.

    Everything of the record that goes is found under the one that stays (`holder_changes`); it
    itself serves nobody any more: its phones are removed, its sessions end, its number finds it no
    longer. seen: `seen_digest` of the one that stays and the one that goes.
    Raises NotFoundError, RecordMergedError, HolderRecordError (two_live_cards, live_card_goes,
    application_open, stock_card_open, same_record), ContentChangedError where key data changed
    since it was seen.
    """

    act: ClassVar[str] = "merge_holders"

    holder_id: str
    merged_id: str
    evidence: HolderEvidence
    seen: bytes

    def __post_init__(self) -> None:
        limits.check_id("holder_id", self.holder_id)
        limits.check_id("merged_id", self.merged_id)
        limits.check_size("seen", self.seen, 32)

    def summary(self, tx: Reader) -> str:
        self._check(tx)
        return (
            f"合并持卡人记录：{self.merged_id} 并入 {self.holder_id} / "
            f"Merge holder record {self.merged_id} into {self.holder_id}"
        )

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        holder_base.lock(tx, Lock.OWN)
        holder_base.lock_record(tx, self.merged_id, Lock.OWN)
        gone = self._check(tx)
        phones = _remove_phones(scene, gone.id)
        sessions.end_all(tx, SubjectKind.HOLDER, gone.id)
        family_bindings.end_all(tx, gone.id, scene.now)
        content = {"number": gone.social_security_number, "name": gone.name}
        change = HolderChange(
            id=scene.new_id(),
            holder_id=self.holder_id,
            kind=ChangeKind.MERGE,
            merged_id=gone.id,
            evidence=self.evidence.value,
            content=content,
            checker_id=scene.actor.id,
            changed_at=scene.now,
        )
        holder_changes.add(tx, change, number_index=holder_base.release_number(tx, gone.id))
        answer = {"holder_id": self.holder_id, "merged_id": gone.id, "change_id": change.id}
        detail = {**answer, "evidence": self.evidence.value, "phones_removed": phones}
        return Done(answer, f"holder/{self.holder_id}", detail)

    def _check(self, tx: Reader) -> Holder:
        """The record that goes, where nothing stands in the way."""
        if self.holder_id == self.merged_id:
            raise HolderRecordError(
                "same_record",
                "两处写的是同一条记录，请核对编号",
                "The same record is named twice; check the ids",
            )
        stays, gone = usable(tx, self.holder_id), usable(tx, self.merged_id)
        with_card = holder_base.live_cards_of(tx, (stays.id, gone.id))
        if gone.id in with_card:
            raise HolderRecordError(*(TWO_LIVE_CARDS if stays.id in with_card else LIVE_CARD_GOES))
        _check_no_application(tx, gone.social_security_number)
        if seen_digest(tx, stays, gone) != self.seen:
            raise ContentChangedError
        return gone


@dataclass(frozen=True, slots=True, repr=False)
class CorrectHolder(DangerousAct):
    """更正: the person has another name or number than the record says.

    name, number: what is right; None where it stays. seen: `seen_digest` of the record.
    The old number finds nobody afterwards. A card keeps what its chip says, so after a change of
    the number it is no longer taken at a reader (card_data_mismatch): the holder needs a new one.
    Raises NotFoundError, RecordMergedError, InvalidActError where nothing would change,
    AlreadyExistsError where the number is another record's (merge first), HolderRecordError
    (application_open, stock_card_open), ContentChangedError.
    """

    act: ClassVar[str] = "correct_holder"
    names_people: ClassVar[bool] = True

    holder_id: str
    name: str | None
    number: IdentityNumber | None
    evidence: HolderEvidence
    seen: bytes

    def __post_init__(self) -> None:
        limits.check_id("holder_id", self.holder_id)
        limits.check_size("seen", self.seen, 32)
        problem = None if self.name is None else validate_name(self.name)
        if problem is not None:
            raise InvalidActError("name", problem.message_zh, problem.message_en)

    def summary(self, tx: Reader) -> str:
        what = sorted(self._changes(tx))
        zh = "、".join({"name": "姓名", "number": "社会保障号码"}[key] for key in what)
        return (
            f"更正持卡人记录 {self.holder_id} 的{zh} / "
            f"Correct {', '.join(what)} of holder record {self.holder_id}"
        )

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        holder_base.lock(tx, Lock.OWN)
        changes = self._changes(tx)
        holder_base.change_key_data(tx, self.holder_id, name=self.name, number=self.number)
        if "number" in changes:
            holder_changes.forget_index(tx, holders.index_of(tx, changes["number"][1]))
            sessions.end_all(tx, SubjectKind.HOLDER, self.holder_id)
        card = cards.live_card_of(tx, self.holder_id)
        if card is not None:
            locked = cards.get(tx, card.id, Lock.OWN)
            cards.touch(tx, locked or card)
        if "number" in changes:
            family_bindings.end_guardianships_of(tx, self.holder_id, scene.now)
        change = HolderChange(
            id=scene.new_id(),
            holder_id=self.holder_id,
            kind=ChangeKind.CORRECTION,
            merged_id=None,
            evidence=self.evidence.value,
            content={
                "before": {key: before for key, (before, _) in changes.items()},
                "after": {key: after for key, (_, after) in changes.items()},
            },
            checker_id=scene.actor.id,
            changed_at=scene.now,
        )
        holder_changes.add(tx, change)
        answer = {"holder_id": self.holder_id, "change_id": change.id, "changed": sorted(changes)}
        detail: dict[str, Any] = {**answer, "evidence": self.evidence.value}
        return Done(answer, f"holder/{self.holder_id}", detail)

    def _changes(self, tx: Reader) -> dict[str, tuple[str, str]]:
        """What changes, before and after, by `name` and `number`; where nothing is in the way."""
        holder = usable(tx, self.holder_id)
        if seen_digest(tx, holder) != self.seen:
            raise ContentChangedError
        changes: dict[str, tuple[str, str]] = {}
        if self.name is not None and self.name != holder.name:
            changes["name"] = holder.name, self.name
        if self.number is not None and self.number.text != holder.social_security_number:
            changes["number"] = holder.social_security_number, self.number.text
            self._check_number(tx, holder, self.number.text)
        if not changes:
            raise InvalidActError(
                "name, number", "与现有记录相同，无需更正", "are what the record says already"
            )
        return changes

    def _check_number(self, tx: Reader, holder: Holder, number: str) -> None:
        if holders.find_id_by_number(tx, number) is not None:
            raise AlreadyExistsError("holder")
        index = holders.index_of(tx, number)
        for into in holder_changes.indexes_of_merged(tx, [index]).values():
            into_now = holder_changes.record_that_stays(tx, into)
            if into_now != holder.id:
                raise RecordMergedError(into_now)
        _check_no_application(tx, holder.social_security_number, number)


def usable(tx: Reader, holder_id: str) -> Holder:
    """Raises NotFoundError, also for a record that was erased, and RecordMergedError for one that
    went into another."""
    holder = holders.get(tx, holder_id)
    if holder is None or erasure.is_erased(tx, holder_id):
        raise NotFoundError("holder")
    if holder_changes.merged_into(tx, holder_id) is not None:
        raise RecordMergedError(holder_changes.record_that_stays(tx, holder_id))
    return holder


def _check_no_application(tx: Reader, *numbers: str) -> None:
    if applications.numbers_with_open_one(tx, numbers):
        raise HolderRecordError(*APPLICATION_OPEN)
    if stock_cards.numbers_with_open_card(tx, numbers):
        raise HolderRecordError(*STOCK_CARD_OPEN)


def _remove_phones(scene: Scene, holder_id: str) -> int:
    """A phone of a record that serves nobody is removed, with what it has fetched."""
    phones = devices.of_holder(scene.tx, holder_id)
    for phone in phones:
        state = states.after(states.DEVICE, "device", phone.state, Step.REMOVE)
        devices.set_state(scene.tx, phone, state)
        devices.withdraw(scene.tx, phone.id)
    return len(phones)
