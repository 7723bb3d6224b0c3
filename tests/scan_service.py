"""The HTTP service over a small bureau, and the terminals and browsers that call it, for tests."""

import contextlib
import copy
import functools
import itertools
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx2
import uvicorn
from bureau import BOX_WRAP_KEY, HOLDER_PASSWORD, PEPPER, Bureau, Person
from chip_card import CardKeys
from fastapi import FastAPI
from fastapi._compat import v2
from fastapi.dependencies import models
from pydantic import ConfigDict, TypeAdapter
from request_keys import naming_requests
from starlette.testclient import TestClient

from card_core.card_reading import CardReading
from card_core.chip_cards import Challenges, SoftwareCardAuthentication
from card_core.codes import KeyRing
from card_core.device_credentials import CredentialIssuer
from card_core.fast_store import FastStoreConfig, open_fast_store
from card_core.kernel import BoxKeyWrap
from card_core.presenting import Presenter
from card_core.printed_codes import PrintedCodes
from card_core.service_channels import ChannelKind
from card_core.short_codes import ShortCodes
from card_core.sign_in.person_check import SimulatedPersonCheck
from card_core.signing import SigningKeys
from card_core.store.institutions import Terminal
from card_core.trust import TrustList
from crypto import sm2
from issuance.applying import check_application
from scan_api import server
from scan_api.app import create_app
from scan_api.issuers.asking import PeerClient
from scan_api.issuers.channel import PeerChannel
from scan_api.key_ring import KeyRingCache
from scan_api.scans.identifying import IdentifyDesk
from scan_api.scans.writing import ScanWriter
from scan_api.services import Services
from scan_api.signed_requests import NONCE_BYTES, authorization
from scan_api.terminals.access_tokens import AccessTokens
from scan_api.terminals.authentication import TerminalAuthentication
from scan_api.terminals.registry import Registry

BASE_URL = "https://sscard.test"
HOSPITAL_CODE = "H44060400001"
PHARMACY_CODE = "P44060400002"
REGISTRATION = "01101"
PURCHASE = "02121"
TAMPERED_DIGIT = 200

_nonces = itertools.count(1)

# FastAPI remembers thousands of routes, and with each the whole application of a test that is over.
for _name in ("gen", "async_gen", "coroutine"):
    _cached = getattr(models, f"_is_{_name}_callable_cached")
    setattr(models, _cached.__name__, functools.lru_cache(maxsize=64)(_cached.__wrapped__))

_adapters: dict[tuple[object, str, str], TypeAdapter[Any]] = {}


def _known_adapter(kind: Any, *, config: ConfigDict | None = None) -> TypeAdapter[Any]:
    """An application makes a hundred of them, and most tests make an application of their own."""
    key = (kind.__origin__, repr(kind.__metadata__), repr(config))
    if key not in _adapters:
        _adapters[key] = TypeAdapter(kind, config=config)
    return _adapters[key]


setattr(v2, TypeAdapter.__name__, _known_adapter)


@dataclass
class TerminalDevice:
    """An institution's terminal: its serial number and its own key."""

    serial_number: bytes
    clock: Callable[[], datetime]
    key: sm2.PrivateKey = field(default_factory=sm2.PrivateKey.generate)

    def authorization(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        signed_at: int | None = None,
        nonce: bytes | None = None,
    ) -> str:
        return authorization(
            self.key,
            self.serial_number,
            method=method,
            target=target,
            body=body,
            signed_at=int(self.clock().timestamp()) if signed_at is None else signed_at,
            nonce=next(_nonces).to_bytes(NONCE_BYTES) if nonce is None else nonce,
        )

    def scan(self, http: httpx2.Client, **fields: Any) -> httpx2.Response:
        """POST /v1/scans with these fields, signed."""
        return self.post_scan(http, json.dumps(fields).encode())

    def post_scan(self, http: httpx2.Client, body: bytes) -> httpx2.Response:
        return self.post(http, "/v1/scans", body)

    def post(self, http: httpx2.Client, target: str, body: bytes) -> httpx2.Response:
        headers = {
            "Authorization": self.authorization("POST", target, body),
            "Content-Type": "application/json",
        }
        return http.post(target, content=body, headers=headers)


class ScanService:
    """The application, a hospital's and a pharmacy's terminal, and one person with an e-card."""

    def __init__(
        self,
        bureau: Bureau,
        *,
        peer_transport: httpx2.BaseTransport | None = None,
        fast_store: str | None = None,
    ) -> None:
        """peer_transport: what is between this issuer and the others. fast_store: its address; then
        the clock must be the machine's, and the application a running one (`running`)."""
        self.bureau = bureau
        self.clock = bureau.clock
        self.key_ring = KeyRingCache(bureau.store, bureau.clock)
        # Time stands still for it: what it knows is never stale, and new when `refresh` is called.
        self.registry = Registry(bureau.store, monotonic=lambda: 0.0)
        tokens = AccessTokens(bureau.store.cipher, random_bytes=bureau.kernel.random_bytes)
        signing_keys = SigningKeys(
            bureau.store, bureau.keys, issuer=bureau.issuer, clock=bureau.clock
        )
        transport = peer_transport or httpx2.HTTPTransport(verify=_tls())
        self.channel = PeerChannel(signing_keys, bureau.clock, transport=transport)
        self.peers = PeerClient(self.channel, self._trusted)
        self.writer = ScanWriter(bureau.kernel)
        self.services = Services(
            kernel=bureau.kernel,
            store=bureau.store,
            minter=bureau.minter,
            credential_issuer=CredentialIssuer(bureau.store, bureau.kernel, signing_keys),
            presenter=Presenter(bureau.store, BoxKeyWrap(BOX_WRAP_KEY)),
            writer=self.writer,
            short_codes=ShortCodes(
                bureau.store, bureau.kernel, random_bytes=bureau.kernel.random_bytes
            ),
            printed_codes=PrintedCodes(
                bureau.store,
                bureau.kernel,
                bureau.minter,
                random_bytes=bureau.kernel.random_bytes,
            ),
            card_reading=CardReading(
                bureau.store,
                challenges=Challenges(bytes(range(32))),
                authentication=SoftwareCardAuthentication(CardKeys()),
                random_bytes=bureau.kernel.random_bytes,
            ),
            peers=self.peers,
            key_ring=self._key_ring,
            authentication=TerminalAuthentication(self.registry, tokens),
            check_application=check_application,
            pepper=PEPPER,
            clock=bureau.clock,
            identifying=self._identify_desk(fast_store),
            person_check=SimulatedPersonCheck(random_bytes=bureau.kernel.random_bytes),
        )
        self.app: FastAPI = create_app(self.services)
        self.hospital = self._device(bureau.hospital)
        self.pharmacy = self._device(bureau.pharmacy)
        self.registry.refresh()
        self.person = bureau.person()
        self.http = self.client()

    def beside(self, fast_store: str) -> "ScanService":
        """The application of another process on the same database and the same fast store."""
        other = copy.copy(self)
        other.writer = ScanWriter(self.bureau.kernel)
        desk = other._identify_desk(fast_store)
        other.services = replace(self.services, writer=other.writer, identifying=desk)
        other.app = create_app(other.services)
        return other

    def _identify_desk(self, address: str | None) -> IdentifyDesk | None:
        if address is None:
            return None
        kernel, config = self.bureau.kernel, FastStoreConfig.parse(address)
        store, kernel.card_pusher = open_fast_store(config, kernel, monotonic=time.monotonic)
        return IdentifyDesk(kernel, self.writer, store)

    def _key_ring(self) -> KeyRing:
        """As fresh as the background thread keeps it, without the thread."""
        self.key_ring.refresh()
        return self.key_ring.ring()

    def _trusted(self) -> TrustList | None:
        self.key_ring.refresh()
        return self.key_ring.trusted()

    def client(self) -> TestClient:
        """A caller with cookies of its own, straight into the application."""
        client = TestClient(self.app, base_url=BASE_URL, raise_server_exceptions=False)
        return naming_requests(client)

    def enrol(
        self, institution_code: str, serial: int, channel: ChannelKind | None = None
    ) -> TerminalDevice:
        device = TerminalDevice(serial.to_bytes(8), self.clock)
        public_key = device.key.public_key().to_bytes(compressed=True)
        self.bureau.enrol(device.serial_number, institution_code, public_key, channel=channel)
        self.registry.refresh()
        return device

    def _device(self, terminal: Terminal) -> TerminalDevice:
        """One of those that the bureau has from the start."""
        serial_number = terminal.serial_number
        return TerminalDevice(serial_number, self.clock, self.bureau.terminal_keys[serial_number])

    def mint(self, person: Person | None = None) -> str:
        return self.bureau.minter.mint((person or self.person).holder_id).text

    def scan(self, device: TerminalDevice, code: str, **fields: Any) -> httpx2.Response:
        """A scan with what is usual there, and a request id of its own."""
        usual = {
            "code": code,
            "business_type": PURCHASE if device is self.pharmacy else REGISTRATION,
            "request_id": self.bureau.request_id(),
        }
        return device.scan(self.http, **usual | fields)

    def signed_in(self, person: Person | None = None) -> TestClient:
        """A browser on the service's own page, signed in as the holder."""
        browser = self.client()
        browser.headers["Origin"] = BASE_URL
        answer = browser.post(
            "/v1/holder/sign-ins",
            json={
                "social_security_number": (person or self.person).number,
                "password": HOLDER_PASSWORD,
            },
        )
        answer.raise_for_status()
        return browser


def tampered(code: str) -> str:
    """One digit changed, in the middle of the signature."""
    other = str((int(code[TAMPERED_DIGIT]) + 1) % 10)
    return code[:TAMPERED_DIGIT] + other + code[TAMPERED_DIGIT + 1 :]


@functools.cache
def _tls() -> ssl.SSLContext:
    """Reading all the authorities' certificates takes as long as many a test."""
    return ssl.create_default_context()


@contextlib.contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Serve `app` as in production, on a free port of the loopback address; yields its URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = server.configure(app, host="127.0.0.1", port=port)
    process = uvicorn.Server(config)
    thread = threading.Thread(target=process.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.should_exit = True
        thread.join()
