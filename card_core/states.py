"""The states of cards, e-cards and what surrounds them, and the one table of transitions.

Card states are those of AAZ502 (社会保障卡应用状态) of the ministry's data elements; a card that is
made and not yet handed out has no code there. What an e-card may be while its card is in a state
is one table, ECARD_UNDER, so that a loss changes the card alone and takes effect on both at once.
The tables below are the state machine: the kernel asks them, the tests walk them, and
docs/lifecycle.md is made of them.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from card_core.errors import WrongStateError


class CardState(StrEnum):
    NOT_ACTIVATED = "not_activated"
    SEALED = "sealed"
    NORMAL = "normal"
    FORMAL_LOSS = "formal_loss"
    LOCKED = "locked"
    TEMPORARY_LOSS = "temporary_loss"
    CANCELLED = "cancelled"

    @property
    def aaz502(self) -> str | None:
        """The ministry's one-digit code; None for a card that is not activated yet."""
        return _AAZ502.get(self)


_AAZ502: Mapping[CardState, str] = MappingProxyType(
    {
        CardState.SEALED: "0",
        CardState.NORMAL: "1",
        CardState.FORMAL_LOSS: "2",
        CardState.LOCKED: "3",
        CardState.TEMPORARY_LOSS: "4",
        CardState.CANCELLED: "9",
    }
)


class ECardState(StrEnum):
    NOT_ACTIVATED = "not_activated"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"


class BatchState(StrEnum):
    IMPORTING = "importing"  # its rows are still coming in: nobody sees it
    DROPPED = "dropped"  # it never came in whole
    IMPORTED = "imported"
    RELEASED = "released"
    PAUSED = "paused"
    ISSUED = "issued"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class MakingState(StrEnum):
    """Where a card is on its way from its number to its holder's hand (制卡)."""

    AWAITING_BANK = "awaiting_bank"
    AT_BANK = "at_bank"
    AWAITING_MAKER = "awaiting_maker"
    AT_MAKER = "at_maker"
    MADE = "made"
    AT_BRANCH = "at_branch"
    HANDED_OVER = "handed_over"
    HANDED_TO_EMPLOYER = "handed_to_employer"
    ACCOUNT_FAILED = "account_failed"
    MAKING_FAILED = "making_failed"
    AWAITING_DEVICE = "awaiting_device"
    AT_DEVICE = "at_device"
    MADE_AT_ONCE = "made_at_once"
    DEVICE_FAILED = "device_failed"

    @property
    def code(self) -> str:
        """The two digits that bureaus and makers know it by (数据状态)."""
        return _MAKING_CODES[self]


_MAKING_CODES: Mapping[MakingState, str] = MappingProxyType(
    {
        MakingState.AWAITING_BANK: "21",
        MakingState.AT_BANK: "22",
        MakingState.AWAITING_MAKER: "23",
        MakingState.AT_MAKER: "24",
        MakingState.MADE: "25",
        MakingState.AT_BRANCH: "31",
        MakingState.HANDED_OVER: "32",
        MakingState.HANDED_TO_EMPLOYER: "33",
        MakingState.ACCOUNT_FAILED: "80",
        MakingState.MAKING_FAILED: "85",
        MakingState.AWAITING_DEVICE: "41",
        MakingState.AT_DEVICE: "42",
        MakingState.MADE_AT_ONCE: "45",
        MakingState.DEVICE_FAILED: "85",
    }
)
HANDED_OVER = frozenset({MakingState.HANDED_OVER, MakingState.HANDED_TO_EMPLOYER})


class OrderState(StrEnum):
    """Of a making order: its records are prepared, its file is with the maker, all is answered."""

    PREPARING = "preparing"
    SENT = "sent"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


class BatchKind(StrEnum):
    """What the cards of a batch come from."""

    ROSTER = "roster"
    STOCK = "stock"


class StockCardState(StrEnum):
    """Of a card from before this service: waiting, taken over, refused then, or its stock was."""

    OPEN = "open"
    TAKEN = "taken"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ApplicationState(StrEnum):
    OPEN = "open"
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"


class FilingState(StrEnum):
    """Of an application made by itself (申领单)."""

    FILED = "filed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    TAKEN_IN = "taken_in"

    @property
    def code(self) -> str | None:
        """As of MakingState; none once it is over."""
        return {FilingState.FILED: "10", FilingState.ACCEPTED: "11"}.get(self)


class BindingState(StrEnum):
    """Of a guardianship, and of an e-card that somebody else may show; a date ends them too."""

    OFFERED = "offered"
    ACTIVE = "active"
    ENDED = "ended"


class ApprovalState(StrEnum):
    PENDING = "pending"
    APPLIED = "applied"
    REJECTED = "rejected"


class ServiceState(StrEnum):
    """Of operators, institutions and terminals."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class VisitState(StrEnum):
    """Of a visit; its hours end it too, without a change of the row."""

    OPEN = "open"
    ENDED = "ended"


class DeviceState(StrEnum):
    """Of a holder's phone; one that was removed does not come back, it is registered anew."""

    ACTIVE = "active"
    REMOVED = "removed"


class Step(StrEnum):
    """What can happen to a card, its making, an e-card, a batch, a making order, an application, an
    approval, a visit, a guardianship, a key, a phone, or who serves."""

    ACTIVATE = "activate"
    REPORT_TEMPORARY_LOSS = "report_temporary_loss"
    WITHDRAW_TEMPORARY_LOSS = "withdraw_temporary_loss"
    LAPSE = "lapse"
    REPORT_FORMAL_LOSS = "report_formal_loss"
    WITHDRAW_FORMAL_LOSS = "withdraw_formal_loss"
    LOCK = "lock"
    UNLOCK = "unlock"
    SEAL = "seal"
    UNSEAL = "unseal"
    REPLACE = "replace"
    EXCHANGE = "exchange"
    CANCEL = "cancel"
    RESUME = "resume"
    COMPLETE = "complete"
    DROP = "drop"
    RELEASE = "release"
    PAUSE = "pause"
    FINISH = "finish"
    REJECT = "reject"
    APPLY = "apply"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    SUPERSEDE = "supersede"
    END = "end"
    REVOKE = "revoke"
    REMOVE = "remove"
    SEND_TO_BANK = "send_to_bank"
    OPEN_ACCOUNT = "open_account"
    FAIL_ACCOUNT = "fail_account"
    SEND_TO_MAKER = "send_to_maker"
    MAKE = "make"
    FAIL_MAKING = "fail_making"
    REWORK = "rework"
    DISPATCH = "dispatch"
    HAND_OVER = "hand_over"
    HAND_TO_EMPLOYER = "hand_to_employer"
    WITHDRAW = "withdraw"
    ACCEPT = "accept"
    REFUSE = "refuse"
    TAKE_IN = "take_in"


# A temporary loss ends by the holder's word or by its time, a formal one only where the issuer's
# policy lets it. A locked card goes to formal loss only, since the end of a temporary one leads to
# NORMAL and would unlock it. REPLACE (补卡) ends a card that is lost for good, EXCHANGE (换卡) one
# that is worn or locked; the next card is made in the same transaction.
CARD: Mapping[Step, Mapping[CardState, CardState]] = MappingProxyType(
    {
        Step.ACTIVATE: {CardState.NOT_ACTIVATED: CardState.NORMAL},
        Step.REPORT_TEMPORARY_LOSS: {CardState.NORMAL: CardState.TEMPORARY_LOSS},
        Step.WITHDRAW_TEMPORARY_LOSS: {CardState.TEMPORARY_LOSS: CardState.NORMAL},
        Step.LAPSE: {CardState.TEMPORARY_LOSS: CardState.NORMAL},
        Step.REPORT_FORMAL_LOSS: {
            CardState.NORMAL: CardState.FORMAL_LOSS,
            CardState.TEMPORARY_LOSS: CardState.FORMAL_LOSS,
            CardState.LOCKED: CardState.FORMAL_LOSS,
        },
        Step.WITHDRAW_FORMAL_LOSS: {CardState.FORMAL_LOSS: CardState.NORMAL},
        Step.LOCK: {CardState.NORMAL: CardState.LOCKED},
        Step.UNLOCK: {CardState.LOCKED: CardState.NORMAL},
        Step.SEAL: {CardState.NORMAL: CardState.SEALED},
        Step.UNSEAL: {CardState.SEALED: CardState.NORMAL},
        Step.REPLACE: {CardState.FORMAL_LOSS: CardState.CANCELLED},
        Step.EXCHANGE: {
            CardState.NORMAL: CardState.CANCELLED,
            CardState.LOCKED: CardState.CANCELLED,
        },
        Step.CANCEL: {
            state: CardState.CANCELLED for state in CardState if state is not CardState.CANCELLED
        },
    }
)

ECARD: Mapping[Step, Mapping[ECardState, ECardState]] = MappingProxyType(
    {
        Step.ACTIVATE: {ECardState.NOT_ACTIVATED: ECardState.ACTIVE},
        Step.SUSPEND: {ECardState.ACTIVE: ECardState.SUSPENDED},
        Step.RESUME: {ECardState.SUSPENDED: ECardState.ACTIVE},
        Step.CANCEL: {
            state: ECardState.CANCELLED for state in ECardState if state is not ECardState.CANCELLED
        },
    }
)

# What an active e-card amounts to while its card is in a state: the most that it may be.
ECARD_UNDER: Mapping[CardState, ECardState] = MappingProxyType(
    {
        CardState.NOT_ACTIVATED: ECardState.NOT_ACTIVATED,
        CardState.SEALED: ECardState.SUSPENDED,
        CardState.NORMAL: ECardState.ACTIVE,
        CardState.FORMAL_LOSS: ECardState.SUSPENDED,
        CardState.LOCKED: ECardState.SUSPENDED,
        CardState.TEMPORARY_LOSS: ECardState.SUSPENDED,
        CardState.CANCELLED: ECardState.CANCELLED,
    }
)

BATCH: Mapping[Step, Mapping[BatchState, BatchState]] = MappingProxyType(
    {
        Step.COMPLETE: {BatchState.IMPORTING: BatchState.IMPORTED},
        Step.DROP: {
            BatchState.IMPORTING: BatchState.DROPPED,
            BatchState.DROPPED: BatchState.DROPPED,  # its rows go some at a time
        },
        Step.RELEASE: {BatchState.IMPORTED: BatchState.RELEASED},
        Step.REJECT: {BatchState.IMPORTED: BatchState.REJECTED},
        Step.PAUSE: {BatchState.RELEASED: BatchState.PAUSED},
        Step.RESUME: {BatchState.PAUSED: BatchState.RELEASED},
        # A chunk that is under way when its batch is paused still ends.
        Step.FINISH: {
            BatchState.RELEASED: BatchState.ISSUED,
            BatchState.PAUSED: BatchState.ISSUED,
        },
        Step.CANCEL: {
            BatchState.RELEASED: BatchState.CANCELLED,
            BatchState.PAUSED: BatchState.CANCELLED,
        },
    }
)

# A card without bank function goes to its maker past the bank. A card that was sent nowhere is made
# at the counter, and handed over; one that is made at once (即时制卡), by its branch's device.
MAKING: Mapping[Step, Mapping[MakingState, MakingState]] = MappingProxyType(
    {
        Step.SEND_TO_BANK: {
            MakingState.AWAITING_BANK: MakingState.AT_BANK,
            MakingState.AT_BANK: MakingState.AT_BANK,
        },
        Step.OPEN_ACCOUNT: {MakingState.AT_BANK: MakingState.AWAITING_MAKER},
        Step.FAIL_ACCOUNT: {MakingState.AT_BANK: MakingState.ACCOUNT_FAILED},
        Step.SEND_TO_MAKER: {
            MakingState.AWAITING_MAKER: MakingState.AT_MAKER,
            MakingState.AWAITING_BANK: MakingState.AT_MAKER,
            MakingState.AWAITING_DEVICE: MakingState.AT_DEVICE,
        },
        Step.MAKE: {
            MakingState.AT_MAKER: MakingState.MADE,
            MakingState.AT_DEVICE: MakingState.MADE_AT_ONCE,
        },
        Step.FAIL_MAKING: {
            MakingState.AT_MAKER: MakingState.MAKING_FAILED,
            MakingState.AT_DEVICE: MakingState.DEVICE_FAILED,
        },
        Step.REWORK: {
            MakingState.ACCOUNT_FAILED: MakingState.AWAITING_BANK,
            MakingState.MAKING_FAILED: MakingState.AWAITING_MAKER,
            MakingState.DEVICE_FAILED: MakingState.AWAITING_DEVICE,
        },
        Step.DISPATCH: {MakingState.MADE: MakingState.AT_BRANCH},
        Step.HAND_OVER: {
            MakingState.AWAITING_BANK: MakingState.HANDED_OVER,
            MakingState.MADE: MakingState.HANDED_OVER,
            MakingState.AT_BRANCH: MakingState.HANDED_OVER,
            MakingState.MADE_AT_ONCE: MakingState.HANDED_OVER,
        },
        Step.HAND_TO_EMPLOYER: {
            MakingState.AWAITING_BANK: MakingState.HANDED_TO_EMPLOYER,
            MakingState.MADE: MakingState.HANDED_TO_EMPLOYER,
            MakingState.AT_BRANCH: MakingState.HANDED_TO_EMPLOYER,
        },
        Step.WITHDRAW: {
            MakingState.AT_MAKER: MakingState.AWAITING_MAKER,
            MakingState.AT_DEVICE: MakingState.AWAITING_DEVICE,
        },
    }
)

ORDER: Mapping[Step, Mapping[OrderState, OrderState]] = MappingProxyType(
    {
        # The same records may be written into a file again: the first may have been lost.
        Step.SEND_TO_MAKER: {
            OrderState.PREPARING: OrderState.SENT,
            OrderState.SENT: OrderState.SENT,
        },
        Step.FINISH: {OrderState.SENT: OrderState.ANSWERED},
        Step.WITHDRAW: {OrderState.PREPARING: OrderState.WITHDRAWN},
    }
)

# What was accepted is refused where the person may not have it any more when it is taken in.
FILING: Mapping[Step, Mapping[FilingState, FilingState]] = MappingProxyType(
    {
        Step.ACCEPT: {FilingState.FILED: FilingState.ACCEPTED},
        Step.REFUSE: {
            FilingState.FILED: FilingState.REFUSED,
            FilingState.ACCEPTED: FilingState.REFUSED,
        },
        Step.WITHDRAW: {
            FilingState.FILED: FilingState.WITHDRAWN,
            FilingState.ACCEPTED: FilingState.WITHDRAWN,
        },
        Step.TAKE_IN: {FilingState.ACCEPTED: FilingState.TAKEN_IN},
    }
)

BINDING: Mapping[Step, Mapping[BindingState, BindingState]] = MappingProxyType(
    {
        Step.ACCEPT: {BindingState.OFFERED: BindingState.ACTIVE},
        Step.END: {
            BindingState.OFFERED: BindingState.ENDED,
            BindingState.ACTIVE: BindingState.ENDED,
        },
    }
)

APPROVAL: Mapping[Step, Mapping[ApprovalState, ApprovalState]] = MappingProxyType(
    {
        Step.APPLY: {ApprovalState.PENDING: ApprovalState.APPLIED},
        Step.REJECT: {ApprovalState.PENDING: ApprovalState.REJECTED},
    }
)

SERVICE: Mapping[Step, Mapping[ServiceState, ServiceState]] = MappingProxyType(
    {
        Step.SUSPEND: {ServiceState.ACTIVE: ServiceState.SUSPENDED},
        Step.REINSTATE: {ServiceState.SUSPENDED: ServiceState.ACTIVE},
    }
)

VISIT: Mapping[Step, Mapping[VisitState, VisitState]] = MappingProxyType(
    {Step.END: {VisitState.OPEN: VisitState.ENDED}}
)

DEVICE: Mapping[Step, Mapping[DeviceState, DeviceState]] = MappingProxyType(
    {Step.REMOVE: {DeviceState.ACTIVE: DeviceState.REMOVED}}
)


_S = TypeVar("_S", bound=StrEnum)


def after(table: Mapping[Step, Mapping[_S, _S]], thing: str, state: _S, step: Step) -> _S:
    """The state that `step` leads to from `state`.

    thing: the word for the error, such as "card". Raises WrongStateError where the table has no
    such transition.
    """
    try:
        return table[step][state]
    except KeyError:
        raise WrongStateError(thing, state) from None


def after_of_ecard(card_state: CardState, state: ECardState, step: Step) -> ECardState:
    """As `after`, for an e-card whose card is in `card_state`: none becomes active under a card
    that is not in use, and none does anything under a cancelled one."""
    new = after(ECARD, "e-card", state, step)
    under = ECARD_UNDER[card_state]
    if under is ECardState.CANCELLED or (new is ECardState.ACTIVE and new is not under):
        raise WrongStateError("card", card_state)
    return new


def ecard_amounts_to(card_state: CardState, state: ECardState) -> ECardState:
    """What an e-card is in effect: its own state, as far as its card's allows."""
    under = ECARD_UNDER[card_state]
    return under if state is ECardState.ACTIVE or under is ECardState.CANCELLED else state
