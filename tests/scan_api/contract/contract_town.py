"""A service with everybody who may call it, and each of them able to prove who they are.

`Town` is the service with published lists, a trust list, and callers of every kind; `Caller` writes
the headers with which one of them sends a request.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bureau import ISSUER, SYSTEM, Bureau, MemorySigner, Person, sign_in_as
from chip_card import ChipCard, card_of
from clerks import BRANCH, bank_branch, clerk_of
from phone import publisher_of, with_offline_keys
from scan_service import BASE_URL, HOSPITAL_CODE, ScanService, TerminalDevice
from token_purchase import buy
from trusting import document, entry, key, pin, take

from card_core.codes import KeyPurpose, key_name
from card_core.kernel.acts.cards import WithdrawTemporaryLoss
from card_core.kernel.acts.enrolment import RevokeTerminalKeys
from card_core.kernel.acts.institutions import (
    DesignateInstitution,
    SuspendInstitution,
    SuspendTerminal,
)
from card_core.kernel.acts.issuer_keys import RegisterIssuerKey
from card_core.service_channels import ChannelKind
from card_core.signing import SigningKey
from card_core.states import CardState
from card_core.store import cards
from crypto import sm2
from scan_api.holders.session import COOKIE
from scan_api.issuers.signatures import NONCE_BYTES, Question
from scan_api.issuers.signatures import authorization as peer_authorization

NEIGHBOUR = 2
OTHER_HOSPITAL = "H44060400003"
CLOSED_HOSPITAL = "H44060400004"
# Under the ten failures a minute that one peer may have, whatever a request's probes are.
SECONDS_BETWEEN = 40
SESSION_SECONDS = 300

Headers = dict[str, str]


@dataclass(frozen=True)
class Caller:
    """prove: the headers for a request of this method, target and body."""

    prove: Callable[[str, str, bytes], Headers]


NOBODY = Caller(lambda method, target, body: {})


def signing(device: TerminalDevice) -> Caller:
    return Caller(
        lambda method, target, body: {"Authorization": device.authorization(method, target, body)}
    )


class Town:
    """The service, and who calls it. Time stands still but for `tick`."""

    def __init__(self, bureau: Bureau) -> None:
        with_offline_keys(bureau)
        self.bureau = bureau
        self._peer = MemorySigner(sm2.PrivateKey.generate())
        self.neighbours_codes = MemorySigner(sm2.PrivateKey.generate())
        self._trust_the_neighbour()
        self.service = ScanService(bureau)
        self.publisher = publisher_of(bureau)
        self.publisher.round()
        self._serials = itertools.count(0xB000)
        self._nonces = itertools.count(1)
        self._signed_in: dict[str, tuple[float, str]] = {}
        for code, serial in ((OTHER_HOSPITAL, 0x33), (CLOSED_HOSPITAL, 0x34)):
            bureau.decide(DesignateInstitution(code, f"医院{serial}", "hospital", "440604"))
        self.holder = self.service.person
        self.other_holder = bureau.person()
        self.hospital = self.service.hospital
        self.other_hospital = self.enrol(OTHER_HOSPITAL)
        self.suspended = self.enrol(HOSPITAL_CODE)
        self.closed = self.enrol(CLOSED_HOSPITAL)
        self.revoked = self.enrol(HOSPITAL_CODE)
        self.kiosk, self.other_kiosk = (
            self.service.enrol(HOSPITAL_CODE, next(self._serials), ChannelKind.KIOSK)
            for _ in range(2)
        )
        bank_branch(bureau)
        clerk_of(bureau)
        self.bank_counter, self.tablet = (
            self.service.enrol(BRANCH, next(self._serials), kind)
            for kind in (ChannelKind.BANK_COUNTER, ChannelKind.HOME_VISIT)
        )
        self.tokens = {
            device.serial_number: buy(self.service, device)
            for device in (self.hospital, self.suspended)
        }
        bureau.perform(SuspendTerminal(self.suspended.serial_number), bureau.checker)
        bureau.perform(SuspendInstitution(CLOSED_HOSPITAL), bureau.checker)
        bureau.perform(RevokeTerminalKeys(self.revoked.serial_number), bureau.checker)
        self.service.registry.refresh()

    def enrol(self, institution_code: str = HOSPITAL_CODE) -> TerminalDevice:
        return self.service.enrol(institution_code, next(self._serials))

    def chip_card(self, person: Person) -> ChipCard:
        return card_of(self.bureau.store, person.card_id, number=person.number, name=person.name)

    def find(self, person: Person) -> None:
        """A card that was reported lost is found again."""
        with self.bureau.store.read() as tx:
            card = cards.get(tx, person.card_id)
        if card is not None and card.state is CardState.TEMPORARY_LOSS:
            self.bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)

    def tick(self) -> None:
        """The time between two requests passes; status lists are kept up."""
        day = self.bureau.clock().date()
        self.bureau.clock.advance(SECONDS_BETWEEN)
        if self.bureau.clock().date() != day:
            self.publisher.round()

    def bearing(self, device: TerminalDevice) -> Caller:
        headers = {"Authorization": f"Bearer {self.tokens[device.serial_number]}"}
        return Caller(lambda method, target, body: headers)

    def session(self, person: Person, *, anew: bool = False) -> str:
        """The cookie of a session that is good now."""
        now = self.bureau.clock().timestamp()
        since, token = self._signed_in.get(person.holder_id, (0.0, ""))
        if anew or now - since > SESSION_SECONDS:
            token = self.service.signed_in(person).cookies[COOKIE]
            self._signed_in[person.holder_id] = (now, token)
        return token

    def signed_in(self, person: Person, *, anew: bool = False) -> Caller:
        """A browser on the service's own page, with a session."""

        def prove(method: str, target: str, body: bytes) -> Headers:
            token = self.session(person, anew=anew)
            return {"Cookie": f"{COOKIE}={token}", "Origin": BASE_URL}

        return Caller(prove)

    def sign_everybody_out(self) -> None:
        """Sessions are opened anew when they are needed next."""
        self._signed_in.clear()

    def operator(self) -> Caller:
        """An operator whose session token is put where a holder's would be."""
        kernel = self.bureau.kernel
        opened = sign_in_as(kernel, "maker")
        headers = {"Cookie": f"{COOKIE}={opened.token}", "Origin": BASE_URL}
        return Caller(lambda method, target, body: headers)

    def peer(self) -> Caller:
        """The neighbouring issuer, which the trust list names."""

        def prove(method: str, target: str, body: bytes) -> Headers:
            question = Question(
                method=method,
                target=target,
                asking=NEIGHBOUR,
                asked=ISSUER,
                signed_at=int(self.bureau.clock().timestamp()),
                nonce=next(self._nonces).to_bytes(NONCE_BYTES),
                body=body,
            )
            return {"Authorization": peer_authorization(question, SigningKey(1, self._peer))}

        return Caller(prove)

    def personal_data(self) -> Mapping[str, str]:
        """What of the holder nobody may see who was not told it."""
        return {
            "name": self.holder.name,
            "number": self.holder.number,
            "sign number": self.holder.sign_number,
        }

    def _trust_the_neighbour(self) -> None:
        bureau = self.bureau
        name = key_name(KeyPurpose.PEER, bureau.issuer, 1)
        point = bureau.keys.make(name).public_key.to_bytes(compressed=True)
        bureau.perform(RegisterIssuerKey(bureau.issuer, 1, point, KeyPurpose.PEER), SYSTEM)
        pin(bureau)
        keys = (key(self._peer, KeyPurpose.PEER), key(self.neighbours_codes))
        neighbour = entry(NEIGHBOUR, keys=keys, service_url=None)
        take(bureau, document(bureau.clock(), neighbour, days=90))
