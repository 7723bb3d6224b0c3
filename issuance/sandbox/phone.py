"""A sandbox holder's phone, which shows codes with no network (docs/offline.md, section 5).

Its keys are derived from a secret of the sandbox, so that there is one phone and one credential a
day, however often a code is asked for.
"""

from dataclasses import dataclass
from datetime import datetime

from card_core import codes
from card_core.business_types import ALL_PURPOSES
from card_core.codes import OfflineCode, PurposeClass
from card_core.device_credentials import CredentialIssuer
from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.devices import (
    CHALLENGE_SIZE_BYTES,
    DayKey,
    RegisterDevice,
    registration_message,
    request_message,
)
from card_core.kernel.days import end_of_day
from card_core.signing import SigningKeys
from card_core.store import devices
from card_core.store.devices import Grade
from crypto import sm2, sm3
from issuance.founding import SANDBOX_PHONE
from issuance.installation import random_bytes, utc_now
from issuance.sandbox.people import Holder
from issuance.sandbox.staff import Sandbox

_NONCE_BYTES = 8


@dataclass(frozen=True, slots=True, repr=False)
class Phone:
    """owner: whose it is; registered as an app, which binds its key to the phone."""

    sandbox: Sandbox
    owner: Holder

    def show(self) -> tuple[str, datetime]:
        """The text of a new code for any use, and when it was made.

        Raises CardUnusableError, KernelError, StoreError.
        """
        now = utc_now().replace(microsecond=0)
        day = end_of_day(now)
        code = OfflineCode(
            self._credential(day),
            now,
            PurposeClass.ANY_USE,
            ALL_PURPOSES,
            random_bytes(_NONCE_BYTES),
        )
        to_be_signed = code.to_be_signed()
        return codes.assemble(to_be_signed, self._day_key(day).sign(to_be_signed)), now

    @property
    def _actor(self) -> Actor:
        return Actor(ActorKind.HOLDER, self.owner.id)

    def _credential(self, day: datetime) -> bytes:
        """The day's credential; asked for again it is the same one, signed anew."""
        site = self.sandbox.site
        device_id, challenge = self._registered(), random_bytes(CHALLENGE_SIZE_BYTES)
        key, own = self._day_key(day), self._key(b"device")
        listed = (int(day.timestamp()), _point(key))
        message = request_message(challenge, device_id, [listed])
        issuer = CredentialIssuer(
            site.store,
            site.kernel,
            SigningKeys(site.store, site.keys, issuer=site.facts.issuer, clock=utc_now),
        )
        (issued,) = issuer.issue(
            self._actor,
            device_id,
            challenge=challenge,
            keys=[DayKey(day, _point(key), key.sign(message))],
            signature=own.sign(message),
            request_id=f"sandbox-credential-{listed[0]}",
        )
        return issued.credential

    def _registered(self) -> str:
        key = self._key(b"device")
        with self.sandbox.site.store.read() as tx:
            for one in devices.of_holder(tx, self.owner.id):
                if one.public_key == _point(key):
                    return one.id
        challenge = random_bytes(CHALLENGE_SIZE_BYTES)
        signature = key.sign(registration_message(challenge, Grade.APP, _point(key)))
        act = RegisterDevice(Grade.APP, _point(key), challenge, signature)
        return str(self.sandbox.perform(act, actor=self._actor)["device_id"])

    def _day_key(self, day: datetime) -> sm2.PrivateKey:
        return self._key(b"day %d" % int(day.timestamp()))

    def _key(self, label: bytes) -> sm2.PrivateKey:
        secret = self.sandbox.site.keys.secret(SANDBOX_PHONE)
        return sm2.PrivateKey.from_bytes(sm3.kdf(secret + label, 32))


def _point(key: sm2.PrivateKey) -> bytes:
    return key.public_key().to_bytes(compressed=True)
