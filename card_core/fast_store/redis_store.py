"""The fast store on Redis or Valkey: one round trip, one script, a spent code or a reason."""

import asyncio
from collections.abc import Callable
from typing import Any

from card_core.errors import FastStoreAwayError, InDoubtError
from card_core.fast_store import layout, scripts
from card_core.fast_store.config import Address, FastStoreConfig
from card_core.fast_store.keeper import Keeper
from card_core.fast_store.lease import SETTLE_SECONDS, Lease
from card_core.fast_store.link import Link, open_link, pack
from card_core.fast_store.outcomes import NoCard, Outcome, Refused, Repeated, Spent, Ticket, Used
from card_core.fast_store.readiness import Hindrance
from card_core.fast_store.servers import RedisServers, Routes
from card_core.kernel import Kernel

BACKOFF_SECONDS = 0.05
BACKOFF_SECONDS_MAX = 0.5

# Answers that say that this server is not, or no longer, the one that the epoch was opened on.
_DOUBTS = ("READONLY", "MOVED", "ASK")

_SPEND = (
    b"*9\r\n$7\r\nEVALSHA\r\n$40\r\n%b\r\n$1\r\n2\r\n$%%d\r\n%%b\r\n$%%d\r\n%%b\r\n"
    b"$40\r\n%%b\r\n$16\r\n%%b\r\n$8\r\n%%b\r\n$8\r\n%%b\r\n"
) % scripts.SPEND.sha


class RedisFastStore:
    """See `card_core.fast_store.FastStore`. Used within one event loop, the one that started it."""

    def __init__(
        self, kernel: Kernel, config: FastStoreConfig, *, monotonic: Callable[[], float]
    ) -> None:
        self._config = config
        self._monotonic = monotonic
        servers = RedisServers(config, follow=self._follow)
        self.keeper = Keeper(kernel, servers, monotonic=monotonic)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._by_shard: list[Link | None] = [None] * layout.SHARDS
        self._links: dict[Address, Link] = {}
        self._tasks: dict[Address, asyncio.Task[None]] = {}
        self._routes: Routes | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.keeper.start()

    async def close(self) -> None:
        await asyncio.to_thread(self.keeper.stop)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()

    def lease_seconds(self) -> float | None:
        return self.keeper.lease_seconds()

    def ready(self) -> Hindrance | None:
        if self.keeper.hindrance is not None:
            return self.keeper.hindrance
        lease = self.keeper.lease
        if lease is None or self._monotonic() >= lease.ends_at:
            return Hindrance.NO_LEASE
        return Hindrance.AWAY if None in self._by_shard else None

    async def spend(
        self, ecard_id: int, minted_at: int, nonce: bytes, request_tag: bytes
    ) -> Outcome:
        layout.check_spending(nonce, request_tag)
        now = self._monotonic()
        lease = self._lease(now)
        if not lease.covers(minted_at, now):
            raise InDoubtError("not_of_this_epoch")
        shard = layout.shard_of(ecard_id)
        link = self._link(lease, shard)
        bucket = layout.bucket_key(lease.name, shard, minted_at)
        card = layout.card_key(lease.name, shard, ecard_id)
        command = _SPEND % (
            len(bucket),
            bucket,
            len(card),
            card,
            link.mastership,
            lease.name,
            nonce,
            request_tag,
        )
        answer = await link.ask(command)
        if self._monotonic() - now > SETTLE_SECONDS:
            raise FastStoreAwayError("late")
        if not isinstance(answer, bytes):
            raise self._fault(lease, link, answer)
        match answer[:1]:
            case b"A":
                return Spent(answer[2:])
            case b"N":
                return NoCard(Ticket(ecard_id, lease.name, int(answer[1:])))
            case b"R":
                return Refused(answer[1], answer[2:])
            case b"U":
                return Used()
            case b"S":
                return Repeated(answer[2:])
        self.keeper.doubt(lease.number, answer[1:].decode())
        raise InDoubtError(answer[1:].decode())

    async def put_card(
        self,
        ticket: Ticket,
        version: int,
        state: int,
        sealed: bytes,
        *,
        kept_seconds: int = layout.RECORD_KEPT_SECONDS,
    ) -> bool:
        layout.check_record(state, sealed, kept_seconds)
        lease = self._lease(self._monotonic())
        if ticket.epoch != lease.name:
            return False
        shard = layout.shard_of(ticket.ecard_id)
        link = self._link(lease, shard)
        command = pack(
            b"EVALSHA",
            scripts.PUT.sha,
            1,
            layout.card_key(lease.name, shard, ticket.ecard_id),
            link.mastership,
            version.to_bytes(8) + bytes([state]) + sealed,
            ticket.missed_at_ms,
            layout.LOAD_SECONDS_MAX * 1000,
            kept_seconds * 1000,
        )
        answer = await link.ask(command)
        if not isinstance(answer, bytes):
            raise self._fault(lease, link, answer)
        if answer[:1] == b"D":
            self.keeper.doubt(lease.number, answer[1:].decode())
            raise InDoubtError(answer[1:].decode())
        return answer == b"K"

    def _lease(self, now: float) -> Lease:
        lease = self.keeper.lease
        if lease is None or now >= lease.ends_at:
            raise FastStoreAwayError("no_lease")
        return lease

    def _link(self, lease: Lease, shard: int) -> Link:
        link = self._by_shard[shard]
        if link is None:
            raise FastStoreAwayError("closed")
        if link.node not in lease.nodes:
            self.keeper.wake()
            raise InDoubtError("node")
        return link

    def _fault(self, lease: Lease, link: Link, answer: Any) -> Exception:
        """The error that an answer other than ours stands for; nothing was spent."""
        word = str(answer).split(" ", 1)[0]
        if word in _DOUBTS:
            self.keeper.doubt(lease.number, word.lower())
            return InDoubtError(word)
        if word == "NOSCRIPT":
            link.drop()  # the next connection loads the scripts anew
        return FastStoreAwayError(word if word.isupper() else "answer")

    def _follow(self, routes: Routes) -> None:
        """From the keeper's thread: the servers are these now."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, routes)

    def _take(self, routes: Routes) -> None:
        self._routes = routes
        for address in [address for address in self._tasks if address not in routes.nodes]:
            self._tasks.pop(address).cancel()
        for address, node in routes.nodes.items():
            link = self._links.get(address)
            if link is not None and link.node != node:
                link.drop()
            if address not in self._tasks:
                self._tasks[address] = asyncio.create_task(self._keep_linked(address))
        self._share_out()

    def _share_out(self) -> None:
        by_shard = () if self._routes is None else self._routes.by_shard
        self._by_shard = [self._links.get(address) for address in by_shard]

    async def _keep_linked(self, address: Address) -> None:
        """Connect, and connect again whenever the connection is lost, until cancelled."""
        wait = BACKOFF_SECONDS
        while True:
            try:
                link = await open_link(address, self._config)
            except FastStoreAwayError:
                await asyncio.sleep(wait)
                wait = min(2 * wait, BACKOFF_SECONDS_MAX)
                continue
            wait = BACKOFF_SECONDS
            self._links[address] = link
            self._share_out()
            self.keeper.wake()
            try:
                await asyncio.shield(link.lost)
            finally:
                link.drop()
                self._links.pop(address, None)
                self._share_out()
                self.keeper.wake()
