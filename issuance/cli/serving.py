"""Putting the service together, and running HTTP servers until somebody stops them."""

import logging
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from fastapi import FastAPI
from starlette.types import ASGIApp

from card_core import codes
from card_core.card_reading import CardReading
from card_core.chip_cards import CHALLENGE_KEY, Challenges, SoftwareCardAuthentication
from card_core.device_credentials import CredentialIssuer
from card_core.fast_store import FastStore, FastStoreConfig, Mode, open_fast_store
from card_core.kernel import BoxKeyWrap, Kernel
from card_core.minting import Minter
from card_core.presenting import Presenter
from card_core.printed_codes import PrintedCodes
from card_core.short_codes import ShortCodes
from card_core.sign_in.person_check import PersonCheck, SimulatedPersonCheck
from card_core.signing import SigningKeys
from crypto import SelfTestError, self_test
from issuance import person_check
from issuance.applying import check_application
from issuance.cli.listening import url_of
from issuance.errors import IssuanceError, SettingsError
from issuance.installation import Installation, random_bytes, utc_now
from issuance.sandbox import is_sandbox
from scan_api.app import create_app
from scan_api.clock_watch import ClockWatch
from scan_api.gauges import gauges
from scan_api.issuers.asking import PeerClient
from scan_api.issuers.channel import PeerChannel, trusting
from scan_api.key_ring import KeyRingCache
from scan_api.overload import Admission
from scan_api.repeating import repeated
from scan_api.scans.identifying import IdentifyDesk
from scan_api.scans.writing import ScanWriter
from scan_api.server import Server, configure
from scan_api.services import Services
from scan_api.terminals.access_tokens import AccessTokens
from scan_api.terminals.authentication import TerminalAuthentication
from scan_api.terminals.registry import Registry

SWITCH_SECONDS = 0.0005
SWEEP_EVERY_SECONDS = 300
START_POLL_SECONDS = 0.01
WATCH_SECONDS = 1.0

_log = logging.getLogger("sscard.serving")


def make_key_ring(site: Installation) -> KeyRingCache:
    """The keys that codes are checked with; to be kept fresh (`refreshed`) while a service runs."""
    return KeyRingCache(site.store, utc_now)


def make_registry(site: Installation) -> Registry:
    """The terminals that the service knows; empty, and of no use, unless it is `refreshed`."""
    return Registry(site.store, monotonic=time.monotonic)


def make_clock(site: Installation) -> ClockWatch:
    """The time that the service goes by; refused before it is `watched`."""
    return ClockWatch(site.store, utc_now, monotonic=time.monotonic)


def make_peer_channel(site: Installation) -> PeerChannel:
    """The way to other issuers. Raises SettingsError for a file of authorities that is none."""
    authorities = site.peer_ca_file
    try:
        tls = None if authorities is None else trusting(authorities)
    except (OSError, ssl.SSLError):
        raise SettingsError(
            "peer_ca_file_unusable",
            f"SSCARD_PEER_CA_FILE：{authorities} 无法读取，或其中没有 PEM 格式的 CA 证书。",
            f"SSCARD_PEER_CA_FILE: {authorities} can't be read, or holds no CA certificate in PEM.",
        ) from None
    signing_keys = SigningKeys(site.store, site.keys, issuer=site.facts.issuer, clock=utc_now)
    return PeerChannel(signing_keys, utc_now, tls=tls)


def make_service(
    site: Installation,
    key_ring: KeyRingCache,
    registry: Registry,
    clock: ClockWatch,
    admission: Admission | None = None,
    *,
    is_alone: bool = True,
    simulates_person_check: bool = False,
) -> FastAPI:
    """The whole HTTP service over an opened installation.

    admission: how much it takes on at a time; its numbers learn of what is made here.
    is_alone: no other process of this machine scans; then the fast store may live in this one.
    simulates_person_check: for a demonstration. Raises SettingsError.
    """
    admission = admission or Admission()
    minter = Minter(
        site.store,
        site.keys,
        site.kernel,
        issuer=site.facts.issuer,
        clock=clock.now,
        random_bytes=random_bytes,
    )
    writer = ScanWriter(site.kernel, admission.metrics)
    fast = _open_fast_store(site, is_alone=is_alone)
    admission.metrics.gauges |= {
        **gauges(registry, key_ring, clock, writer, fast),
        "resident_bytes": resident_bytes,
        "self_tests_passed": _self_tests_passed,
    }
    return create_app(
        Services(
            kernel=site.kernel,
            store=site.store,
            minter=minter,
            credential_issuer=CredentialIssuer(
                site.store,
                site.kernel,
                SigningKeys(site.store, site.keys, issuer=site.facts.issuer, clock=utc_now),
            ),
            presenter=Presenter(site.store, BoxKeyWrap(site.keys.secret("box_wrap"))),
            writer=writer,
            short_codes=ShortCodes(site.store, site.kernel, random_bytes=random_bytes),
            printed_codes=PrintedCodes(site.store, site.kernel, minter, random_bytes=random_bytes),
            card_reading=CardReading(
                site.store,
                challenges=Challenges(site.keys.secret(CHALLENGE_KEY)),
                authentication=SoftwareCardAuthentication(site.keys),
                random_bytes=random_bytes,
            ),
            peers=PeerClient(make_peer_channel(site), key_ring.trusted),
            key_ring=key_ring.ring,
            authentication=TerminalAuthentication(
                registry, AccessTokens(site.store.cipher, random_bytes=random_bytes)
            ),
            check_application=check_application,
            pepper=site.pepper,
            profile=site.profile,
            clock=clock.now,
            person_check=choose_person_check(site, simulates=simulates_person_check),
            identifying=None if fast is None else IdentifyDesk(site.kernel, writer, fast),
        ),
        admission,
    )


def choose_person_check(site: Installation, *, simulates: bool) -> PersonCheck | None:
    """Who checks people online; in a sandbox and where it `simulates`, nobody does.

    Raises SettingsError.
    """
    if simulates or (site.person_check is None and is_sandbox(site)):
        return SimulatedPersonCheck(random_bytes=random_bytes)
    return person_check.choose(
        site.person_check, profile=site.profile, clock=utc_now, random_bytes=random_bytes
    )


def _open_fast_store(site: Installation, *, is_alone: bool) -> FastStore | None:
    """None where no fast store is configured and several processes would each have one."""
    config = site.fast_store or (FastStoreConfig(Mode.PROCESS) if is_alone else None)
    if config is None:
        return None
    store, pusher = open_fast_store(config, site.kernel, monotonic=time.monotonic)
    site.kernel.card_pusher = pusher
    return store


def resident_bytes() -> int:
    """How much memory this process holds now; 0 where the system doesn't tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _self_tests_passed() -> int:
    try:
        check_self_tests()
    except SelfTestError:
        return 0
    return 1


def check_self_tests() -> None:
    """Refuse before anything is opened. Raises crypto.SelfTestError.

    There are two native modules, each with its own copy of the SM core.
    """
    self_test.require_operational()
    codes.require_operational()


class RunningServer:
    """One HTTP server in a thread of its own, on a socket that is bound already.

    admission: the one that `app` was made with. notice_seconds: for how long it is not ready
    any more, but still takes connections, when it is stopped.
    """

    def __init__(
        self,
        app: ASGIApp,
        listening: socket.socket,
        admission: Admission | None = None,
        *,
        notice_seconds: float = 0.0,
    ) -> None:
        self.url = url_of(listening)
        name = listening.getsockname()
        host, self.port = name[:2] if isinstance(name, tuple) else ("", 0)
        self._listening = listening
        self._server = Server(
            configure(app, host=host, port=self.port, admission=admission),
            notice_seconds=notice_seconds,
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name=f"http {self.port}"
        )
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def notice_seconds(self) -> float:
        return self._server.notice_seconds

    @notice_seconds.setter
    def notice_seconds(self, seconds: float) -> None:
        self._server.notice_seconds = seconds

    def wait_until_started(self) -> None:
        """Raises IssuanceError when it ended instead."""
        while not self._server.started:
            self._thread.join(START_POLL_SECONDS)
            if not self.is_alive:
                raise _server_ended()

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
    with stop_signals() as stop:
        watch_until(stop, servers)


def watch_until(stop: threading.Event, servers: Sequence[RunningServer]) -> None:
    """As `serve_until_stopped`, until somebody sets `stop`. Raises IssuanceError."""
    watch = SelfTestWatch()
    while not stop.wait(WATCH_SECONDS):
        watch.look()
        if not all(server.is_alive for server in servers):
            raise _server_ended()


def share_the_interpreter() -> None:
    """Have threads hand on the interpreter sooner than by default (5 ms).

    The thread that commits needs it for moments, again and again; behind an event loop that is
    always busy it would wait that long each time, and every scan with it.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def _server_ended() -> IssuanceError:
    return IssuanceError(
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
def swept(kernel: Kernel, clock: ClockWatch) -> Iterator[None]:
    """Delete, now and then, what has outlived its promise: old answers, nonces, sessions; nothing
    while the clock that would say so can't be believed."""

    def sweep() -> None:
        clock.now()
        kernel.sweep()

    with repeated(
        sweep,
        every_seconds=SWEEP_EVERY_SECONDS,
        name="sweep",
        failure="sweep_failed",
        log=_log,
    ):
        yield
