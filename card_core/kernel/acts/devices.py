"""Acts on phones: register one, remove one, give it credentials for the days ahead.

What a phone signs stands in docs/offline.md, section 5. The constructors verify it, so that no
such act can be without its proof; whether the challenge is the session's own is the caller's to
know.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from card_core import states
from card_core.codes import Presence, PurposeClass, key_life
from card_core.data_uses import DataUse
from card_core.errors import (
    AlreadyExistsError,
    CardUnusableError,
    InvalidActError,
    NotFoundError,
    StoreConflictError,
)
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.actors import ActorKind
from card_core.kernel.days import DAY, date_of_day, end_of_day, is_end_of_day
from card_core.kernel.judging import reason_of_card
from card_core.kernel.public_keys import parse_public_key
from card_core.states import DeviceState, Step
from card_core.status_list import CredentialState
from card_core.store import Lock, cards, consents, devices
from card_core.store.cards import Card, ECard
from card_core.store.consents import ConsentState
from card_core.store.devices import Credential, Device, Grade
from card_core.verdicts import Reason
from crypto import sm2

REGISTRATION_CONTEXT = b"sscard/device-registration/v1\n"
REQUEST_CONTEXT = b"sscard/credential-request/v1\n"
CHALLENGE_SIZE_BYTES = 32
SIGNATURE_SIZE_BYTES = 64
DEVICES_MAX = 3
REGISTRATIONS_MAX = 20
REGISTRATIONS_COUNTED = timedelta(days=30)
DAYS_AHEAD_MAX = key_life.CREDENTIAL_DAYS_AHEAD
KEYS_MAX = DAYS_AHEAD_MAX + 1
# A list is filled to a fraction, so that of so many draws one is free, or something is wrong.
DRAWS_MAX = 64
POSITIONS = 1 << 24
"""How many positions the list of a day has: enough for 10 million phones."""

PURPOSE_CLASS = {Grade.APP: PurposeClass.ANY_USE, Grade.BROWSER: PurposeClass.IDENTIFY_ONLY}
PRESENCE = {Grade.APP: Presence.BOUND_PHONE, Grade.BROWSER: Presence.PLAIN}
_GRADE_BYTE = {Grade.BROWSER: b"\x00", Grade.APP: b"\x01"}


def registration_message(challenge: bytes, grade: Grade, public_key: bytes) -> bytes:
    """What a phone's own key signs when it registers. public_key: 33 bytes."""
    return REGISTRATION_CONTEXT + challenge + _GRADE_BYTE[grade] + public_key


def request_message(challenge: bytes, device_id: str, days: list[tuple[int, bytes]]) -> bytes:
    """What a phone's own key and each day's key sign when it asks for credentials.

    days: ascending; the end of each in Unix seconds, and its key, 33 bytes.
    """
    listed = b"".join(expires_at.to_bytes(4) + key for expires_at, key in days)
    return REQUEST_CONTEXT + challenge + bytes.fromhex(device_id) + listed


class TooManyDevicesError(AlreadyExistsError):
    """The holder has as many phones as may be, or registered too many of late."""

    code = "too_many_devices"

    def __init__(self) -> None:
        super().__init__("device")
        self.message_zh = f"登记的手机已达上限（{DEVICES_MAX} 部），请先移除一部，或稍后再试"
        self.message_en = (
            f"There are as many phones as may be ({DEVICES_MAX}); remove one first, or wait"
        )
        self.args = (self.message_en,)


@dataclass(frozen=True, slots=True, repr=False)
class RegisterDevice(Act):
    """The acting holder's phone. public_key: 33 bytes, compressed; signature: 64, with that key.

    challenge: the session's. Answer: device_id, grade.
    """

    act: ClassVar[str] = "register_device"

    grade: Grade
    public_key: bytes
    challenge: bytes
    signature: bytes

    def __post_init__(self) -> None:
        limits.check_size("challenge", self.challenge, CHALLENGE_SIZE_BYTES)
        key = _compressed_key("public_key", self.public_key)
        message = registration_message(self.challenge, self.grade, self.public_key)
        _check_proof("signature", key, self.signature, message)

    def request(self) -> Any:
        """Without the signature: a retry may be signed anew."""
        return {"grade": self.grade.value, "public_key": self.public_key.hex()}

    def apply(self, scene: Scene) -> Done:
        # Registrations of one holder come one after the other, so that the limits are exact.
        scene.tx.lock(f"devices_of/{scene.actor.id}", Lock.OWN)
        since = scene.now - REGISTRATIONS_COUNTED
        if (
            len(devices.of_holder(scene.tx, scene.actor.id)) >= DEVICES_MAX
            or devices.count_since(scene.tx, scene.actor.id, since) >= REGISTRATIONS_MAX
        ):
            raise TooManyDevicesError
        if devices.has_key(scene.tx, self.public_key):
            raise AlreadyExistsError("device key")
        device = Device(
            scene.new_id(),
            scene.actor.id,
            self.grade,
            self.public_key,
            DeviceState.ACTIVE,
            scene.now,
        )
        devices.add(scene.tx, device)
        given = ConsentState.GIVEN
        consents.put(scene.tx, device.holder_id, DataUse.OFFLINE_PHONE, given, scene.now)
        answer = {"device_id": device.id, "grade": device.grade.value}
        return Done(answer, f"device/{device.id}", answer)


@dataclass(frozen=True, slots=True)
class RemoveDevice(Act):
    """A phone that is lost or given away; its outstanding credentials are withdrawn with it."""

    act: ClassVar[str] = "remove_device"

    device_id: str

    def __post_init__(self) -> None:
        limits.check_id("device_id", self.device_id)

    def apply(self, scene: Scene) -> Done:
        device = _lock_device(scene, self.device_id)
        state = states.after(states.DEVICE, "device", device.state, Step.REMOVE)
        devices.set_state(scene.tx, device, state)
        withdrawn = devices.withdraw(scene.tx, device.id)
        answer = {"device_id": device.id, "state": state.value}
        return Done(answer, f"device/{device.id}", {**answer, "withdrawn": withdrawn})


@dataclass(frozen=True, slots=True, repr=False)
class DayKey:
    """A phone's key (33 bytes, compressed) for the day that ends then, and its proof (64)."""

    expires_at: datetime
    public_key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, repr=False)
class IssueDeviceCredentials(Act):
    """Positions in the lists of the days ahead, for the acting holder's phone.

    keys: one a day, the days ascending. signature: with the phone's own key, whose public half is
    `device_key`. issuer: of the card, and whose key will sign.
    Answer: `credentials`, what is to be signed of each: expires_at, status_index, device_key, and
    of all of them issuer, purpose_class, presence.
    """

    act: ClassVar[str] = "issue_device_credentials"

    device_id: str
    device_key: bytes
    challenge: bytes
    keys: tuple[DayKey, ...]
    signature: bytes
    issuer: int

    def __post_init__(self) -> None:
        limits.check_id("device_id", self.device_id)
        limits.check_size("challenge", self.challenge, CHALLENGE_SIZE_BYTES)
        limits.check_range("keys", len(self.keys), 1, KEYS_MAX)
        ends = [key.expires_at for key in self.keys]
        if ends != sorted(set(ends)) or not all(is_end_of_day(end) for end in ends):
            raise InvalidActError(
                "expires_at",
                "应为北京时间零点，按先后排列，每天一个",
                "must be midnights in China, one a day, in their order",
            )
        listed = [(int(key.expires_at.timestamp()), key.public_key) for key in self.keys]
        public_keys = [_compressed_key("public_key", key.public_key) for key in self.keys]
        own = _compressed_key("device_key", self.device_key)
        if len({self.device_key, *(key.public_key for key in self.keys)}) != len(self.keys) + 1:
            raise InvalidActError("public_key", "密钥不得重复", "each key serves once")
        message = request_message(self.challenge, self.device_id, listed)
        _check_proof("signature", own, self.signature, message)
        for key, public_key in zip(self.keys, public_keys, strict=True):
            _check_proof("keys", public_key, key.signature, message)

    def request(self) -> Any:
        """Without the signatures: a retry may be signed anew."""
        return {
            "device_id": self.device_id,
            "keys": [[key.expires_at.isoformat(), key.public_key.hex()] for key in self.keys],
        }

    def apply(self, scene: Scene) -> Done:
        # 1 the card and its e-card may be used, and a loss waits until this is done
        card, ecard = _usable_card(scene, self.issuer)
        # 2 the phone is the holder's and in use
        device = _lock_device(scene, self.device_id)
        if device.state is not DeviceState.ACTIVE or device.public_key != self.device_key:
            raise NotFoundError("device")
        # 3 days that are near, within the card's life, and not served yet
        self._check_days(scene, card, ecard)
        # 4 positions
        issued = [self._allot(scene, device, ecard, day) for day in self.keys]
        answer = {
            "issuer": self.issuer,
            "purpose_class": PURPOSE_CLASS[device.grade].value,
            "presence": PRESENCE[device.grade].value,
            "credentials": [
                {
                    "expires_at": one.expires_at,
                    "status_index": one.status_index,
                    "device_key": one.device_key.hex(),
                }
                for one in issued
            ],
        }
        detail = {"device_id": device.id, "days": [one.expires_at for one in issued]}
        return Done(answer, f"device/{device.id}", detail)

    def _check_days(self, scene: Scene, card: Card, ecard: ECard) -> None:
        today = end_of_day(scene.now)
        for key in self.keys:
            if not today <= key.expires_at <= today + DAYS_AHEAD_MAX * DAY:
                raise InvalidActError(
                    "expires_at",
                    f"只能申请当天及之后 {DAYS_AHEAD_MAX} 天",
                    f"must be today or one of the {DAYS_AHEAD_MAX} days after",
                )
            if date_of_day(key.expires_at) > card.expires_on:
                raise CardUnusableError(Reason.CARD_EXPIRED)
        days = [int(key.expires_at.timestamp()) for key in self.keys]
        if devices.days_of(scene.tx, self.device_id, ecard.id, days):
            raise AlreadyExistsError("credential")

    def _allot(self, scene: Scene, device: Device, ecard: ECard, day: DayKey) -> Credential:
        """Draw positions until one is free; a taken one tells nobody anything."""
        for _ in range(DRAWS_MAX):
            new = Credential(
                scene.new_id(),
                device.holder_id,
                device.id,
                ecard.id,
                self.issuer,
                int(day.expires_at.timestamp()),
                int.from_bytes(scene.random_bytes(8)) % POSITIONS,
                day.public_key,
                CredentialState.GOOD,
                CredentialState.GOOD,
            )
            if devices.add_credential(scene.tx, new):
                return new
        raise StoreConflictError


def _usable_card(scene: Scene, issuer: int) -> tuple[Card, ECard]:
    """The acting holder's card and e-card, locked against change and usable now."""
    named = cards.live_card_of(scene.tx, scene.actor.id)
    card = None if named is None else cards.get(scene.tx, named.id, Lock.SHARED)
    if card is None:
        raise CardUnusableError(Reason.CARD_CANCELLED)
    ecard = cards.ecard_of(scene.tx, card.id)
    reason = reason_of_card(card, ecard, scene.now)
    if reason is not None:
        raise CardUnusableError(reason)
    if card.issuer != issuer:
        raise CardUnusableError(Reason.UNKNOWN_CARD)
    return card, ecard


def _lock_device(scene: Scene, device_id: str) -> Device:
    """The phone, locked; a holder sees only their own, another's is as good as none."""
    device = devices.get(scene.tx, device_id, Lock.OWN)
    if device is None:
        raise NotFoundError("device")
    if scene.actor.kind is ActorKind.HOLDER and device.holder_id != scene.actor.id:
        raise NotFoundError("device")
    return device


def _compressed_key(field: str, public_key: bytes) -> sm2.PublicKey:
    limits.check_size(field, public_key, 33)
    return parse_public_key(field, public_key)


def _check_proof(field: str, key: sm2.PublicKey, signature: bytes, message: bytes) -> None:
    limits.check_size(field, signature, SIGNATURE_SIZE_BYTES)
    try:
        key.verify(signature, message)
    except sm2.InvalidSignatureError:
        raise InvalidActError(
            field, "签名与密钥或会话不符", "the signature does not fit the key or the session"
        ) from None
