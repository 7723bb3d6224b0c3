"""A worker as a process of its own, for tests that stop it or lie to it about the time.

    python fast_worker.py DATABASE_URL FAST_STORE_ADDRESS

It spends what it reads, a code a line as "e-card minted-at nonce", and writes "nonce outcome" for
each. It begins with "ready" when a new code of its own making would be accepted.
"""

import asyncio
import os
import sys
import time
from datetime import UTC, datetime

from bureau import make_cipher
from fast_rig import Code, spend

from card_core.errors import FastStoreError
from card_core.fast_store import FastStore, FastStoreConfig, open_fast_store
from card_core.kernel import Kernel
from card_core.store import open_store


async def answer(store: FastStore, line: str) -> None:
    ecard_id, minted_at, nonce = line.split()
    code = Code(int(ecard_id), int(minted_at), bytes.fromhex(nonce))
    try:
        outcome = type(await spend(store, code)).__name__
    except FastStoreError as error:
        outcome = error.cause
    print(nonce, outcome, flush=True)


async def main(database_url: str, address: str) -> None:
    opened = open_store(database_url, cipher=make_cipher())
    kernel = Kernel(opened, clock=lambda: datetime.now(UTC), random_bytes=os.urandom)
    store, _ = open_fast_store(FastStoreConfig.parse(address), kernel, monotonic=time.monotonic)
    await store.start()
    while store.ready() is not None:
        await asyncio.sleep(0.02)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    answers = set()
    while line := await lines.readline():
        task = asyncio.create_task(answer(store, line.decode()))
        answers.add(task)
        task.add_done_callback(answers.discard)
    await asyncio.gather(*answers)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
