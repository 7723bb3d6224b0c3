"""One worker process of the service for tests of keys: URL of the database; prints its address.

The keys of the tests' bureau are made from what the parent says, so that its minters and this
worker's agree; clocks are real.
"""

import os
import sys
import time
from datetime import UTC, datetime

from bureau import BOX_WRAP_KEY, PEPPER, MemoryKeys, make_cipher
from chip_card import CardKeys
from scan_service import running

from card_core.card_reading import CardReading
from card_core.chip_cards import Challenges, SoftwareCardAuthentication
from card_core.device_credentials import CredentialIssuer
from card_core.kernel import BoxKeyWrap, Kernel
from card_core.minting import Minter
from card_core.presenting import Presenter
from card_core.short_codes import ShortCodes
from card_core.signing import SigningKeys
from card_core.store import open_store
from scan_api.app import create_app
from scan_api.issuers.asking import PeerClient
from scan_api.issuers.channel import PeerChannel
from scan_api.key_ring import KeyRingCache
from scan_api.scans.writing import ScanWriter
from scan_api.services import Services
from scan_api.terminals.access_tokens import AccessTokens
from scan_api.terminals.authentication import TerminalAuthentication
from scan_api.terminals.registry import Registry


def utc_now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    url, issuer = sys.argv[1], int(sys.argv[2])
    store = open_store(url, cipher=make_cipher())
    wrap, keys = BoxKeyWrap(BOX_WRAP_KEY), MemoryKeys(issuer)
    kernel = Kernel(store, clock=utc_now, random_bytes=os.urandom, box_key_wrap=wrap)
    ring = KeyRingCache(store, utc_now)
    signing = SigningKeys(store, keys, issuer=issuer, clock=utc_now)
    minter = Minter(
        store, keys, kernel, issuer=issuer, clock=utc_now, random_bytes=kernel.random_bytes
    )
    registry = Registry(store, monotonic=time.monotonic)
    tokens = AccessTokens(store.cipher, random_bytes=os.urandom)
    services = Services(
        kernel=kernel,
        store=store,
        minter=minter,
        presenter=Presenter(store, wrap),
        writer=ScanWriter(kernel),
        short_codes=ShortCodes(store, kernel, random_bytes=os.urandom),
        card_reading=CardReading(
            store,
            challenges=Challenges(bytes(range(32))),
            authentication=SoftwareCardAuthentication(CardKeys()),
            random_bytes=os.urandom,
        ),
        peers=PeerClient(PeerChannel(signing, utc_now), ring.trusted),
        credential_issuer=CredentialIssuer(store, kernel, signing),
        key_ring=ring.ring,
        authentication=TerminalAuthentication(registry, tokens),
        pepper=PEPPER,
        clock=utc_now,
    )
    with ring.refreshed(), registry.refreshed(), running(create_app(services)) as address:
        print(address, flush=True)
        sys.stdin.read()  # the parent closes it when the test is over


if __name__ == "__main__":
    main()
