"""An installation with a few hundred e-cards and some terminals, made as any other is made.

    with founded(database_url) as ground: ...

The people are those of the demonstration's roster, all made up.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from card_core.kernel import Act, Actor, ActorKind, DangerousAct, enrolment_codes
from card_core.kernel.acts.cards import ActivateCard, ActivateECard, Evidence
from card_core.kernel.acts.enrolment import EnrolTerminal, PrepareEnrolment
from card_core.kernel.acts.institutions import DesignateInstitution
from card_core.kernel.acts.issuer_keys import (
    ActivateIssuerKey,
    RegisterIssuerKey,
    RevokeIssuerKey,
)
from card_core.kernel.acts.operators import AddOperator, SuspendOperator
from card_core.kernel.permissions import RULES
from card_core.sign_in import by_key, hash_password, sign_in_operator
from card_core.store import cards
from card_core.store.operators import Role
from crypto import sm2
from issuance import engine
from issuance.batches import find_batch, new_request_id, release_approval
from issuance.cli.roster import today_in_shanghai
from issuance.founding import Bureau, NewPerson, found
from issuance.importing import import_roster
from issuance.installation import Installation, open_installation, random_bytes
from issuance.roster import check_roster
from issuance.settings import Settings

PASSPHRASE = "only for the benchmark"  # noqa: S105 - it guards made-up people for a minute
HOSPITAL = "H44060400001"
NEIGHBOUR = "H44060400002"
TERMINALS = 16
NEIGHBOURS = 2
ECARDS_MAX = 500
HOLDER_PASSWORD = "274095"  # noqa: S105 - of made-up people, for a minute
_OF_ADMINISTRATORS = (
    ActivateIssuerKey,
    AddOperator,
    PrepareEnrolment,
    RegisterIssuerKey,
    RevokeIssuerKey,
    SuspendOperator,
)
_ENROLMENT = Actor(ActorKind.SYSTEM, "enrolment")
_PEOPLE = {
    "admin": Role.ADMINISTRATOR,
    "security": Role.SECURITY,
    "maker": Role.MAKER,
    "checker": Role.CHECKER,
}


@dataclass(frozen=True)
class Terminal:
    """An enrolled terminal of a hospital and its key."""

    serial_number: bytes
    key: sm2.PrivateKey


@dataclass(frozen=True)
class Ground:
    """site: opened in this process. environment: for commands. ecards: ids of usable e-cards.

    staff: by name, which is also what a command's `--operator` takes: they are signed in.
    terminals: of one hospital. neighbours: of another one.
    """

    site: Installation
    staff: dict[str, Actor]
    environment: dict[str, str]
    ecards: list[int]
    terminals: list[Terminal]
    neighbours: list[Terminal]


@contextmanager
def founded(
    database_url: str | None = None, *, ecards: int = ECARDS_MAX, **settings: str
) -> Iterator[Ground]:
    """database_url: an empty PostgreSQL database; None for SQLite in the home.

    ecards: how many are activated; the roster has no more than ECARDS_MAX. settings: more variables
    of the environment, for this process and for commands.
    """
    with tempfile.TemporaryDirectory(prefix="sscard-bench-") as folder:
        passphrase = Path(folder) / "passphrase"
        passphrase.write_text(PASSPHRASE)
        environment = {
            "SSCARD_HOME": f"{folder}/home",
            "SSCARD_KEY_PASSPHRASE_FILE": str(passphrase),
            **({"SSCARD_DATABASE_URL": database_url} if database_url else {}),
            **settings,
        }
        chosen = Settings.from_environment(environment)
        keys = {name: sm2.PrivateKey.generate() for name in _PEOPLE}
        people = {name: _person(name, keys[name]) for name in _PEOPLE}
        bureau = Bureau(7, "FS", "Benchmark")
        found(chosen, PASSPHRASE.encode(), bureau=bureau, people=list(people.values()))
        with open_installation(chosen, PASSPHRASE.encode()) as site:
            staff = {name: _sign_in(site, one, keys[name]) for name, one in people.items()}
            usable = _issue(site, staff, ecards)
            terminals = _enrol(site, staff, HOSPITAL, range(1, TERMINALS + 1))
            beyond = range(TERMINALS + 1, TERMINALS + NEIGHBOURS + 1)
            neighbours = _enrol(site, staff, NEIGHBOUR, beyond)
            whole = {**os.environ, **environment}
            yield Ground(site, staff, whole, usable, terminals, neighbours)


def _person(name: str, key: sm2.PrivateKey) -> NewPerson:
    point = key.public_key().to_bytes(compressed=True)
    return NewPerson(name, name, frozenset({_PEOPLE[name]}), os.urandom(12).hex(), point)


def _sign_in(site: Installation, person: NewPerson, key: sm2.PrivateKey) -> Actor:
    opened = sign_in_operator(
        site.kernel, person.name, person.password, by_key(key.sign), pepper=site.pepper
    )
    site.home.keep_session(person.name, opened.token)
    return opened.actor


def _issue(site: Installation, staff: dict[str, Actor], count: int) -> list[int]:
    sample = resources.files("issuance.cli.demo").joinpath("foshan-600.xlsx")
    with resources.as_file(sample) as path:
        report = check_roster(path, today=today_in_shanghai())
    batch = import_roster(site.kernel, report, name="bench", actor=staff["maker"])
    with site.store.read() as tx:
        approval = release_approval(tx, find_batch(tx, str(batch.batch_id)))
    site.kernel.approve(
        approval.id,
        content_hash=approval.content_hash,
        actor=staff["checker"],
        request_id=new_request_id(),
    )
    with engine.here(site.kernel) as pool:
        engine.issue(
            pool,
            site.store,
            str(batch.batch_id),
            actor=staff["maker"],
            progress=lambda _done, _all: None,
        )
    password = hash_password(HOLDER_PASSWORD, pepper=site.pepper, random_bytes=random_bytes)
    ecards: list[int] = []
    after = ""
    while len(ecards) < count:
        with site.store.read() as tx:
            page = cards.page(tx, batch_id=str(batch.batch_id), after=after)
        for card in page[: count - len(ecards)]:
            _perform(site, staff["maker"], ActivateCard(card.id, Evidence.IDENTITY_DOCUMENT))
            _perform(site, staff["maker"], ActivateECard(card.id, password))
            with site.store.read() as tx:
                ecards.append(cards.ecard_of(tx, card.id).id)
        after = page[-1].id
    return ecards


def _enrol(
    site: Installation, staff: dict[str, Actor], hospital: str, serials: Iterable[int]
) -> list[Terminal]:
    decide(site, staff, DesignateInstitution(hospital, "基准医院", "hospital", "440604"))
    terminals = [Terminal(number.to_bytes(8), sm2.PrivateKey.generate()) for number in serials]
    for one in terminals:
        code = enrolment_codes.make(random_bytes)
        digest = code.digest(site.store.cipher, one.serial_number)
        decide(site, staff, PrepareEnrolment(one.serial_number, hospital, code.name, digest))
        point = one.key.public_key().to_bytes(compressed=True)
        _perform(site, _ENROLMENT, EnrolTerminal(one.serial_number, code.name, digest, point))
    return terminals


def _perform(site: Installation, actor: Actor, act: Act) -> None:
    site.kernel.perform(act, actor=actor, request_id=new_request_id())


def decide(site: Installation, staff: dict[str, Actor], act: DangerousAct) -> None:
    """Propose an act as whoever may, and approve it as whoever else may."""
    maker = "admin" if isinstance(act, _OF_ADMINISTRATORS) else "maker"
    proposed = site.kernel.propose(act, actor=staff[maker], request_id=new_request_id())
    checker = "checker" if Role.CHECKER in RULES[type(act)].approvers else "security"
    site.kernel.approve(
        proposed["approval_id"],
        content_hash=proposed["content_hash"],
        actor=staff[checker],
        request_id=new_request_id(),
    )
