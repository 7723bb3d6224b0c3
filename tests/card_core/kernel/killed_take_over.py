"""A worker that takes a stock over and dies by SIGKILL at one place after another.

Called by `test_kernel_stock_kills`: URL, stock id, number of chunks, journal file. As in
`killed_worker`, each start dies before a later statement or commit; what was answered is written to
the journal.
"""

import json
import os
import sys
from functools import partial
from pathlib import Path

from bureau import Clock, make_cipher
from dying import die_at
from killed_worker import run_until_through

from card_core.kernel import Actor, ActorKind, Kernel
from card_core.kernel.acts import stock as stock_acts
from card_core.kernel.acts.stock import TakeOverChunk
from card_core.store import open_store, operators

CHUNK_SIZE = 2


def run_worker(url: str, stock_id: str, chunks: int, journal: Path, place: int) -> None:
    stock_acts.CHUNK_SIZE = CHUNK_SIZE
    store = open_store(url, cipher=make_cipher())
    kernel = Kernel(store, clock=Clock(), random_bytes=os.urandom)
    with store.read() as tx:
        maker = operators.find_by_name(tx, "maker")
    assert maker is not None
    actor = Actor(ActorKind.OPERATOR, maker.id)
    known = set(journal.read_text().splitlines()) if journal.exists() else set()
    done = {json.loads(line)["chunk_number"] for line in known}
    die_at(place)
    with journal.open("a") as lines:
        for number in range(1, chunks + 1):
            if number not in done:
                act = TakeOverChunk(stock_id, number)
                answer = kernel.perform(act, actor=actor, request_id=os.urandom(16).hex())
                lines.write(json.dumps(answer) + "\n")
                lines.flush()


def main() -> None:
    url, stock_id, chunks, journal = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    run_until_through(partial(run_worker, url, stock_id, chunks, journal))


if __name__ == "__main__":
    main()
