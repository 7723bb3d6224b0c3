"""A bureau at mixed work that is killed at random places, and the ledger of who works with it.

    python killed_bureau.py DATABASE_URL LEDGER KILLS SEED

The bureau's program is a fork of this process, which has everything imported and holds no
connection; a new one takes over when it has died. Half of them die before a statement or a commit
that was chosen, half at a moment that was. This process is everybody who asks them: it writes down
what it asked and what it heard, and whoever never heard asks again with the same request id.
When the kills are done, everything is brought to its end, and every answer asked for once more.
"""

import json
import os
import random
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TextIO

from bureau import BOX_WRAP_KEY, ISSUER, Bureau, Clock, make_cipher, make_grants
from card_making import CardIssuer, card_issuer
from dying import die_at
from mixed_work import CHUNK_SIZE, Act, Look, Story, Work

from card_core.errors import StoreBusyError
from card_core.kernel import BoxKeyWrap, Kernel
from card_core.kernel.acts import batches as batch_acts
from card_core.kernel.acts import making as making_acts
from card_core.store import audit, issuers, open_store

# Requests under way at a time.
HANDS = 3
STORIES = 4
# Statements and commits, of all hands, before which a program dies.
PLACES = 240
LIFE_SECONDS = (0.0, 0.4)
PATIENCE_SECONDS = 60


@dataclass
class Asked:
    """A job of a story that nobody has answered yet. number: of the ledger's line."""

    number: int
    job: Act | Look
    story: Story


class Ledger:
    """A line for each act that is asked for, and one for each answer, in the order of hearing."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.heard: list[tuple[Act, Any]] = []

    def asked(self, one: Asked) -> None:
        if isinstance(one.job, Act):
            self._write({"asked": one.number, "act": one.job.name})

    def hear(self, one: Asked, answer: Any) -> None:
        if isinstance(one.job, Act):
            self._write({"heard": one.number, "act": one.job.name, "answer": answer})
            self.heard.append((one.job, answer))

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")


class Everybody:
    """They go on with their stories, as long as somebody answers."""

    def __init__(self, work: Work, ledger: Ledger, chance: random.Random) -> None:
        self._work = work
        self._ledger = ledger
        self._chance = chance
        self._ready: deque[tuple[Story, Any]] = deque()
        self._asked: dict[int, Asked] = {}
        self._count = 0
        self.unheard = 0

    def work(self, link: Connection, *, to_the_end: bool = False) -> None:
        """Until the one who answers has died, or nothing is left to do."""
        with suppress(EOFError, ConnectionResetError, BrokenPipeError):
            for one in list(self._asked.values()):
                link.send((one.number, one.job.ask))
            while True:
                self._ask(link, begins=not to_the_end)
                if not self._asked:
                    return
                if not link.poll(PATIENCE_SECONDS):
                    raise TimeoutError("nobody answers")
                self._hear(link)
        self.unheard += sum(isinstance(one.job, Act) for one in self._asked.values())

    def _ask(self, link: Connection, *, begins: bool) -> None:
        while begins and len(self._ready) + len(self._asked) < STORIES:
            self._ready.append((self._work.lot(), None))
        while self._ready and len(self._asked) < HANDS:
            at = self._chance.randrange(len(self._ready))
            story, answer = self._ready[at]
            del self._ready[at]
            try:
                job = story.send(answer)
            except StopIteration as over:
                self._ready.extend((one, None) for one in over.value)
                continue
            self._count += 1
            one = self._asked[self._count] = Asked(self._count, job, story)
            self._ledger.asked(one)
            link.send((one.number, job.ask))

    def _hear(self, link: Connection) -> None:
        number, answer, failure = link.recv()
        if failure == "again":
            link.send((number, self._asked[number].job.ask))
            return
        if failure:
            raise RuntimeError(failure)
        one = self._asked.pop(number)
        self._ledger.hear(one, answer)
        self._ready.append((one.story, answer))


def answer_all(link: Connection, issuer: CardIssuer) -> None:
    """The bureau's program: whatever is asked, HANDS at a time, until nobody asks any more."""
    sending = threading.Lock()

    def answer(number: int, ask: Any) -> None:
        found: tuple[int, Any, str]
        try:
            found = number, ask(issuer), ""
        except StoreBusyError:
            found = number, None, "again"
        except Exception:  # noqa: BLE001 - told to who asked, who fails with it
            found = number, None, traceback.format_exc()
        with sending:
            link.send(found)

    with ThreadPoolExecutor(HANDS) as pool, suppress(EOFError):
        while True:
            pool.submit(answer, *link.recv())


@contextmanager
def program(issuer: CardIssuer, place: int | None) -> Iterator[tuple[int, Connection]]:
    """A fork that answers, and how to reach it. place: where it dies; None for nowhere."""
    here, there = Pipe()
    process = os.fork()
    if process == 0:
        here.close()
        try:
            if place is not None:
                die_at(place)
            answer_all(there, issuer)
        finally:
            os._exit(0)
    there.close()
    try:
        yield process, here
    finally:
        here.close()
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def live_and_die(everybody: Everybody, issuer: CardIssuer, chance: random.Random) -> None:
    if chance.random() < 0.5:
        with program(issuer, chance.randint(1, PLACES)) as (_, link):
            everybody.work(link)
        return
    with program(issuer, None) as (process, link):
        end = threading.Timer(chance.uniform(*LIFE_SECONDS), os.kill, (process, signal.SIGKILL))
        end.start()
        everybody.work(link)
        end.join()


def ask_all_again(ledger: Ledger, issuer: CardIssuer) -> int:
    """How many answers are another one now."""
    with program(issuer, None) as (_, link):
        changed = 0
        for number, (act, before) in enumerate(ledger.heard):
            link.send((number, act.ask))
            _, answer, failure = link.recv()
            changed += bool(failure) or answer != before
    return changed


def set_up(url: str) -> CardIssuer:
    batch_acts.CHUNK_SIZE = making_acts.ORDER_CHUNK_SIZE = CHUNK_SIZE
    store, clock = open_store(url, cipher=make_cipher()), Clock()
    kernel = Kernel(
        store,
        clock=clock,
        random_bytes=os.urandom,
        box_key_wrap=BoxKeyWrap(BOX_WRAP_KEY),
        grants=make_grants(store, clock),
    )
    bureau = Bureau.set_up(kernel, clock)
    issuer = card_issuer(bureau)
    bureau.minter.mint(bureau.person().holder_id)  # makes the day's box key
    return issuer


def main() -> None:
    url, path, kills, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    chance, issuer = random.Random(seed), set_up(url)
    store = issuer.bureau.store
    with store.read() as tx:
        events, first = audit.head(tx, "bureau")[0], issuers.required(tx).next_card_serial
    store.close()
    with path.open("w") as file:
        ledger = Ledger(file)
        everybody = Everybody(Work(issuer.bureau), ledger, chance)
        for _ in range(kills):
            live_and_die(everybody, issuer, chance)
        with program(issuer, None) as (_, link):
            everybody.work(link, to_the_end=True)
        changed = ask_all_again(ledger, issuer)
    report = {
        "issuer": ISSUER,
        "events_before": events,
        "first_serial": first,
        "unheard": everybody.unheard,
        "acts": len(ledger.heard),
        "answers_changed": changed,
    }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
