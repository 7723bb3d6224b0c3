"""A process that takes a return file and dies by SIGKILL at one place after another.

    python killed_return.py DATABASE_URL bank|maker FILE BATCH_ID ROWS_TAKEN

Each start is a fork that dies before a later statement or commit than the one before. It ends as
soon as so many rows are taken and the return is not closed; with ROWS_TAKEN 0 once a start has come
through. How many were killed, and how the last one ended, is printed as JSON.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from bureau import Clock, make_cipher
from dying import die_at

from card_core.kernel import Actor, ActorKind, Kernel
from card_core.kernel.acts import making as acts
from card_core.states import MakingState
from card_core.store import Store, batches, making_orders, makings, open_store, operators
from issuance.making import bank_files, maker_files

PORTION = 2
ORDER_CHUNK_SIZE = 3  # chunks and portions begin at other rows
# Every so many statements and commits: with acts of other lengths, at all kinds of places.
STRIDE = 7
STARTS_MAX = 100
_UNANSWERED = {"bank": MakingState.AT_BANK, "maker": MakingState.AT_MAKER}


def opened(url: str) -> Store:
    return open_store(url, cipher=make_cipher())


def run(url: str, kind: str, file: Path, place: int) -> None:
    store = opened(url)
    with store.read() as tx:
        maker = operators.find_by_name(tx, "maker")
    assert maker is not None
    kernel = Kernel(store, clock=Clock(), random_bytes=os.urandom)
    take = bank_files.take_return if kind == "bank" else maker_files.take_return
    die_at(place)
    take(kernel, file, actor=Actor(ActorKind.OPERATOR, maker.id), progress=lambda _done, _all: None)


def taken(url: str, kind: str, batch_id: str) -> int:
    """Rows of the return that is open; 0 where none is."""
    store = opened(url)
    with store.read() as tx:
        batch, orders = batches.get(tx, batch_id), making_orders.of_batch(tx, batch_id)
        digests = [one.return_digest for one in ([batch] if kind == "bank" else orders) if one]
        counts = makings.counts(tx, batch_id)
    store.close()
    left = sum(count for (_, state), count in counts.items() if state is _UNANSWERED[kind])
    return sum(counts.values()) - left if any(digests) else 0


def killed(work: Callable[[], None]) -> int:
    """Do it in a fork; its exit status, -SIGKILL where that is how it ended."""
    process = os.fork()
    if process == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - the fork must not go on as its parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main() -> None:
    url, kind, file, batch_id, rows = (
        *sys.argv[1:3],
        Path(sys.argv[3]),
        sys.argv[4],
        int(sys.argv[5]),
    )
    acts.ORDER_CHUNK_SIZE = ORDER_CHUNK_SIZE
    bank_files.ROWS_AT_ONCE = maker_files.RETURN_ROWS_MAX = PORTION
    kills, status = 0, -signal.SIGKILL
    while status == -signal.SIGKILL and kills < STARTS_MAX:
        place = 1 + STRIDE * kills
        status = killed(lambda: run(url, kind, file, place))  # noqa: B023 - called at once
        kills += status == -signal.SIGKILL
        if rows and taken(url, kind, batch_id) >= rows:
            break
    sys.stdout.write(json.dumps({"kills": kills, "status": status}))


if __name__ == "__main__":
    main()
