"""A worker that dies by SIGKILL at one place after another, and is started again each time.

Called by `test_kernel_kills`: URL, batch id, number of cards, journal file. Each worker dies before
a later statement or commit than the one before it, so that every place in a transaction is met.
Each is a fork of this process, which has everything imported and holds no connection. What the
kernel answered is written to the journal; the last worker finds nothing left to do and ends well.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from bureau import BOX_WRAP_KEY, ISSUER, PEPPER, Clock, make_cipher, make_grants
from dying import die_at

from card_core.errors import CardCoreError
from card_core.kernel import Act, Actor, ActorKind, Answer, BoxKeyWrap, Kernel
from card_core.kernel.acts import batches as batch_acts
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.cards import ActivateCard, ActivateECard, Evidence
from card_core.kernel.scan_requests import ScanRequest
from card_core.presented import Medium, Presented
from card_core.sign_in import hash_password
from card_core.store import cards, institutions, open_store, operators
from crypto import sm3

CHUNK_SIZE = 2
# More statements and commits than any act needs, so that each round of starts gets on.
PLACES = 60
STARTS_MAX = 2000


Work = tuple[str, Callable[[], Answer]]


def work(kernel: Kernel, batch_id: str, count: int) -> Iterator[Work]:
    """What to do, with its request id, the same for each worker; some need what came before."""
    with kernel.store.read() as tx:
        maker = operators.find_by_name(tx, "maker")
        terminal = institutions.terminal_by_serial(tx, (0xA1).to_bytes(8))
    assert maker is not None
    assert terminal is not None
    operator = Actor(ActorKind.OPERATOR, maker.id)
    for chunk in range(1, -(-count // CHUNK_SIZE) + 1):
        yield act(kernel, IssueChunk(batch_id, chunk), operator, f"issue-{chunk}")
    with kernel.store.read() as tx:
        two = cards.page(tx, batch_id=batch_id, limit=2)
        made = [(card, cards.ecard_of(tx, card.id)) for card in two]
    for card, ecard in made:
        number = card.card_number
        activate = ActivateCard(card.id, Evidence.IDENTITY_DOCUMENT)
        yield act(kernel, activate, operator, f"activate-{number}")
        # The same salt for each worker: a retry has to repeat its content.
        hashed = hash_password("x", pepper=PEPPER, random_bytes=bytes, iterations=1)
        yield act(kernel, ActivateECard(card.id, hashed), operator, f"ecard-{number}")
        for attempt in (1, 2):
            request = ScanRequest(
                terminal.id,
                terminal.institution_id,
                f"scan-{attempt}-{number}",
                "01101",
                sm3.digest(card.id.encode()),
                presented=presented(ecard.id, kernel),
            )
            yield request.request_id, partial(scan, kernel, request)


def act(kernel: Kernel, one: Act, actor: Actor, request_id: str) -> Work:
    return request_id, partial(kernel.perform, one, actor=actor, request_id=request_id)


def scan(kernel: Kernel, request: ScanRequest) -> Answer:
    (result,) = kernel.record_scans([request])
    if isinstance(result, CardCoreError):
        raise result
    answer: Answer = json.loads(result)
    return answer


def presented(ecard_id: int, kernel: Kernel) -> Presented:
    minted_at = kernel.clock()
    return Presented(
        medium=Medium.ONLINE_CODE,
        issuer=ISSUER,
        minted_at=minted_at,
        usable_until=minted_at + timedelta(minutes=1),
        nonce=bytes(8),
        ecard_id=ecard_id,
    )


def run_worker(url: str, batch_id: str, count: int, journal: Path, place: int) -> None:
    batch_acts.CHUNK_SIZE = CHUNK_SIZE
    store = open_store(url, cipher=make_cipher())
    kernel = Kernel(
        store,
        clock=Clock(),
        random_bytes=os.urandom,
        box_key_wrap=BoxKeyWrap(BOX_WRAP_KEY),
        grants=make_grants(store, Clock()),
    )
    die_at(place)
    done = set(journal.read_text().splitlines()) if journal.exists() else set()
    known = {json.loads(line)["request_id"] for line in done}
    with journal.open("a") as lines:
        for request_id, perform in work(kernel, batch_id, count):
            if request_id in known:
                continue
            answer = perform()
            lines.write(json.dumps({"request_id": request_id, "answer": answer}) + "\n")
            lines.flush()


def run_until_through(run: Callable[[int], None]) -> None:
    """Fork workers, each told a later place to die at, until one comes through; print how many died
    and how the last one ended."""
    for start in range(STARTS_MAX):
        worker = os.fork()
        if worker == 0:
            status = 1
            try:
                run(1 + start % PLACES)
                status = 0
            finally:
                if status:
                    traceback.print_exc()
                os._exit(status)
        _, status = os.waitpid(worker, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            continue
        sys.stdout.write(json.dumps({"kills": start, "status": status}))
        return


def main() -> None:
    url, batch_id, count, journal = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    run_until_through(partial(run_worker, url, batch_id, count, journal))


if __name__ == "__main__":
    main()
