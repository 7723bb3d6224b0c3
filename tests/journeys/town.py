"""A real installation in a folder of its own, as `sscard init` leaves it, with people and places.

What two operators would do at their desks is done through its kernel; everything else goes over
HTTP to `sscard serve`, which runs beside it on the same database.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from bureau import make_application
from phone import PhoneApp, day_ends
from request_keys import HEADER, new_key
from running_service import Running, serving
from terminal_process import PASSPHRASE
from trusting import PROVINCE, document

from card_core.codes import CodeKey, KeyPurpose
from card_core.kernel import Act, Actor, ActorKind, Answer, DangerousAct, enrolment_codes
from card_core.kernel.acts.batches import ImportRoster, IssueChunk
from card_core.kernel.acts.cards import ActivateCard, ActivateECard, Evidence
from card_core.kernel.acts.enrolment import EnrolTerminal, PrepareEnrolment
from card_core.kernel.acts.institutions import DesignateInstitution
from card_core.kernel.acts.trust import ImportTrustList
from card_core.sign_in import by_key, hash_password, sign_in_operator
from card_core.store import cards, holders, issuers
from card_core.store.operators import Role
from card_core.trust import TrustedIssuer, TrustedKey
from crypto import sm2, sm3
from crypto.keys import sealing
from issuance.batches import new_request_id
from issuance.founding import Bureau, NewPerson, found
from issuance.installation import Installation, open_installation, random_bytes, utc_now
from issuance.settings import Settings
from scan_api.terminal import TerminalKey
from scan_api.terminal.carried import pin_status_key, text_of

HOSPITAL = "H44060400001"
HOLDER_PASSWORD = "274095"
SERIAL = bytes.fromhex("00000000000000d7")
_PEOPLE = {
    "admin": Role.ADMINISTRATOR,
    "security": Role.SECURITY,
    "maker": Role.MAKER,
    "checker": Role.CHECKER,
}
_KEYS = {name: sm2.PrivateKey.generate() for name in _PEOPLE}
_POINTS = {name: key.public_key().to_bytes(compressed=True) for name, key in _KEYS.items()}
_ENROLMENT = Actor(ActorKind.SYSTEM, "enrolment")


@dataclass
class Citizen:
    """A holder, and the phone that was registered over HTTP."""

    number: str
    card_id: str
    app: PhoneApp = field(init=False)

    @contextmanager
    def with_phone(self, address: str) -> Iterator[PhoneApp]:
        """Sign in at this service, register a phone, and fetch credentials for two days."""
        origin = {"Origin": f"http://{address}"}
        with httpx2.Client(
            base_url=f"http://{address}", headers=origin, trust_env=False, timeout=30
        ) as http:
            signed_in = {"social_security_number": self.number, "password": HOLDER_PASSWORD}
            http.post("/v1/holder/sign-ins", json=signed_in).raise_for_status()
            self.app = PhoneApp(http)
            self.app.register(password=HOLDER_PASSWORD).raise_for_status()
            self.app.fetch(day_ends(utc_now(), 2)).raise_for_status()
            yield self.app

    def show(self) -> str:
        """A new offline code of the phone's, signed for identifying."""
        return self.app.phone.show(utc_now())

    def report_loss(self) -> None:
        answer = self.app.http.post("/v1/holder/loss-reports", json={}, headers={HEADER: new_key()})
        answer.raise_for_status()


@dataclass
class Town:
    """site: opened in this process. staff: signed in. folder: of everything."""

    folder: Path
    site: Installation
    staff: dict[str, Actor]
    environment: dict[str, str]
    running: Running = field(init=False)
    serials: int = 0

    @property
    def issuer(self) -> int:
        return self.site.facts.issuer

    @contextmanager
    def served(self, *options: str) -> Iterator[Running]:
        with serving(self.folder, self.environment, *options) as service:
            self.running = service
            yield service

    def perform(self, act: Act, actor: Actor) -> Answer:
        return self.site.kernel.perform(act, actor=actor, request_id=new_request_id())

    def decide(self, act: DangerousAct) -> Answer:
        kernel, admin = self.site.kernel, self.staff["admin"]
        self._approve(kernel.propose(act, actor=admin, request_id=new_request_id()))
        return {}

    def citizens(self, count: int) -> list[Citizen]:
        """People with a card in use and an e-card."""
        self.serials += count
        applications = tuple(
            make_application(self.issuer * 1000 + self.serials - one) for one in range(count)
        )
        maker = self.staff["maker"]
        act = ImportRoster("名册", sm3.digest(b"roster"), applications, 0)
        imported = self.perform(act, maker)
        self._approve(imported)
        self.perform(IssueChunk(imported["batch_id"], 1), maker)
        with self.site.store.read() as tx:
            issued = cards.page(tx, batch_id=imported["batch_id"])
            numbers = {
                card.id: holders.identity_of(tx, card.holder_id).social_security_number
                for card in issued
            }
        password = hash_password(
            HOLDER_PASSWORD, pepper=self.site.pepper, random_bytes=random_bytes
        )
        for card in issued:
            self.perform(ActivateCard(card.id, Evidence.IDENTITY_DOCUMENT), maker)
            self.perform(ActivateECard(card.id, password), maker)
        return [Citizen(numbers[card.id], card.id) for card in issued]

    def terminal(self) -> Path:
        """The folder of a terminal of the hospital: enrolled, and told our status key."""
        self.decide(DesignateInstitution(HOSPITAL, "示范医院", "hospital", "440604"))
        (self.folder / "passphrase").write_text(PASSPHRASE + "\n")
        folder = self.folder / "terminal"
        key = TerminalKey.create(folder, serial_number=SERIAL, passphrase=PASSPHRASE.encode())
        code = enrolment_codes.make(random_bytes)
        digest = code.digest(self.site.store.cipher, SERIAL)
        self.decide(PrepareEnrolment(SERIAL, HOSPITAL, code.name, digest))
        point = key.public_key.to_bytes(compressed=True)
        self.perform(EnrolTerminal(SERIAL, code.name, digest, point), _ENROLMENT)
        (status,) = (one for one in self._keys() if one.purpose is KeyPurpose.STATUS)
        pin_status_key(folder / "offline", text_of(status))
        return folder

    def entry(self, url: str | None) -> TrustedIssuer:
        """What the authority of the trust list is given by this town."""
        keys = tuple(
            TrustedKey(one.purpose, one.number, one.public_key, one.state)
            for one in self._keys()
            if one.purpose is not KeyPurpose.TRUST_LIST
        )
        return TrustedIssuer(self.issuer, f"第 {self.issuer} 市", url, url, keys)

    def trust(self, *entries: TrustedIssuer, edition: int = 1) -> None:
        """Take a list that the province signed; it is pinned since the founding."""
        self.decide(ImportTrustList(document(utc_now(), *entries, edition=edition)))

    def _keys(self) -> list[CodeKey]:
        with self.site.store.read() as tx:
            return [one for one in issuers.keys(tx) if one.issuer == self.issuer]

    def _approve(self, proposed: Answer) -> None:
        self.site.kernel.approve(
            proposed["approval_id"],
            content_hash=proposed["content_hash"],
            actor=self.staff["checker"],
            request_id=new_request_id(),
        )


@contextmanager
def founded(folder: Path, issuer: int) -> Iterator[Town]:
    """A town's installation on SQLite, with three operators who trust the tests' province."""
    folder.mkdir()
    passphrase = folder / "keys.passphrase"
    passphrase.write_text(PASSPHRASE + "\n")
    environment = {
        "SSCARD_HOME": str(folder / "home"),
        "SSCARD_KEY_PASSPHRASE_FILE": str(passphrase),
    }
    settings = Settings.from_environment(environment)
    people = {
        name: NewPerson(name, name, frozenset({role}), os.urandom(12).hex(), _POINTS[name])
        for name, role in _PEOPLE.items()
    }
    authority = PROVINCE.public_key.to_bytes(compressed=True)
    with ExitStack() as stack:
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        # The least that is let through: these keys are opened by several processes.
        patched.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)
        bureau = Bureau(issuer, "FS", f"第 {issuer} 市", authority)
        found(settings, PASSPHRASE.encode(), bureau=bureau, people=list(people.values()))
        site = stack.enter_context(open_installation(settings, PASSPHRASE.encode()))
        staff = {
            name: sign_in_operator(
                site.kernel, name, one.password, by_key(_KEYS[name].sign), pepper=site.pepper
            ).actor
            for name, one in people.items()
        }
        yield Town(folder, site, staff, environment)
