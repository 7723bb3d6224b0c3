"""One connection to a Redis server, shared by everything that happens in one event loop.

All commands of one turn of the loop leave in one write, and answers are read by the C parser of
hiredis: that is what makes a round trip cost 15 us of Python instead of 70. Answers come in the
order of the commands. A connection that is silent for too long, or full, is no connection.
"""

import asyncio
import ssl
from collections import deque
from typing import Any

import hiredis

from card_core.errors import FastStoreAwayError
from card_core.fast_store import scripts
from card_core.fast_store.config import CONNECT_SECONDS, Address, FastStoreConfig
from card_core.store.epochs import Node

PENDING_MAX = 4096
# A replication id, as Redis writes it.
MASTERSHIP_SIZE_BYTES = 40
_FULL = "full"


class Link(asyncio.Protocol):
    """Made by `open_link`. node: who the server said it is. lost: done when the connection is."""

    node: Node
    mastership: bytes

    def __init__(self, loop: asyncio.AbstractEventLoop, answer_seconds: float) -> None:
        self.lost: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._answer_seconds = answer_seconds
        self._reader = hiredis.Reader()
        self._pending: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None

    def ask(self, command: bytes) -> asyncio.Future[Any]:
        """Send one command and get a future of its answer, which may be a hiredis.ReplyError.

        Raises FastStoreAwayError, and so does the future.
        """
        if self._transport is None or len(self._pending) >= PENDING_MAX:
            raise FastStoreAwayError("closed" if self._transport is None else _FULL)
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(command)
        answer: asyncio.Future[Any] = self._loop.create_future()
        now = self._loop.time()
        self._pending.append((now, answer))
        if self._watch is None:
            self._look_again_at(now + self._answer_seconds)
        return answer

    def drop(self) -> None:
        """Close at once; whatever was asked fails."""
        if self._transport is not None:
            self._transport.abort()
        self._end("dropped")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's, by how it was made

    def data_received(self, data: bytes) -> None:
        reader, pending = self._reader, self._pending
        try:
            reader.feed(data)
            while (answer := reader.gets()) is not False:
                _, asked = pending.popleft()
                if not asked.done():  # whoever asked may have gone away
                    asked.set_result(answer)
        except (hiredis.ProtocolError, IndexError):
            self.drop()  # not Redis, or an answer that nobody asked for

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("closed")

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self._transport is not None:
            self._transport.write(b"".join(unsent))

    def _look_again_at(self, when: float) -> None:
        self._watch = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        """Drop the connection if its oldest question has waited for too long.

        Both event loops read what has arrived before they call this, so a loop that was late
        itself does not blame the server.
        """
        self._watch = None
        if not self._pending:
            return
        due_at = self._pending[0][0] + self._answer_seconds
        if self._loop.time() < due_at:
            self._look_again_at(due_at)
        else:
            self.drop()

    def _end(self, cause: str) -> None:
        self._transport = None
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        pending, self._pending = self._pending, deque()
        for _, asked in pending:
            if not asked.done():
                asked.set_exception(FastStoreAwayError(cause))
        if not self.lost.done():
            self.lost.set_result(None)


def pack(*words: str | bytes | int) -> bytes:
    """A command as it goes over the line."""
    result: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub says one word
    return result


async def open_link(address: Address, config: FastStoreConfig) -> Link:
    """Connect, log in, load the scripts and ask the server who it is.

    Raises FastStoreAwayError, within CONNECT_SECONDS.
    """
    loop = asyncio.get_running_loop()
    link = Link(loop, config.answer_seconds)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await _connect(loop, link, address, config)
            link.node = await _introduce(link, config)
            link.mastership = link.node.mastership.encode()
            if len(link.mastership) != MASTERSHIP_SIZE_BYTES:
                raise FastStoreAwayError("stranger")
    except (OSError, TimeoutError, hiredis.ReplyError) as error:
        link.drop()
        raise FastStoreAwayError(type(error).__name__) from error
    except BaseException:
        link.drop()
        raise
    return link


async def _connect(
    loop: asyncio.AbstractEventLoop, link: Link, address: Address, config: FastStoreConfig
) -> None:
    if not address.port:
        await loop.create_unix_connection(lambda: link, address.host)
        return
    context = ssl.create_default_context(cafile=config.ca_file) if config.tls else None
    await loop.create_connection(lambda: link, address.host, address.port, ssl=context)


async def _introduce(link: Link, config: FastStoreConfig) -> Node:
    if config.password is not None:
        login = [config.password] if config.username is None else [config.username, config.password]
        await _asked(link, "AUTH", *login)
    if config.database:
        await _asked(link, "SELECT", str(config.database))
    for script in (scripts.SPEND, scripts.PUT):
        await _asked(link, "SCRIPT", "LOAD", script.source)
    info = (await _asked(link, "INFO")).decode(errors="replace")
    facts = dict(line.split(":", 1) for line in info.split("\r\n") if ":" in line)
    return Node(facts.get("run_id", ""), facts.get("master_replid", ""))


async def _asked(link: Link, *words: str) -> Any:
    """Raises hiredis.ReplyError where the server refuses."""
    answer = await link.ask(pack(*words))
    if isinstance(answer, hiredis.ReplyError):
        raise answer
    return answer
