"""One founded installation, its service as processes of its own, and who is there.

Operators act at its command line or through the kernel of this process, which is another process
of the same installation; terminals and holders call from outside.
"""

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from outside import Connection, Holder, Terminal
from running_service import SSCARD, Running, serving
from sqlalchemy import Engine, create_engine

from benchmarks.bench_scan.bureau import HOLDER_PASSWORD, HOSPITAL, Ground, decide, founded
from card_core.kernel import DangerousAct, enrolment_codes
from card_core.kernel.acts.enrolment import PrepareEnrolment
from card_core.kernel.acts.institutions import DesignateInstitution
from card_core.store import cards, holders
from crypto.keys import sealing
from issuance.installation import random_bytes

OTHER_HOSPITAL = "H44060400003"
PHARMACY = "P44060400002"
WORKERS = 4
PEOPLE = 40
COMMAND_SECONDS_MAX = 180


@dataclass(frozen=True)
class Person:
    """Somebody with a card and an e-card in use; made up, like everybody in the sample roster."""

    holder_id: str
    card_id: str
    ecard_id: int
    number: str
    name: str


@dataclass
class Installation:
    """hospital, other_hospital, pharmacy: a terminal of each."""

    ground: Ground
    service: Running
    hospital: Terminal = field(init=False)
    other_hospital: Terminal = field(init=False)
    pharmacy: Terminal = field(init=False)
    _serials: int = 0xA0
    _people_given: int = 0

    def __post_init__(self) -> None:
        for code, kind in ((OTHER_HOSPITAL, "hospital"), (PHARMACY, "pharmacy")):
            self.decide(DesignateInstitution(code, f"机构 {code}", kind, "440604"))
        self.hospital = self.terminal(HOSPITAL)
        self.other_hospital = self.terminal(OTHER_HOSPITAL)
        self.pharmacy = self.terminal(PHARMACY)

    def decide(self, act: DangerousAct) -> None:
        decide(self.ground.site, self.ground.staff, act)

    @property
    def has_workers(self) -> bool:
        """Whether it is the town's, with WORKERS processes."""
        return "SSCARD_DATABASE_URL" in self.ground.environment

    def connect(self) -> Connection:
        return Connection(self.service.address)

    def connect_many(self, count: int) -> list[Connection]:
        """As many to each worker, where there are several."""
        if not self.has_workers:
            return [self.connect() for _ in range(count)]
        each = connections_to_each(self.service, count // WORKERS)
        return [one for several in each for one in several]

    def terminal(self, institution_code: str) -> Terminal:
        """A new one, enrolled over HTTP by a code that two people let out."""
        self._serials += 1
        terminal = Terminal(f"{self._serials:016x}", self.connect())
        code = enrolment_codes.make(random_bytes)
        serial = bytes.fromhex(terminal.serial)
        digest = code.digest(self.ground.site.store.cipher, serial)
        self.decide(PrepareEnrolment(serial, institution_code, code.name, digest))
        terminal.enrol(str(code))
        return terminal

    def person(self) -> Person:
        """Somebody whom no other test has met."""
        ecard_id = self.ground.ecards[self._people_given]
        self._people_given += 1
        with self.ground.site.store.read() as tx:
            ecard = cards.get_ecard(tx, ecard_id)
            assert ecard
            facts = holders.identity_of(tx, ecard.holder_id)
        number, name = facts.social_security_number, facts.name
        return Person(ecard.holder_id, ecard.card_id, ecard_id, number, name)

    def sign_in(self, person: Person) -> Holder:
        return Holder(self.connect(), person.number, HOLDER_PASSWORD)

    def sscard(
        self, *arguments: str, operator: str = "", **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command, as a process of its own."""
        by = {"SSCARD_OPERATOR": operator} if operator else {}
        return subprocess.run(
            [SSCARD, *arguments],
            env={**self.ground.environment, **by, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )

    def command(self, *arguments: str, operator: str = "") -> str:
        """As `sscard`, and it must succeed; what it printed."""
        done = self.sscard(*arguments, operator=operator)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def database(self) -> Iterator[Engine]:
        """The database past the product, as somebody has it who stole its password."""
        site, environment = self.ground.site, self.ground.environment
        url = environment.get("SSCARD_DATABASE_URL", site.home.database_url)
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        yield engine
        engine.dispose()


@contextmanager
def installed(
    folder: Path, *options: str, database_url: str | None = None, **settings: str
) -> Iterator[Installation]:
    """Found it and start `sscard serve` with these options. database_url: None for SQLite.

    settings: more variables of the environment.
    """
    with ExitStack() as stack:
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        # The least that is let through: every process opens these keys.
        patched.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)
        ground = stack.enter_context(founded(database_url, ecards=PEOPLE, **settings))
        service = stack.enter_context(serving(folder, ground.environment, *options))
        yield Installation(ground, service)


def workers_at(ports: Iterable[int], service: Running) -> list[int]:
    """The process at the other end of each of our connections, named by its port here (Linux).

    Each must have been answered before: a connection that nobody has taken belongs to nobody.
    """
    there = f"0100007F:{int(service.address.rpartition(':')[2]):04X}"
    inodes = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[1] == there:
            inodes[int(columns[2].rpartition(":")[2], 16)] = columns[9]
    owners = _owners(service.process.pid)
    return [owners[inodes[port]] for port in ports]


def _owners(parent: int) -> dict[str, int]:
    """The process that holds each socket, of one and its children, by the socket's inode."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    owners = {}
    for process in (parent, *map(int, children)):
        for entry in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):  # it was closed meanwhile
                owners[os.readlink(entry).removeprefix("socket:[").removesuffix("]")] = process
    return owners


def connections_to_each(service: Running, each: int = 1) -> list[list[Connection]]:
    """So many connections to each worker process of the town's service."""
    found: dict[int, list[Connection]] = {}
    for _ in range(100):
        fresh = [Connection(service.address) for _ in range(WORKERS * each)]
        for connection in fresh:
            connection.ask("GET", "/healthz")
        workers = workers_at((one.port for one in fresh), service)
        for worker, connection in zip(workers, fresh, strict=True):
            kept = found.setdefault(worker, [])
            if len(kept) < each:
                kept.append(connection)
            else:
                connection.close()
        if len(found) == WORKERS and all(len(kept) == each for kept in found.values()):
            return list(found.values())
    raise LookupError(f"{len(found)} of {WORKERS} workers answered")
