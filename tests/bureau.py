"""A small bureau for tests, built through the kernel's acts alone, and what it is made of."""

import copy
import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from card_core import business_types, codes
from card_core.application import Application, ApplicationKind
from card_core.codes import CheckedCode, KeyPurpose, KeyRing, key_name
from card_core.errors import CardCoreError
from card_core.holder_views import HolderViews
from card_core.identity import IdentityNumber, check_character
from card_core.kernel import (
    Act,
    Actor,
    ActorKind,
    Answer,
    BoxKeyWrap,
    DangerousAct,
    Kernel,
    enrolment_codes,
)
from card_core.kernel.acts.batches import ImportRoster, IssueChunk
from card_core.kernel.acts.cards import ActivateCard, ActivateECard, Evidence
from card_core.kernel.acts.enrolment import EnrolTerminal, PrepareEnrolment
from card_core.kernel.acts.institutions import DesignateInstitution
from card_core.kernel.acts.issuer_keys import RegisterIssuerKey
from card_core.kernel.acts.operators import NewOperator
from card_core.kernel.acts.set_up import SetUpFirstOperators, SetUpIssuer
from card_core.kernel.enrolment_codes import EnrolmentCode
from card_core.kernel.grants import Grants, ReceiptMaker
from card_core.kernel.scan_requests import ScanRequest
from card_core.minting import Minter
from card_core.presenting import Presenter
from card_core.pseudonyms import Pseudonyms
from card_core.receipts import ReceiptKey
from card_core.sign_in import Prover, SignedIn, by_key, hash_password, sign_in_operator
from card_core.signing import SigningKeys
from card_core.store import FieldCipher, Store, cards, holders, institutions, issuers
from card_core.store.cards import Card
from card_core.store.institutions import Terminal
from card_core.store.operators import Role
from card_core.verdicts import Reason
from card_core.visits import VisitPolicy, VisitTokens
from crypto import sm2, sm3
from crypto.keys import KeyProvider, Signer

ISSUER = 1
KEY_NUMBER = 1
PEPPER = bytes(range(32))
BOX_WRAP_KEY = bytes(range(16))
HOLDER_PASSWORD = "274095"
OPERATOR_PASSWORD = "correct horse battery"
SYSTEM = Actor(ActorKind.SYSTEM, "tests")
_OPERATOR_KEYS: dict[str, sm2.PrivateKey] = {}


class Clock:
    """A clock that stands still until it is told to move on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class SeededBytes:
    """A reproducible stand-in for a random source; several threads may draw from it."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._drawn = 0
        self._lock = threading.Lock()

    def __call__(self, size: int) -> bytes:
        with self._lock:
            self._drawn += 1
            return sm3.kdf(self._seed + self._drawn.to_bytes(8), size)


@dataclass(frozen=True)
class MemorySigner:
    key: sm2.PrivateKey

    @property
    def public_key(self) -> sm2.PublicKey:
        return self.key.public_key()

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)


class MemoryKeys(KeyProvider):
    """A key provider for tests: code-signing and receipt keys, what `make` adds, and secrets."""

    def __init__(self, issuer: int = ISSUER) -> None:
        self._signers: dict[str, MemorySigner] = {}
        self._signers[key_name(KeyPurpose.RECEIPT, issuer, KEY_NUMBER)] = RECEIPT_SIGNER
        self.code_signing = self.make(key_name(KeyPurpose.CODE_SIGNING, issuer, KEY_NUMBER))
        self._secrets = {"box_wrap": BOX_WRAP_KEY, "password": PEPPER}

    def make(self, name: str) -> MemorySigner:
        return self._signers.setdefault(name, MemorySigner(sm2.PrivateKey.generate()))

    def keep(self, name: str, secret: bytes) -> None:
        self._secrets[name] = secret

    def signer(self, name: str) -> Signer:
        return self._signers[name]

    def secret(self, name: str) -> bytes:
        return self._secrets[name]

    def names(self) -> tuple[str, ...]:
        return tuple(sorted([*self._signers, *self._secrets]))


# One for all bureaus of a run, so that a kernel can be made before its bureau is.
RECEIPT_SIGNER = MemorySigner(sm2.PrivateKey.generate())


def make_grants(
    store: Store,
    clock: Callable[[], datetime],
    visit_policy: VisitPolicy | None = None,
    keys: KeyProvider | None = None,
    issuer: int = ISSUER,
) -> Grants:
    """What accepted scans are answered with, under keys of the tests."""
    pseudonyms = Pseudonyms(bytes([5]) * 32)
    return Grants(
        receipts=ReceiptMaker(
            SigningKeys(store, keys or MemoryKeys(issuer), issuer=issuer, clock=clock), pseudonyms
        ),
        pseudonyms=pseudonyms,
        visit_tokens=VisitTokens(bytes([6]) * 32),
        visit_policy=visit_policy or VisitPolicy(),
        views=HolderViews(),
    )


def receipt_keys(store: Store) -> list[ReceiptKey]:
    """What anybody who was given the issuer's keys verifies receipts with."""
    with store.read() as tx:
        return [ReceiptKey.of(key) for key in issuers.keys(tx) if key.purpose is KeyPurpose.RECEIPT]


def signing_key(name: str) -> sm2.PrivateKey:
    """The own key of the operator of this name, the same at each call."""
    return _OPERATOR_KEYS.setdefault(name, sm2.PrivateKey.generate())


def key_of(name: str) -> bytes:
    return signing_key(name).public_key().to_bytes(compressed=True)


def sign_in_as(
    kernel: Kernel, name: str, password: str = OPERATOR_PASSWORD, prover: Prover | None = None
) -> SignedIn:
    """Sign an operator in, with the own key unless another proof is given."""
    shown = prover or by_key(signing_key(name.strip().lower()).sign)
    return sign_in_operator(kernel, name, password, shown, pepper=PEPPER)


def make_cipher() -> FieldCipher:
    return FieldCipher(
        field_key=bytes([1]) * 16,
        index_key=bytes([2]) * 32,
        row_key=bytes([3]) * 32,
        audit_key=bytes([4]) * 32,
        random_bytes=SeededBytes(b"nonces"),
    )


def make_number(serial: int, born_on: date = date(1980, 1, 1)) -> IdentityNumber:
    """A valid number of nobody: the sequence digits and the birth date follow the serial."""
    birth = born_on + timedelta(days=serial // 500)
    body = f"440604{birth:%Y%m%d}{serial % 500 + 100:03d}"
    return IdentityNumber(body + check_character(body))


def make_application(serial: int) -> Application:
    number = make_number(serial)
    return Application(
        row=serial % 1_000_000 + 1,
        number=number,
        name=f"测试{chr(0x4E00 + serial % 2000)}{chr(0x5E00 + serial // 2000 % 2000)}",
        sex=number.sex,
        birth_on=number.birth_on,
        ethnic_code="01",
        # Such digits that no run of zeros in a file is taken for them, packed.
        phone=f"139{(serial + 1) * 86_028_121 % 100_000_000:08d}",
        address=f"广东省佛山市禅城区测试路{serial}号",
        region="440604",
        kind=ApplicationKind.NEW,
        bank="102",
        branch="440604001",
        guardian_name=None,
        guardian_number=None,
    )


@dataclass(frozen=True)
class Person:
    """A holder with a card in normal use and an active e-card."""

    holder_id: str
    number: str
    name: str
    card_id: str
    sign_number: str

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.HOLDER, self.holder_id)


class Bureau:
    """Operators of every role, a hospital and a pharmacy with a terminal each, and people.

    `Bureau.set_up` makes one; `on` gives the same bureau on a copy of its database.
    """

    kernel: Kernel
    clock: Clock
    minter: Minter

    def __init__(self, issuer: int) -> None:
        self.issuer = issuer
        self.keys = MemoryKeys(issuer)
        # The private keys of the terminals that it has from the start, by their serial numbers.
        self.terminal_keys: dict[bytes, sm2.PrivateKey] = {}
        self._requests = itertools.count(1)
        self._serials = itertools.count()
        self._people: list[Person] = []

    @classmethod
    def set_up(
        cls, kernel: Kernel, clock: Clock, *, people: int = 0, issuer: int = ISSUER
    ) -> "Bureau":
        """people: how many are there from the start, with their e-cards activated."""
        bureau = cls(issuer)
        bureau.kernel, bureau.clock = kernel, clock
        bureau._set_up()
        bureau.hospital = bureau._designate("H44060400001", "hospital", 0xA1)
        bureau.pharmacy = bureau._designate("P44060400002", "pharmacy", 0xB2)
        bureau._people = bureau._new_people(people) if people else []
        return bureau.on(kernel, clock)

    def on(self, kernel: Kernel, clock: Clock) -> "Bureau":
        there = copy.copy(self)
        there.kernel, there.clock = kernel, clock
        there._requests = itertools.count(1_000_000)
        there._serials = itertools.count(1_000_000)
        there._people = list(self._people)
        there.minter = Minter(
            kernel.store,
            self.keys,
            kernel,
            issuer=self.issuer,
            clock=clock,
            random_bytes=kernel.random_bytes,
        )
        return there

    @property
    def store(self) -> Store:
        return self.kernel.store

    def perform(self, act: Act, actor: Actor, request_id: str | None = None) -> Answer:
        return self.kernel.perform(act, actor=actor, request_id=request_id or self.request_id())

    def decide(
        self, act: DangerousAct, maker: Actor | None = None, checker: Actor | None = None
    ) -> Answer:
        """Propose as the maker and approve as the checker."""
        proposed = self.kernel.propose(act, actor=maker or self.maker, request_id=self.request_id())
        return self.approve(proposed, checker)

    def approve(self, proposed: Answer, checker: Actor | None = None) -> Answer:
        return self.kernel.approve(
            proposed["approval_id"],
            content_hash=proposed["content_hash"],
            actor=checker or self.checker,
            request_id=self.request_id(),
        )

    def request_id(self) -> str:
        return f"request-{next(self._requests)}"

    def enrolment_code(self, serial_number: bytes, at: str, **more: Any) -> EnrolmentCode:
        """What two people let out for a terminal, or a `channel`, to enrol itself by."""
        code = enrolment_codes.make(self.kernel.random_bytes)
        digest = code.digest(self.store.cipher, serial_number)
        self.decide(PrepareEnrolment(serial_number, at, code.name, digest, **more))
        return code

    def enrol(self, serial_number: bytes, at: str, public_key: bytes, **more: Any) -> Terminal:
        """Let out a code for a terminal, and use it for this key. at: the institution's code."""
        code = self.enrolment_code(serial_number, at, **more)
        digest = code.digest(self.store.cipher, serial_number)
        act = EnrolTerminal(serial_number, code.name, digest, public_key)
        answer = self.perform(act, SYSTEM)
        with self.store.read() as tx:
            terminal = institutions.get_terminal(tx, answer["terminal_id"])
        if terminal is None:
            raise LookupError("the terminal that was just enrolled is gone")
        return terminal

    def next_applications(self, count: int) -> tuple[Application, ...]:
        return tuple(make_application(next(self._serials)) for _ in range(count))

    def import_roster(self, applications: tuple[Application, ...]) -> Answer:
        act = ImportRoster("名册", sm3.digest(b"roster"), applications, 0)
        return self.perform(act, self.maker)

    def released_batch(self, count: int) -> Answer:
        """Import and release a batch of new people; the answer of the import."""
        imported = self.import_roster(self.next_applications(count))
        self.approve(imported)
        return imported

    def issued_cards(self, count: int) -> list[Card]:
        imported = self.released_batch(count)
        for number in range(1, imported["chunks"] + 1):
            self.perform(IssueChunk(imported["batch_id"], number), self.maker)
        with self.store.read() as tx:
            return cards.page(tx, batch_id=imported["batch_id"])

    def person(self) -> Person:
        return self.people(1)[0]

    def people(self, count: int) -> list[Person]:
        """People whose cards and e-cards are activated, and whom nobody had before."""
        found, self._people = self._people[:count], self._people[count:]
        missing = count - len(found)
        return found + (self._new_people(missing) if missing else [])

    def ring(self) -> KeyRing:
        with self.store.read() as tx:
            return KeyRing(issuers.keys(tx))

    def checked(self, text: str, terminal: Terminal, business_type: str) -> CheckedCode:
        return codes.check(
            text,
            keys=self.ring(),
            now=self.clock(),
            business_type=business_types.get(business_type),
            terminal=terminal.serial_number,
            amount_fen=None,
        )

    def scan_request(
        self, text: str, terminal: Terminal | None = None, business_type: str = "01101", **more: Any
    ) -> ScanRequest:
        """What a terminal asks for with this code, checked as far as no transaction is needed."""
        terminal = terminal or self.hospital
        checked = self.checked(text, terminal, business_type)
        presented = Presenter(self.store, BoxKeyWrap(BOX_WRAP_KEY)).present(checked)
        usual: dict[str, Any] = {
            "request_id": self.request_id(),
            "presented": presented,
            "refusal": None if presented else Reason.UNKNOWN_CARD,
        }
        return ScanRequest(
            terminal_id=terminal.id,
            institution_id=terminal.institution_id,
            business_type=business_type,
            shown_digest=sm3.digest(text.encode()),
            **usual | more,
        )

    def scan(
        self,
        text: str,
        terminal: Terminal | None = None,
        business_type: str = "01101",
        **more: Any,
    ) -> Answer:
        return self.record(self.scan_request(text, terminal, business_type, **more))

    def record(self, request: ScanRequest) -> Answer:
        """Record one scan in a group of its own; raises what the kernel answered."""
        (result,) = self.kernel.record_scans([request])
        if isinstance(result, CardCoreError):
            raise result
        answer: Answer = json.loads(result)
        return answer

    def _new_people(self, count: int) -> list[Person]:
        return [self._activate(card) for card in self.issued_cards(count)]

    def _set_up(self) -> None:
        self.perform(SetUpIssuer(self.issuer, "GD", "佛山市社会保障卡服务中心"), SYSTEM)
        public_key = self.keys.code_signing.public_key.to_bytes(compressed=True)
        self.perform(RegisterIssuerKey(self.issuer, KEY_NUMBER, public_key), SYSTEM)
        public_key = RECEIPT_SIGNER.public_key.to_bytes(compressed=True)
        act = RegisterIssuerKey(self.issuer, KEY_NUMBER, public_key, KeyPurpose.RECEIPT)
        self.perform(act, SYSTEM)
        roles = {
            "administrator": Role.ADMINISTRATOR,
            "deputy": Role.ADMINISTRATOR,
            "security": Role.SECURITY,
            "maker": Role.MAKER,
            "checker": Role.CHECKER,
            "auditor": Role.AUDITOR,
        }
        password_hash = self.hash(OPERATOR_PASSWORD)
        operators = tuple(
            NewOperator(name, f"{name} 同志", frozenset({role}), password_hash, key_of(name))
            for name, role in roles.items()
        )
        ids = self.perform(SetUpFirstOperators(operators), SYSTEM)["operator_ids"]
        actors = [Actor(ActorKind.OPERATOR, ids[name]) for name in roles]
        self.administrator, self.deputy, self.security, *others = actors
        self.maker, self.checker, self.auditor = others

    def hash(self, password: str) -> str:
        """A password's hash, with one iteration, since tests make many."""
        return hash_password(
            password, pepper=PEPPER, random_bytes=self.kernel.random_bytes, iterations=1
        )

    def _designate(self, code: str, kind: str, serial: int) -> Terminal:
        self.decide(DesignateInstitution(code, f"机构{serial}", kind, "440604"))
        key = self.terminal_keys[serial.to_bytes(8)] = sm2.PrivateKey.generate()
        return self.enrol(serial.to_bytes(8), code, key.public_key().to_bytes(compressed=True))

    def _activate(self, card: Card) -> Person:
        self.perform(ActivateCard(card.id, Evidence.IDENTITY_DOCUMENT), self.maker)
        act = ActivateECard(card.id, self.hash(HOLDER_PASSWORD))
        sign_number = self.perform(act, self.maker)["sign_number"]
        with self.store.read() as tx:
            person = holders.identity_of(tx, card.holder_id)
        return Person(
            card.holder_id, person.social_security_number, person.name, card.id, sign_number
        )


def terminal_actor(terminal: Terminal) -> Actor:
    return Actor(ActorKind.TERMINAL, terminal.id)
