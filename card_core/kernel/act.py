"""What an act is: frozen content, one method that applies it, and what the kernel records of it."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from card_core.kernel.actors import Actor
from card_core.kernel.box_keys import BoxKeyWrap
from card_core.kernel.content import to_json
from card_core.kernel.grants import Grants
from card_core.kernel.personalising import Personaliser
from card_core.service_channels import ChannelKind
from card_core.store import Reader, Transaction
from card_core.store.ids import make_each, make_id
from card_core.store.institutions import Institution, Terminal
from card_core.store.operators import Role

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the actor is now, as read in this transaction: an operator's roles, where a terminal
    stands, the kind of the service channel at which somebody acts and where that stands. Everything
    in it is active and locked against change."""

    roles: frozenset[Role] = frozenset()
    terminal: Terminal | None = None
    institution: Institution | None = None
    channel: ChannelKind | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What an act sees while it is applied: one open transaction, one instant, one actor."""

    tx: Transaction
    actor: Actor
    now: datetime
    random_bytes: Callable[[int], bytes]
    standing: Standing
    box_key_wrap: BoxKeyWrap | None = None
    grants: Grants | None = None
    personaliser: Personaliser | None = None
    _sequence: Iterator[int] = field(default_factory=itertools.count)

    def new_id(self) -> str:
        return make_id(self.now, next(self._sequence), self.random_bytes)

    def new_ids(self, count: int) -> list[str]:
        """As many new ids, in their order."""
        sequences = list(itertools.islice(self._sequence, count))
        return make_each(self.now, sequences, self.random_bytes) if count else []


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an act.

    answer: JSON for the caller, kept sealed for retries. subject: what the act was about, as
    "<noun>/<id>"; outbox events of one subject keep their order. detail: JSON for the audit log
    and the outbox; never personal data. act: the act's word where it isn't the request's own,
    as for an act that was approved.
    """

    answer: Answer
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)
    act: str = ""


class Act(ABC):
    """An act that one person, terminal or part of the program may do alone.

    A child is a frozen dataclass; its constructor refuses fields out of their limits with
    InvalidActError. Who may do it stands in `permissions`. `chain` names the audit chain that the
    act is recorded in: scans have their own, so that a long act of the bureau never holds one up.
    """

    act: ClassVar[str]
    chain: ClassVar[str] = "bureau"

    @abstractmethod
    def apply(self, scene: Scene) -> Done:
        """Change the state, or raise a KernelError and change nothing."""

    def request(self) -> Any:
        """What has to be the same when a request id comes again, as JSON."""
        return to_json(self)


class DangerousAct(Act):
    """An act that takes effect when a second person approves its content.

    names_people: whether the content holds what is personal of a holder, which is erased with the
    holder.
    """

    names_people: ClassVar[bool] = False

    @abstractmethod
    def summary(self, tx: Reader) -> str:
        """What the approver reads, in Chinese and English; no personal data of holders."""

    def examine(self, tx: Reader) -> None:
        """Look at what takes long to look at, before the transaction that applies the act.

        Raises a CardCoreError where it must not be applied. What may change in between has to be
        looked at again where it counts.
        """
        del tx

    def is_part_of_set_up(self, tx: Reader) -> bool:
        """Whether the system may do it now alone, since there is nobody yet to approve it."""
        return False

    def withdraw(self, scene: Scene) -> None:
        """Undo what proposing it has bound, when it is rejected."""
