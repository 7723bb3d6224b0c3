"""The act of taking in another issuer's status list, for terminals to carry.

The list was fetched from whoever answers at the address in the trust list; what counts is the
signature of the issuer's own status key, which the trust list names.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from card_core.errors import InvalidActError, NotFoundError
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.acts.status import VERSIONS_KEPT
from card_core.kernel.acts.trust import SKEW
from card_core.kernel.days import is_end_of_day
from card_core.status_list import (
    LIST_BYTES_MAX,
    HeldList,
    ListNotGenuineError,
    StatusList,
    open_list,
)
from card_core.store import status_lists, trust
from card_core.store.status_lists import ListVersion

# Lists are carried for today and its neighbours.
DAYS_APART_MAX: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True, repr=False)
class TakePeerList(Act):
    """Keep a day's list of another issuer, if it is newer than the one here.

    1 the issuer is in the trust list that holds · 2 the list is of this issuer and day, and its
    version does not fall · 3 its status key, as the trust list has it now, signed it · 4 it is of
    now: neither issued later, nor older than the issuer lets it grow.

    data: the whole list. Answer: list_version, of the list that is here afterwards.
    Raises NotFoundError, StatusListError.
    """

    act: ClassVar[str] = "take_peer_list"

    issuer: int
    day_ends_at: datetime
    data: bytes

    def __post_init__(self) -> None:
        if not is_end_of_day(self.day_ends_at):
            raise InvalidActError("day_ends_at", "应为北京时间零点", "must be a midnight in China")
        if not 1 <= len(self.data) <= LIST_BYTES_MAX:
            raise InvalidActError("data", "长度超出范围", "is too short or too long")

    def apply(self, scene: Scene) -> Done:
        day = int(self.day_ends_at.timestamp())
        status_lists.lock(scene.tx, self.issuer, day)
        # 1 trusted now
        trusted = trust.holding(scene.tx, scene.now)
        if trusted is None or trusted.issuer(self.issuer) is None:
            raise NotFoundError("trusted issuer")
        if abs(self.day_ends_at - scene.now) > DAYS_APART_MAX:
            raise InvalidActError("day_ends_at", "不在应携带的日期内", "is not of a day near now")
        # 2, 3 the same list, not older, genuine
        before = status_lists.latest(scene.tx, self.issuer, day)
        held = None if before is None else held_list(before)
        new = open_list(self.data, keys=trusted.code_keys(scene.now), held=held)
        head = new.head
        if (head.issuer, head.day_ends_at) != (self.issuer, self.day_ends_at):
            raise ListNotGenuineError
        # 4 of now
        if head.issued_at > scene.now + SKEW or scene.now > head.usable_until:
            raise ListNotGenuineError
        if held is None or head.version > held.head.version:
            changes = _changes(held, new)
            version = ListVersion(head, changes or b"", new.statuses.encode(), new.signature)
            # Where nothing leads from the versions before to this one, they are of no use.
            kept = 1 if changes is None else VERSIONS_KEPT
            status_lists.take(scene.tx, version, before, kept=kept)
        answer = {"list_version": head.version}
        return Done(answer, f"status_list/{self.issuer}.{day}", answer)


def held_list(kept: ListVersion) -> HeldList:
    """A list as it was taken in. Raises NotFoundError for a version that was superseded."""
    if kept.body is None or kept.signature is None:
        raise NotFoundError("status list")
    return HeldList(kept.head, kept.signature, StatusList.decode(kept.head.size, kept.body))


def _changes(before: HeldList | None, after: HeldList) -> bytes | None:
    """What leads from the one to the other; None where nothing does."""
    if before is None or before.head.size != after.head.size:
        return None
    return before.statuses.changes_to(after.statuses)
