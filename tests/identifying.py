"""A service that takes codes signed for identifying only, over HTTP and with a real fast store."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from bureau import BOX_WRAP_KEY, Bureau, Clock, Person, SeededBytes, make_grants
from scan_service import REGISTRATION, ScanService, TerminalDevice, running
from servers.databases import SQLiteDatabases

from card_core.codes import PurposeClass
from card_core.kernel import BoxKeyWrap, Kernel
from card_core.store import FieldCipher, open_store

PATIENCE_SECONDS = 30.0


class RealClock(Clock):
    """The machine's: an epoch of the fast store goes by the database's clock, which is real."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


class Identifying:
    """A service behind its own port, and a caller."""

    def __init__(self, service: ScanService, url: str) -> None:
        self.service = service
        self.http = httpx2.Client(base_url=url, timeout=PATIENCE_SECONDS)

    def mint(self, person: Person) -> str:
        minter = self.service.bureau.minter
        return minter.mint(person.holder_id, purpose_class=PurposeClass.IDENTIFY_ONLY).text

    def post(self, code: str, device: TerminalDevice | None = None, **fields: Any) -> Any:
        usual = {
            "code": code,
            "business_type": REGISTRATION,
            "request_id": self.service.bureau.request_id(),
        }
        return (device or self.service.hospital).scan(self.http, **usual | fields)

    def scan(self, code: str, device: TerminalDevice | None = None, **fields: Any) -> Any:
        answer = self.post(code, device, **fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def until_accepting(self, person: Person) -> None:
        """Show new codes until one is accepted: a new epoch takes none from before it."""
        until(lambda: self.scan(self.mint(person))["outcome"] == "accepted")

    def recorded(self, scan_id: str) -> Any:
        """The record of a scan, which may be on its way for a second."""
        answers: list[Any] = []

        def is_there() -> bool:
            target = f"/v1/scans/{scan_id}/receipt"
            signature = self.service.hospital.authorization("GET", target)
            answers.append(self.http.get(target, headers={"Authorization": signature}))
            return bool(answers[-1].status_code == 200)

        until(is_there)
        return answers[-1].json()


def until(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> float:
    """Poll until it holds; how many seconds that took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if holds():
            return time.monotonic() - began
        time.sleep(0.02)
    raise AssertionError("what was waited for did not come")


@contextmanager
def prepared_bureau(
    directory: Path, databases: SQLiteDatabases, cipher: FieldCipher
) -> Iterator[Bureau]:
    """A copy of the bureau, at the machine's time, for tests that share it."""
    store = open_store(databases.fresh(directory, with_bureau=True), cipher=cipher)
    clock = RealClock()
    kernel = Kernel(
        store,
        clock=clock,
        random_bytes=SeededBytes(str(directory).encode()),
        box_key_wrap=BoxKeyWrap(BOX_WRAP_KEY),
        grants=make_grants(store, clock),
    )
    yield databases.bureau.on(kernel, clock)
    store.close()


@contextmanager
def serving(bureau: Bureau, address: str, *, apps: int = 1) -> Iterator[list[Identifying]]:
    """Applications side by side, with one database and one fast store, that are accepting."""
    with ExitStack() as stack:
        first = ScanService(bureau, fast_store=address)
        found = []
        for service in [first, *(first.beside(address) for _ in range(1, apps))]:
            one = Identifying(service, stack.enter_context(running(service.app)))
            stack.callback(one.http.close)
            one.until_accepting(service.person)
            found.append(one)
        yield found
