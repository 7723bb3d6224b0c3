"""One worker process of the service for tests of keys: URL of the database; prints its address.

The keys of the tests' bureau are made from what the parent says, so that its minters and this
worker's agree; clocks are real.
"""

import os
import sys
from datetime import UTC, datetime

from bureau import BOX_WRAP_KEY, PEPPER, MemoryKeys, make_cipher
from scan_service import running

from card_core.kernel import BoxKeyWrap, Kernel
from card_core.minting import Minter
from card_core.presenting import Presenter
from card_core.signing import SigningKeys
from card_core.store import open_store
from scan_api.app import create_app
from scan_api.issuers.asking import PeerClient
from scan_api.key_ring import KeyRingCache
from scan_api.scans.writing import ScanWriter
from scan_api.services import Services


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
    services = Services(
        kernel=kernel,
        store=store,
        minter=minter,
        presenter=Presenter(store, wrap),
        writer=ScanWriter(kernel),
        peers=PeerClient(signing, ring.trusted, utc_now),
        key_ring=ring.ring,
        pepper=PEPPER,
        clock=utc_now,
    )
    with ring.refreshed(), running(create_app(services)) as address:
        print(address, flush=True)
        sys.stdin.read()  # the parent closes it when the test is over


if __name__ == "__main__":
    main()
