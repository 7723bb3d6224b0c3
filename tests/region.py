"""Two bureaus that trust each other: ours, where the terminal is, and a neighbour's.

Both are in this process; what one asks the other goes over loopback.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx2
from bureau import (
    BOX_WRAP_KEY,
    SYSTEM,
    Bureau,
    Clock,
    SeededBytes,
    make_cipher,
    make_grants,
)
from scan_service import ScanService
from trusting import PROVINCE, document, entry, take

from card_core.codes import KeyPurpose, KeyState, key_name
from card_core.kernel import BoxKeyWrap, Kernel
from card_core.kernel.acts.issuer_keys import RegisterIssuerKey
from card_core.store import issuers, open_store, scans
from card_core.trust import TrustedIssuer, TrustedKey

NEIGHBOUR = 2
PEER = KeyPurpose.PEER
TRUSTED = {KeyPurpose.CODE_SIGNING, KeyPurpose.DEVICE_CREDENTIAL, KeyPurpose.STATUS, PEER}


class Network(httpx2.BaseTransport):
    """What lies between two issuers: it may lose answers, change them, or be cut.

    inner: the way itself; a real one where it isn't given.
    """

    def __init__(self, inner: httpx2.BaseTransport | None = None) -> None:
        self._inner = inner or httpx2.HTTPTransport()
        self.requests: list[httpx2.Request] = []
        self.cut = False
        self.losing = 0
        self.replacing: dict[str, Any] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if self.cut:
            raise httpx2.ConnectError("no route", request=request)
        response = self._inner.handle_request(request)
        body = response.read()
        if self.losing:
            self.losing -= 1
            raise httpx2.ReadTimeout("lost", request=request)
        how = {"status": response.status_code, "headers": response.headers, "body": body}
        return fresh(**{**how, **self.replacing})


class InThisProcess(httpx2.BaseTransport):
    """Straight into the neighbour's application."""

    def __init__(self, service: ScanService) -> None:
        self._service = service

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        target, content = request.url.raw_path.decode(), request.read()
        answer = self._service.http.request(
            request.method, target, content=content, headers=dict(request.headers)
        )
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


def fresh(status: int, headers: Any, body: bytes) -> httpx2.Response:
    """An answer as it comes from the network: nobody has read it yet."""
    return httpx2.Response(status, headers=headers, stream=httpx2.ByteStream(body))


@dataclass
class Region:
    """Ours, where the terminal is, and the neighbour's, whose holder comes.

    url: of the neighbour's service. lists: whether its entry says where its status lists are.
    """

    ours: ScanService
    theirs: ScanService
    network: Network
    url: str
    edition: int = 0
    lists: bool = False

    def trust_each_other(
        self, *, ours: bool = True, theirs: bool = True, days: float = 30, **how: Any
    ) -> None:
        """how: as `entry_of`. days: for which the lists hold."""
        self.edition += 1
        for at, other, url, wanted in (
            (self.ours, self.theirs, self.url, ours),
            (self.theirs, self.ours, None, theirs),
        ):
            lists_at = url if self.lists else None
            named = (entry_of(other.bureau, url, lists_at, **how),) if wanted else ()
            bounds: dict[str, float] = {"edition": self.edition, "days": days}
            take(at.bureau, document(at.clock(), *named, signer=PROVINCE, **bounds))

    def scan(self, code: str, **fields: Any) -> dict[str, Any]:
        answer = self.ours.scan(self.ours.hospital, code, **fields)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def spent_there(self) -> int:
        with self.theirs.bureau.store.read() as tx:
            return sum(
                scan.reason.value == "accepted"
                for scan in scans.of_holder(tx, self.theirs.person.holder_id)
            )


def entry_of(
    bureau: Bureau,
    url: str | None,
    lists_at: str | None = None,
    state: KeyState = KeyState.ACTIVE,
    states: Mapping[KeyPurpose, KeyState] = MappingProxyType({}),
) -> TrustedIssuer:
    """With every key that the bureau has. states: of those that are not in `state`."""
    with bureau.store.read() as tx:
        known = {key.purpose for key in issuers.keys(tx) if key.issuer == bureau.issuer}
    keys = tuple(
        TrustedKey(
            purpose,
            1,
            bureau.keys.signer(name(bureau, purpose)).public_key,
            states.get(purpose, state),
        )
        for purpose in sorted(known & TRUSTED)
    )
    return entry(bureau.issuer, keys=keys, service_url=url, status_list_url=lists_at)


def name(bureau: Bureau, purpose: KeyPurpose) -> str:
    return key_name(purpose, bureau.issuer, 1)


def add_peer_key(bureau: Bureau) -> None:
    point = bureau.keys.make(name(bureau, PEER)).public_key.to_bytes(compressed=True)
    bureau.perform(RegisterIssuerKey(bureau.issuer, 1, point, PEER), SYSTEM)


def make_kernel(url: str, clock: Clock) -> Kernel:
    store = open_store(url, cipher=make_cipher())
    return Kernel(
        store,
        clock=clock,
        grants=make_grants(store, clock, issuer=NEIGHBOUR),
        random_bytes=SeededBytes(url.encode()),
        box_key_wrap=BoxKeyWrap(BOX_WRAP_KEY),
    )
