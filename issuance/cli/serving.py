"""Putting the service together, and running HTTP servers until somebody stops them."""

import errno
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from card_core import codes
from card_core.card_reading import CardReading
from card_core.chip_cards import CHALLENGE_KEY, Challenges, SoftwareCardAuthentication
from card_core.errors import StoreError
from card_core.kernel import BoxKeyWrap, Kernel
from card_core.minting import Minter
from card_core.presenting import Presenter
from card_core.short_codes import ShortCodes
from card_core.signing import SigningKeys
from crypto import SelfTestError, self_test
from issuance.errors import IssuanceError
from issuance.installation import Installation, random_bytes, utc_now
from scan_api.app import create_app
from scan_api.issuers.asking import PeerClient
from scan_api.key_ring import KeyRingCache
from scan_api.scans.writing import ScanWriter
from scan_api.server import configure
from scan_api.services import Services
from scan_api.terminals.access_tokens import AccessTokens
from scan_api.terminals.authentication import TerminalAuthentication
from scan_api.terminals.registry import Registry

BACKLOG = 2048
SWEEP_EVERY_SECONDS = 300
WATCH_SECONDS = 1.0

_log = logging.getLogger("sscard.serving")


def make_key_ring(site: Installation) -> KeyRingCache:
    """The keys that codes are checked with; to be kept fresh (`refreshed`) while a service runs."""
    return KeyRingCache(site.store, utc_now)


def make_registry(site: Installation) -> Registry:
    """The terminals that the service knows; empty, and of no use, unless it is `refreshed`."""
    return Registry(site.store, monotonic=time.monotonic)


def make_service(site: Installation, key_ring: KeyRingCache, registry: Registry) -> FastAPI:
    """The whole HTTP service over an opened installation."""
    minter = Minter(
        site.store,
        site.keys,
        site.kernel,
        issuer=site.facts.issuer,
        clock=utc_now,
        random_bytes=random_bytes,
    )
    return create_app(
        Services(
            kernel=site.kernel,
            store=site.store,
            minter=minter,
            presenter=Presenter(site.store, BoxKeyWrap(site.keys.secret("box_wrap"))),
            writer=ScanWriter(site.kernel),
            short_codes=ShortCodes(site.store, site.kernel, random_bytes=random_bytes),
            card_reading=CardReading(
                site.store,
                challenges=Challenges(site.keys.secret(CHALLENGE_KEY)),
                authentication=SoftwareCardAuthentication(site.keys),
                random_bytes=random_bytes,
            ),
            peers=PeerClient(
                SigningKeys(site.store, site.keys, issuer=site.facts.issuer, clock=utc_now),
                key_ring.trusted,
                utc_now,
            ),
            key_ring=key_ring.ring,
            authentication=TerminalAuthentication(
                registry, AccessTokens(site.store.cipher, random_bytes=random_bytes)
            ),
            pepper=site.pepper,
            clock=utc_now,
        )
    )


def check_self_tests() -> None:
    """Refuse before anything is opened. Raises crypto.SelfTestError.

    There are two native modules, each with its own copy of the SM core.
    """
    self_test.require_operational()
    codes.require_operational()


def bind(host: str, port: int) -> socket.socket:
    """Take the address now, so that a port in use is told before anything else happens.

    port: 0 for any free one. Raises IssuanceError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise IssuanceError(
                "port_in_use",
                f"端口 {port} 已被其他程序占用。请用 --port 换一个，或先停掉那个程序。",
                f"Port {port} is in use by another program. Choose another with --port, or stop "
                "that program.",
            ) from error
        raise IssuanceError(
            "address_unusable",
            f"不能在 {host}:{port} 上提供服务。请检查地址；1024 以下的端口需要特权。",
            f"The address {host}:{port} can't be served. Check it; ports below 1024 need "
            "privileges.",
        ) from error


class RunningServer:
    """One HTTP server in a thread of its own, on a socket that is bound already."""

    def __init__(self, app: ASGIApp, listening: socket.socket) -> None:
        host, self.port = listening.getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._server = uvicorn.Server(configure(app, host=host, port=self.port))
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name=f"http {self.port}"
        )
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def begin_stop(self) -> None:
        """Take no new connections and finish the requests that are there."""
        self._server.should_exit = True

    def join(self) -> None:
        self._thread.join()


@contextmanager
def running(*servers: RunningServer) -> Iterator[None]:
    """Stop the servers at the end, all at once, whatever happened inside."""
    try:
        yield
    finally:
        for server in servers:
            server.begin_stop()
        for server in servers:
            server.join()


def serve_until_stopped(servers: Sequence[RunningServer]) -> None:
    """Return when SIGINT or SIGTERM comes. Raises IssuanceError when a server ends by itself.

    A self-test that fails meanwhile is logged, and ends nothing: the service answers that it is
    not ready, which says more to those who ask than a closed door.
    """
    watch = SelfTestWatch()
    with stop_signals() as stop:
        while not stop.wait(WATCH_SECONDS):
            watch.look()
            if not all(server.is_alive for server in servers):
                raise IssuanceError(
                    "server_ended",
                    "服务意外停止，请查看日志。",
                    "The service ended by itself; see its log.",
                )


class SelfTestWatch:
    """Tells the log once when the process has entered the error state."""

    def __init__(self) -> None:
        self._told = False

    def look(self) -> None:
        if self._told:
            return
        try:
            check_self_tests()
        except SelfTestError as error:
            self._told = True
            _log.error('{"event": "self_test_failed", "error": "%s"}', error.code)


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, instead of ending the process where it stands."""
    stop = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def swept(kernel: Kernel) -> Iterator[None]:
    """Delete, now and then, what has outlived its promise: old answers, nonces, sessions."""
    stop = threading.Event()

    def sweep() -> None:
        while not stop.wait(SWEEP_EVERY_SECONDS):
            try:
                kernel.sweep()
            except StoreError as error:
                _log.warning('{"event": "sweep_failed", "error": "%s"}', error.code)

    thread = threading.Thread(target=sweep, name="sweep")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def log_to_stderr() -> None:
    """One JSON line for each request, on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger("sscard")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
