"""Minting over a provider that signs a thousand times a second: nothing changes but the pace."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from bureau import ISSUER, KEY_NUMBER, Bureau, MemoryKeys
from paced_keys import SIGNATURES_PER_SECOND, PacedKeys

from card_core.codes import KeyPurpose, key_name
from card_core.minting import Minter

THREADS = 8


class Hourglass:
    """A clock that jumps to whatever moment is waited for, in many threads."""

    def __init__(self) -> None:
        self._moment = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        with self._lock:
            return self._moment

    def wait(self, moment: float) -> None:
        with self._lock:
            self._moment = max(self._moment, moment)


def test_codes_are_minted_over_a_slow_module_like_over_any_other(bureau: Bureau) -> None:
    time_there = Hourglass()
    module = PacedKeys(bureau.keys, now=time_there.now, wait=time_there.wait)
    minter = Minter(
        bureau.store,
        module,
        bureau.kernel,
        issuer=ISSUER,
        clock=bureau.clock,
        random_bytes=bureau.kernel.random_bytes,
    )
    people = bureau.people(5)
    with ThreadPoolExecutor(THREADS) as threads:
        minted = list(threads.map(lambda one: minter.mint(one.holder_id), people * 10))
    assert module.signatures == len(minted) == 50
    ring_checked = [bureau.checked(one.text, bureau.hospital, "01101") for one in minted]
    assert len({one.box for one in ring_checked}) == 50
    accepted = bureau.scan(minted[0].text)
    assert accepted["outcome"] == "accepted"
    # Fifty signatures at a thousand a second, in however many threads.
    assert round(time_there.now() * SIGNATURES_PER_SECOND) == 50


def test_the_pace_holds_for_all_signers_of_a_module_together() -> None:
    time_there = Hourglass()
    keys = MemoryKeys()
    module = PacedKeys(keys, now=time_there.now, wait=time_there.wait)
    name = key_name(KeyPurpose.CODE_SIGNING, ISSUER, KEY_NUMBER)

    def sign(number: int) -> None:
        signer = module.signer(name)
        signer.public_key.verify(signer.sign(b"%d" % number), b"%d" % number)

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(sign, range(2000)))
    assert round(time_there.now(), 6) == 2.0
    assert (module.names(), module.secret("box_wrap")) == (keys.names(), keys.secret("box_wrap"))


def test_by_the_real_clock_it_is_no_faster() -> None:
    module = PacedKeys(MemoryKeys())
    signer = module.signer(key_name(KeyPurpose.CODE_SIGNING, ISSUER, KEY_NUMBER))
    started_at = time.monotonic()
    for _ in range(100):
        signer.sign(b"message")
    assert time.monotonic() - started_at >= 100 / SIGNATURES_PER_SECOND
