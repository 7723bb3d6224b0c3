"""A holder who is signed in at a service that is a process."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from benchmarks.bench_scan.bureau import HOLDER_PASSWORD, Ground
from card_core.sign_in import sign_in_holder
from card_core.store import cards, holders

PATIENCE_SECONDS = 30


@contextmanager
def signed_in(ground: Ground, address: str, *, person: int = 0) -> Iterator[httpx2.Client]:
    """The browser of one of the people with an e-card."""
    site = ground.site
    with site.store.read() as tx:
        holder_id = cards.page(tx, limit=person + 1)[person].holder_id
        number = holders.identity_of(tx, holder_id).social_security_number
    token = sign_in_holder(site.kernel, number, HOLDER_PASSWORD, pepper=site.pepper).token
    url = f"http://{address}"
    headers = {"Origin": url, "Cookie": f"sscard_holder={token}"}
    with httpx2.Client(
        base_url=url, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
    ) as http:
        yield http
