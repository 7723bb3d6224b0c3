"""The HTTP server's settings, and a bound on the head of a request while it arrives.

uvicorn's fast protocol has no limit of its own there: a sender could hold a connection for ever
with a byte a minute, or fill memory with headers that never end. The application can't help,
because it is called when the head is complete.
"""

import asyncio

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from scan_api import problems
from scan_api.limits import HEADER_BYTES_MAX

HEAD_SECONDS_MAX = 10.0
KEEP_ALIVE_SECONDS = 30
DRAIN_SECONDS = 10
# The request line may be as long again as its headers may be.
HEAD_BYTES_MAX = 2 * HEADER_BYTES_MAX


def configure(app: ASGIApp, *, host: str, port: int) -> uvicorn.Config:
    """Settings for one process that serves `app`.

    The access log stays off: it would write paths and addresses. scan_api/request_log.py writes
    what may be written.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


class BoundedProtocol(HttpToolsProtocol):
    """Ends a connection whose request head is too long (431) or too slow (silently)."""

    head_seconds = HEAD_SECONDS_MAX
    _head_bytes = 0
    _in_head = True
    _head_timer: asyncio.TimerHandle | None = None

    # asyncio declares a wider transport than a listening socket ever gives.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # A connection that never says anything is bounded like one that says it slowly.
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            self._arm()
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self._refuse_head()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._disarm()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        next_is_waiting = bool(self.pipeline)
        super().on_response_complete()
        if not next_is_waiting:
            self._in_head = True
            self._head_bytes = 0

    def _arm(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _disarm(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse_head(self) -> None:
        body = problems.HEADERS_TOO_LARGE.to_bytes()
        head = (
            f"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: {problems.MEDIA_TYPE}"
            f"\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
