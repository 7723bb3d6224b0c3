"""A proxy for streams on loopback that can turn on whoever trusts it.

It passes bytes on, swallows them, or cuts every connection; and it can be pointed at another
server, as an address that moves does. Runs in a thread with an event loop of its own.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


class StreamProxy:
    """port: where it listens. target: the port, or the path of the socket, that it leads to."""

    def __init__(self, target: int | Path) -> None:
        self.target = target
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._passing = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._end: Callable[[], object] = self._cut

    def swallow(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self._do(self._passing.clear)

    def deliver(self) -> None:
        """Bytes pass again, those first that were held back."""
        self._do(self._passing.set)

    def cut(self) -> None:
        """Close every connection; new ones are taken."""
        self._do(self._cut)

    def lead_to(self, target: int | Path) -> None:
        """Cut, and take everybody to another server from now on."""

        def turn() -> None:
            self.target = target
            self._cut()

        self._do(turn)

    def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def _do(self, what: Callable[[], Any]) -> None:
        done = threading.Event()

        def run() -> None:
            what()
            done.set()

        self._loop.call_soon_threadsafe(run)
        if not done.wait(10):
            raise TimeoutError("the proxy's thread does not answer")

    async def _serve(self, started: threading.Event) -> None:
        self._passing.set()
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        async with server:
            await server.serve_forever()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        both = {writer, there_writer}
        self._writers |= both
        try:
            # Cancelled only when the proxy ends, which asyncio's streams would call an error.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(
                    self._pass(reader, there_writer), self._pass(there_reader, writer)
                )
        finally:
            self._writers -= both
            for one in both:
                one.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection("127.0.0.1", self.target)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

    @classmethod
    @contextlib.contextmanager
    def running(cls, target: int | Path) -> Iterator["StreamProxy"]:
        proxy = cls(target)
        started = threading.Event()

        def run() -> None:
            asyncio.set_event_loop(proxy._loop)
            serving = proxy._loop.create_task(proxy._serve(started))
            proxy._end = serving.cancel
            with contextlib.suppress(asyncio.CancelledError):
                proxy._loop.run_until_complete(serving)
            left = asyncio.all_tasks(proxy._loop)
            for task in left:
                task.cancel()
            proxy._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            proxy._loop.close()

        thread = threading.Thread(target=run, name="stream-proxy", daemon=True)
        thread.start()
        if not started.wait(10):
            raise TimeoutError("the proxy did not start")
        try:
            yield proxy
        finally:
            proxy._loop.call_soon_threadsafe(proxy._end)
            thread.join(10)
