"""A phone for tests: what an app does to show codes with no network, as docs/offline.md says.

`Phone` holds keys and signs; `PhoneApp` talks to the service over HTTP.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
from bureau import KEY_NUMBER, SYSTEM, Bureau, MemorySigner, Person
from request_keys import HEADER, new_key

from card_core import codes
from card_core.business_types import Purpose
from card_core.codes import ANY_TERMINAL, KeyPurpose, OfflineCode, PurposeClass, key_name
from card_core.device_credentials import CredentialIssuer
from card_core.identity import IdentityNumber
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.devices import DayKey, RegisterDevice
from card_core.kernel.acts.issuer_keys import RegisterIssuerKey
from card_core.signing import SigningKeys
from card_core.status_publishing import StatusPublisher
from card_core.store import cards, issuers
from card_core.store.devices import Grade
from crypto import sm2, sm3

CHALLENGE = bytes(range(32))
_nonces = itertools.count(1)


def day_ends(now: datetime, count: int) -> list[datetime]:
    """The ends of today and the days behind it: midnights in China, by plain arithmetic."""
    seconds = int(now.timestamp())
    today = (seconds + 8 * 3600) // 86_400 + 1
    return [
        datetime.fromtimestamp((today + ahead) * 86_400 - 8 * 3600, UTC) for ahead in range(count)
    ]


@dataclass
class Phone:
    """keys, credentials: of each day, by its end. device_id: empty until it is registered."""

    grade: Grade = Grade.APP
    device_id: str = ""
    key: sm2.PrivateKey = field(default_factory=sm2.PrivateKey.generate)
    keys: dict[datetime, sm2.PrivateKey] = field(default_factory=dict)
    credentials: dict[datetime, bytes] = field(default_factory=dict)

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().to_bytes(compressed=True)

    def registers(self, challenge: bytes) -> bytes:
        """The proof for registering."""
        grade = b"\x01" if self.grade is Grade.APP else b"\x00"
        message = b"sscard/device-registration/v1\n" + challenge + grade + self.public_key
        return self.key.sign(message)

    def asks_for(
        self, device_id: str, challenge: bytes, days: Sequence[datetime]
    ) -> tuple[tuple[DayKey, ...], bytes]:
        """New keys for the days with their proofs, and the proof of the phone's own key."""
        message = b"sscard/credential-request/v1\n" + challenge + bytes.fromhex(device_id)
        points = {}
        for day in days:
            key = self.keys.setdefault(day, sm2.PrivateKey.generate())
            points[day] = key.public_key().to_bytes(compressed=True)
            message += int(day.timestamp()).to_bytes(4) + points[day]
        keys = tuple(DayKey(day, points[day], self.keys[day].sign(message)) for day in days)
        return keys, self.key.sign(message)

    def show(
        self,
        now: datetime,
        *,
        purposes: Purpose = Purpose.MEDICAL_IDENTIFY,
        purpose_class: PurposeClass = PurposeClass.IDENTIFY_ONLY,
        nonce: bytes | None = None,
        terminal: bytes = ANY_TERMINAL,
        day: datetime | None = None,
    ) -> str:
        """The text of a new offline code under the day's credential."""
        day = day or day_ends(now, 1)[0]
        code = OfflineCode(
            self.credentials[day],
            now,
            purpose_class,
            purposes,
            sm3.digest(next(_nonces).to_bytes(8))[:8] if nonce is None else nonce,
            terminal,
        )
        to_be_signed = code.to_be_signed()
        return codes.assemble(to_be_signed, self.keys[day].sign(to_be_signed))


def status_signer(bureau: Bureau) -> MemorySigner:
    """The bureau's first status key."""
    return bureau.keys.make(key_name(KeyPurpose.STATUS, bureau.issuer, KEY_NUMBER))


def with_offline_keys(bureau: Bureau) -> SigningKeys:
    """The bureau's signing keys, after making known those for credentials and status lists."""
    with bureau.store.read() as tx:
        known = {key.purpose for key in issuers.keys(tx) if key.issuer == bureau.issuer}
    for purpose in (KeyPurpose.DEVICE_CREDENTIAL, KeyPurpose.STATUS):
        if purpose not in known:
            signer = bureau.keys.make(key_name(purpose, bureau.issuer, KEY_NUMBER))
            point = signer.public_key.to_bytes(compressed=True)
            act = RegisterIssuerKey(bureau.issuer, KEY_NUMBER, point, purpose)
            bureau.perform(act, SYSTEM)
    return SigningKeys(bureau.store, bureau.keys, issuer=bureau.issuer, clock=bureau.clock)


def credential_issuer_of(bureau: Bureau) -> CredentialIssuer:
    return CredentialIssuer(bureau.store, bureau.kernel, with_offline_keys(bureau))


def publisher_of(bureau: Bureau) -> StatusPublisher:
    """What a serving process has in the background."""
    return StatusPublisher(
        bureau.store,
        bureau.kernel,
        with_offline_keys(bureau),
        clock=bureau.clock,
        random_bytes=bureau.kernel.random_bytes,
    )


def reissued(bureau: Bureau, person: Person) -> Person:
    """The same person with a new card and e-card in use; the old card is cancelled before."""
    number = IdentityNumber(person.number)
    application = bureau.next_applications(1)[0]._replace(
        number=number, name=person.name, sex=number.sex, birth_on=number.birth_on
    )
    imported = bureau.import_roster((application,))
    bureau.approve(imported)
    bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    with bureau.store.read() as tx:
        (card,) = cards.page(tx, batch_id=imported["batch_id"])
    return bureau._activate(card)


def registered_phone(
    bureau: Bureau, person: Person, grade: Grade = Grade.APP, *, days: int
) -> Phone:
    """A phone of this person with credentials for so many days from today, past HTTP."""
    phone = Phone(grade)
    act = RegisterDevice(grade, phone.public_key, CHALLENGE, phone.registers(CHALLENGE))
    phone.device_id = bureau.perform(act, person.actor)["device_id"]
    fetch(bureau, person, phone, day_ends(bureau.clock(), days))
    return phone


def fetch(bureau: Bureau, person: Person, phone: Phone, days: Sequence[datetime]) -> None:
    """Credentials for these days, past HTTP."""
    keys, signature = phone.asks_for(phone.device_id, CHALLENGE, days)
    issued = credential_issuer_of(bureau).issue(
        person.actor,
        phone.device_id,
        challenge=CHALLENGE,
        keys=keys,
        signature=signature,
        request_id=bureau.request_id(),
    )
    phone.credentials |= {one.expires_at: one.credential for one in issued}


class PhoneApp:
    """http: a client with the holder's session."""

    def __init__(self, http: httpx2.Client, phone: Phone | None = None) -> None:
        self.http = http
        self.phone = phone or Phone()

    def challenge(self) -> bytes:
        answer = self.http.get("/v1/holder/devices")
        answer.raise_for_status()
        return bytes.fromhex(answer.json()["challenge"])

    def register(self, **changed: Any) -> httpx2.Response:
        """request_id: the Idempotency-Key."""
        body = {
            "grade": self.phone.grade.value,
            "public_key": self.phone.public_key.hex(),
            "signature": self.phone.registers(self.challenge()).hex(),
        }
        answer = self._post("/v1/holder/devices", body | changed)
        if answer.status_code == 201:
            self.phone.device_id = answer.json()["device_id"]
        return answer

    def fetch(self, days: Sequence[datetime], **changed: Any) -> httpx2.Response:
        """request_id: the Idempotency-Key."""
        keys, signature = self.phone.asks_for(self.phone.device_id, self.challenge(), days)
        body = {
            "keys": [
                {
                    "expires_at": int(key.expires_at.timestamp()),
                    "public_key": key.public_key.hex(),
                    "signature": key.signature.hex(),
                }
                for key in keys
            ],
            "signature": signature.hex(),
        }
        path = f"/v1/holder/devices/{self.phone.device_id}/credentials"
        answer = self._post(path, body | changed)
        if answer.status_code == 201:
            for one in answer.json()["credentials"]:
                day = datetime.fromtimestamp(one["expires_at"], UTC)
                self.phone.credentials[day] = bytes.fromhex(one["credential"])
        return answer

    def remove(self) -> httpx2.Response:
        path = f"/v1/holder/devices/{self.phone.device_id}"
        return self.http.delete(path, headers={HEADER: new_key()})

    def _post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        key = body.pop("request_id", new_key())
        return self.http.post(path, json=body, headers={HEADER: key})
