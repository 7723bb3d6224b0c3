"""The fast store (快速核销库): where codes signed for identifying only are spent.

    store = open_fast_store(FastStoreConfig.parse("redis://127.0.0.1"), kernel, monotonic=...)
    await store.start()
    match await store.spend(ecard_id, minted_at, nonce, request_tag):
        case Spent(sealed): ...

It is the truth for these codes, for as long as an epoch holds, and never says yes in doubt. Why
that is so is in docs/decisions/0008-fast-store.md. All other codes are spent in the database.
"""

from collections.abc import Callable
from typing import Protocol

from card_core.fast_store.config import FastStoreAddressError, FastStoreConfig, Mode
from card_core.fast_store.layout import (
    NONCE_SIZE_BYTES,
    RECORD_KEPT_SECONDS,
    STATE_USABLE,
    TAG_SIZE_BYTES,
)
from card_core.fast_store.outcomes import NoCard, Outcome, Refused, Repeated, Spent, Ticket, Used
from card_core.fast_store.process_store import ProcessFastStore
from card_core.fast_store.pusher import CardPusher
from card_core.fast_store.readiness import Hindrance
from card_core.fast_store.redis_store import RedisFastStore
from card_core.fast_store.servers import RedisServers
from card_core.kernel import Kernel


class FastStore(Protocol):
    """One for each process that scans, used within its event loop."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def ready(self) -> Hindrance | None:
        """Why it can't be used now, with what to do about it; None if it can."""

    def lease_seconds(self) -> float | None:
        """For how long it may be believed without a look at the database; None for not at all."""

    async def spend(
        self, ecard_id: int, minted_at: int, nonce: bytes, request_tag: bytes
    ) -> Outcome:
        """Steps 7 and 8 at once, in one round trip.

        minted_at: Unix seconds, as signed. nonce: 8 bytes. request_tag: 8 bytes that the same
        request always has and no other one.
        Raises FastStoreAwayError, InDoubtError: the verdict is `Reason.SHOW_NEW_CODE`; whether the
        code was spent is then not known.
        """

    async def put_card(
        self,
        ticket: Ticket,
        version: int,
        state: int,
        sealed: bytes,
        *,
        kept_seconds: int = RECORD_KEPT_SECONDS,
    ) -> bool:
        """Keep what was loaded for a card that `spend` missed; False where it is too old to keep.

        version: the sum of the versions of card and e-card, below 2^53. state: STATE_USABLE, or 2
        to 255 for why not. sealed: at most 4096 bytes, under a key that is not in the
        store. kept_seconds: less than usual where the state ends by itself, as at midnight.
        Raises FastStoreAwayError, InDoubtError; ValueError for a record that can't be.
        """


def open_fast_store(
    config: FastStoreConfig, kernel: Kernel, *, monotonic: Callable[[], float]
) -> tuple[FastStore, CardPusher]:
    """The store of a process that scans, and the pusher for the acts of the same process.

    monotonic: seconds that never go back and that go on while the machine sleeps.
    """
    if config.mode is Mode.PROCESS:
        store = ProcessFastStore(kernel, monotonic=monotonic)
        return store, CardPusher(kernel, store.memory)
    return (
        RedisFastStore(kernel, config, monotonic=monotonic),
        CardPusher(kernel, RedisServers(config)),
    )


def open_card_pusher(
    config: FastStoreConfig, kernel: Kernel, *, monotonic: Callable[[], float]
) -> CardPusher:
    """The pusher of a process that changes cards and does not scan."""
    if config.mode is Mode.PROCESS:
        return CardPusher(kernel, ProcessFastStore(kernel, monotonic=monotonic).memory)
    return CardPusher(kernel, RedisServers(config))


__all__ = [
    "NONCE_SIZE_BYTES",
    "RECORD_KEPT_SECONDS",
    "STATE_USABLE",
    "TAG_SIZE_BYTES",
    "CardPusher",
    "FastStore",
    "FastStoreAddressError",
    "FastStoreConfig",
    "Hindrance",
    "Mode",
    "NoCard",
    "Outcome",
    "RedisServers",
    "Refused",
    "Repeated",
    "Spent",
    "Ticket",
    "Used",
    "open_card_pusher",
    "open_fast_store",
]
