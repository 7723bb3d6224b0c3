"""A relay that is killed at random moments and started again. Called by `test_outbox_kills`.

    python killed_relay.py DATABASE_URL EVENTS_URL KILLS SEED

Each relay is a fork of this process, which has everything imported and holds no connection. When
the kills are done a last relay runs until this process is told to end.
"""

import os
import random
import signal
import sys
import time

from bureau import ISSUER, KEY_NUMBER, Clock, MemoryKeys, make_cipher

from card_core.codes import KeyPurpose, key_name
from card_core.kernel import Kernel
from card_core.outbox_relay import Relay
from card_core.signing import SigningKeys
from card_core.store import open_store
from issuance.event_posting import EventPosting


def run_relay(url: str, events_url: str) -> None:
    store = open_store(url, cipher=make_cipher())
    kernel = Kernel(store, clock=Clock(), random_bytes=os.urandom)
    keys = MemoryKeys(ISSUER)
    keys.make(key_name(KeyPurpose.STATUS, ISSUER, KEY_NUMBER))
    posting = EventPosting(events_url, SigningKeys(store, keys, issuer=ISSUER, clock=Clock()))
    relay = Relay(kernel, "notifications", posting)
    while True:
        try:
            relay.round()
        except Exception as error:  # noqa: BLE001 - told, and tried again, as a service does
            print(type(error).__name__, file=sys.stderr, flush=True)
        time.sleep(0.005)


def main() -> None:
    url, events_url, kills, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    rng = random.Random(seed)
    for number in range(kills + 1):
        relay = os.fork()
        if relay == 0:
            run_relay(url, events_url)
        if number == kills:
            print("last", flush=True)
            signal.sigwait({signal.SIGTERM})
        else:
            time.sleep(rng.uniform(0.02, 0.25))
        os.kill(relay, signal.SIGKILL)
        os.waitpid(relay, 0)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main()
