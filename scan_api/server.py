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
from scan_api.overload import SCANS, Admission
from scan_api.problems import Problem
from scan_api.scans import wire
from scan_api.scans.endpoint import ScanEndpoint
from scan_api.scans.wire import LAST_REFUSAL, REFUSAL, WholeScan
from scan_api.signed_requests import SignedRequest

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
    """uvicorn's settings, and what our protocol needs beside them. scans: of the application, where
    it records any."""

    admission: Admission
    scans: ScanEndpoint | None


def configure(app: ASGIApp, *, host: str, port: int, admission: Admission | None = None) -> Config:
    """Settings for one process that serves `app`, whose `scans`, if it has that, answers scans.

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
    config.scans = getattr(app, "scans", None)
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
    """Ends a connection whose request is too long (431) or too slow (silently, or with 408).

    The usual scan goes round the parser: it is answered, or refused where there is no room for
    another one. What its sender sends before the answer is held back until then.
    """

    config: Config
    head_seconds = HEAD_SECONDS_MAX
    body_seconds = BODY_SECONDS_MAX
    connections_max = CONNECTIONS_MAX
    _head_bytes = 0
    _in_head = True
    _in_body = False
    _timer: asyncio.TimerHandle | None = None
    _is_scanning = False
    _held = b""

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
        if self._is_scanning:
            self._held += data
            self.flow.pause_reading()
            return
        if self._in_head:
            if not self._head_bytes and not self._in_body and wire.begins_scan(data):
                scan = wire.read_whole_scan(data)
                if scan is not None and self._took(scan):
                    return
                self.config.admission.scans.expect()
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

    def shutdown(self) -> None:
        """Called when the server ends: a scan on its way is answered, and ends its connection."""
        if not self._is_scanning:
            super().shutdown()

    def _took(self, scan: WholeScan) -> bool:
        """Answer or refuse it; False where the parser has to have it."""
        endpoint, admission = self.config.scans, self.config.admission
        if admission.scans.is_full:
            admission.metrics.add_refusal("unparsed")
            self._begin_answer()
            self._end_answer(LAST_REFUSAL if admission.is_closing else REFUSAL)
            return True
        if endpoint is None or self.flow.write_paused:
            return False
        admission.scans.expect()
        self._begin_answer()
        task = self.loop.create_task(self._record(endpoint, scan))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)
        return True

    async def _record(self, endpoint: ScanEndpoint, scan: WholeScan) -> None:
        started = endpoint.now()
        peer = self.client[0] if self.client else ""
        request = SignedRequest("POST", SCANS, scan.body, (scan.authorization,), peer)
        try:
            answer = await endpoint.answer(request, scan.content_type.decode("latin-1"), started)
        except BaseException:
            self.transport.abort()
            raise
        self._end_answer(
            wire.to_bytes(
                answer,
                self.server_state.default_headers,
                self.scheme or "",
                is_last=self.config.admission.is_closing,
            )
        )

    def _begin_answer(self) -> None:
        self._disarm()
        self._unset_keepalive_if_required()
        self._is_scanning = True

    def _end_answer(self, data: bytes) -> None:
        self._is_scanning = False
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.transport.write(data)
        if self.config.admission.is_closing:
            self.transport.close()
            return
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        if self._held:
            held, self._held = self._held, b""
            self.flow.resume_reading()
            self.data_received(held)

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
