"""The HTTP server: its settings, a bound on requests while they arrive, and taking leave.

uvicorn's fast protocol has no limits of its own there: a sender could hold a connection for ever
with a byte a minute, or fill memory with headers that never end. The application can't help,
because it is called when the head is complete.

`Server` takes leave so that nobody loses a request: a connection that is closed while a request is
on its way answers it with a reset. So every connection is told with its next answer to close, and
only those that stay silent for a second are closed unasked.
"""

import asyncio
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from scan_api import problems
from scan_api.limits import HEADER_BYTES_MAX
from scan_api.overload import LAST_REFUSAL, REFUSAL, Admission, begins_scan, is_one_whole_scan
from scan_api.problems import Problem

HEAD_SECONDS_MAX = 10.0
BODY_SECONDS_MAX = 10.0
KEEP_ALIVE_SECONDS = 30
CONNECTIONS_MAX = 4096
# The whole of taking leave, notice included, stays under 10 s where the notice is a second.
SILENT_SECONDS = 1.0
DRAIN_SECONDS = 7
POLL_SECONDS = 0.02
# The request line may be as long again as its headers may be.
HEAD_BYTES_MAX = 2 * HEADER_BYTES_MAX


class Config(uvicorn.Config):
    """uvicorn's settings, and what our protocol needs beside them."""

    admission: Admission


def configure(app: ASGIApp, *, host: str, port: int, admission: Admission | None = None) -> Config:
    """Settings for one process that serves `app`.

    admission: the one that `app` was made with. The access log stays off: it would write paths and
    addresses. scan_api/request_log.py writes what may be written. No header of a proxy is believed.
    """
    config = Config(
        app,
        host=host,
        port=port,
        http=BoundedProtocol,
        ws="none",
        lifespan="auto",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    config.admission = admission or Admission()
    return config


class Server(uvicorn.Server):
    """notice_seconds: how long it says that it is not ready any more before it takes no more."""

    def __init__(self, config: Config, *, notice_seconds: float = 0.0) -> None:
        super().__init__(config)
        self._admission = config.admission
        self.notice_seconds = notice_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # 1 readiness fails, and each answer from now on is the last one of its connection
        self._admission.is_closing = True
        for connection in self.server_state.connections:
            if isinstance(connection, BoundedProtocol):
                connection.announce_end()
        await asyncio.sleep(self.notice_seconds)
        # 2 no new connections; where other processes hold the socket, too, they take those
        for server in self.servers:
            server.close()
        # 3 connections that are in use end with their next answer
        loop = asyncio.get_running_loop()
        until = loop.time() + SILENT_SECONDS
        while self.server_state.connections and loop.time() < until:
            await asyncio.sleep(POLL_SECONDS)
        # 4 the silent ones are closed, requests that are running are waited for
        await super().shutdown(sockets)


class BoundedProtocol(HttpToolsProtocol):
    """Ends a connection whose request is too long (431) or too slow (silently, or with 408), and
    refuses scans unparsed where there is no room for another one.
    """

    config: Config
    head_seconds = HEAD_SECONDS_MAX
    body_seconds = BODY_SECONDS_MAX
    connections_max = CONNECTIONS_MAX
    _head_bytes = 0
    _in_head = True
    _in_body = False
    _timer: asyncio.TimerHandle | None = None

    # asyncio declares a wider transport than a listening socket ever gives.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.connections_max:
            self.config.admission.metrics.add_refusal("connection")
            transport.write(LAST_REFUSAL)
            transport.close()
            return
        # A connection that never says anything is bounded like one that says it slowly.
        self._arm(self.head_seconds, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            if not self._head_bytes and not self._in_body and begins_scan(data):
                scans = self.config.admission.scans
                if scans.is_full and is_one_whole_scan(data):
                    self._refuse_unparsed()
                    return
                scans.expect()
            self._head_bytes += len(data)
        # Most requests come whole: no timer is set for what is over before it could start.
        super().data_received(data)
        if self._in_head:
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(problems.HEADERS_TOO_LARGE, "Request Header Fields Too Large")
            elif self._head_bytes and self._timer is None:
                self._arm(self.head_seconds, self.transport.close)
        elif self._in_body and self._timer is None:
            self._arm(self.body_seconds, self._give_up_body)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._in_body = True
        self._disarm()
        super().on_headers_complete()
        if self.config.admission.is_closing:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        self._in_body = False
        self._disarm()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        next_is_waiting = bool(self.pipeline)
        super().on_response_complete()
        if not next_is_waiting:
            self._in_head = True
            self._head_bytes = 0

    def announce_end(self) -> None:
        """Let the answer that is being made, if one is, be the last one."""
        # uvicorn declares the first cycle as if it were always there.
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_started:
            cycle.keep_alive = False

    def _refuse_unparsed(self) -> None:
        self.config.admission.metrics.add_refusal("unparsed")
        self._disarm()
        self._unset_keepalive_if_required()
        if self.config.admission.is_closing:
            self.transport.write(LAST_REFUSAL)
            self.transport.close()
            return
        self.transport.write(REFUSAL)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _give_up_body(self) -> None:
        if self.cycle.response_started:
            self.transport.close()
        else:
            self._refuse(problems.BODY_TOO_SLOW, "Request Timeout")

    def _arm(self, seconds: float, end: Callable[[], object]) -> None:
        self._timer = self.loop.call_later(seconds, end)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, problem: Problem, phrase: str) -> None:
        if self.transport.is_closing():
            return
        body = problem.to_bytes()
        head = (
            f"HTTP/1.1 {problem.status} {phrase}\r\ncontent-type: {problems.MEDIA_TYPE}"
            f"\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
