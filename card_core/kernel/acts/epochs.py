"""Acts on the epoch of the fast store: close it in doubt, open the next, grant it more buckets.

Whoever comes second finds the number moved on, or the time already granted, and changes nothing.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from card_core.errors import InvalidActError
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.store import epochs
from card_core.store.epochs import Node

LEASE_SECONDS = 2.0
# What a worker takes though its reckoning of the database's time says that it is not minted yet.
AHEAD_SECONDS = 1
NODES_MAX = 128
LAYOUT_MAX = 0xFFFF
# A bucket is made at most this long before it can be used.
GRANT_SECONDS_MAX = 3600
_NAME = re.compile(r"[0-9a-f]{16}")
_NODE_WORD = re.compile(r"[0-9a-z]{1,40}")
_SECONDS_MAX = 2**40


@dataclass(frozen=True, slots=True)
class CloseEpoch(Act):
    """End an epoch, if it is still this one: from the end of the last lease on it nobody uses it.

    seen: its number; 0 where there was none yet. layout: of whoever asks. cause: a stable word.
    Answer: number, of the epoch that is there now; closed, whether this act did it.
    """

    act: ClassVar[str] = "close_epoch"

    seen: int
    layout: int
    cause: str

    def __post_init__(self) -> None:
        limits.check_range("seen", self.seen, 0, _SECONDS_MAX)
        limits.check_range("layout", self.layout, 1, LAYOUT_MAX)
        limits.check_word("cause", self.cause)

    def apply(self, scene: Scene) -> Done:
        epoch = epochs.lock(scene.tx)
        number = 0 if epoch is None else epoch.number
        closes = number == self.seen and (epoch is None or epoch.is_open)
        if closes:
            number = epochs.close(scene.tx, epoch, self.layout)
        answer = {"number": number, "closed": closes}
        return Done(answer, f"epoch/{number}", {**answer, "cause": self.cause})


@dataclass(frozen=True, slots=True)
class OpenEpoch(Act):
    """Open a closed epoch on nodes whose first buckets, under `name`, are made already.

    name: 16 hex, drawn by whoever opens. made_until: Unix seconds, the end of those buckets.
    not_after: the latest time that the asker ever took for the database's, aware; were the
    database's clock set back, codes up to there may have been spent under an epoch before.
    Answer: number; opened; not_before in Unix seconds, where it was opened.
    """

    act: ClassVar[str] = "open_epoch"

    number: int
    layout: int
    name: str
    nodes: tuple[Node, ...]
    made_until: int
    not_after: datetime

    def __post_init__(self) -> None:
        limits.check_range("number", self.number, 1, _SECONDS_MAX)
        limits.check_range("layout", self.layout, 1, LAYOUT_MAX)
        limits.check_range("made_until", self.made_until, 0, _SECONDS_MAX)
        limits.check_range("nodes", len(self.nodes), 1, NODES_MAX)
        words = [word for node in self.nodes for word in node]
        if not _NAME.fullmatch(self.name) or not all(map(_NODE_WORD.fullmatch, words)):
            raise InvalidActError("name", "格式不正确", "is not written as a name is")

    def apply(self, scene: Scene) -> Done:
        epoch = epochs.lock(scene.tx)
        if epoch is None or epoch.is_open or epoch.number != self.number:
            number = 0 if epoch is None else epoch.number
            return Done({"number": number, "opened": False}, f"epoch/{number}", {"opened": False})
        now = max(epochs.database_time(scene.tx), epoch.closed_at, self.not_after)
        # Nobody takes a code minted later than this in the epoch before: see decision 0008.
        not_before = math.ceil(now.timestamp() + LEASE_SECONDS + AHEAD_SECONDS)
        not_before = max(not_before, epoch.not_before)
        epochs.open_(
            scene.tx,
            name=self.name,
            nodes=self.nodes,
            not_before=not_before,
            made_until=self.made_until,
        )
        answer = {"number": self.number, "opened": True, "not_before": not_before}
        return Done(answer, f"epoch/{self.number}", {**answer, "made_until": self.made_until})


@dataclass(frozen=True, slots=True)
class GrantBuckets(Act):
    """Give the right to make an open epoch's buckets from `granted` to `made_until`, once.

    Both in Unix seconds. Answer: granted, whether the caller has the right; it makes them at once.
    """

    act: ClassVar[str] = "grant_buckets"

    number: int
    granted: int
    made_until: int

    def __post_init__(self) -> None:
        limits.check_range("number", self.number, 1, _SECONDS_MAX)
        limits.check_range("granted", self.granted, 0, _SECONDS_MAX)
        limits.check_range(
            "made_until", self.made_until, self.granted + 1, self.granted + GRANT_SECONDS_MAX
        )

    def apply(self, scene: Scene) -> Done:
        epoch = epochs.lock(scene.tx)
        grants = (
            epoch is not None
            and epoch.is_open
            and epoch.number == self.number
            and epoch.made_until == self.granted
        )
        if grants:
            epochs.grant_until(scene.tx, self.made_until)
        return Done({"granted": grants}, f"epoch/{self.number}", {"made_until": self.made_until})
