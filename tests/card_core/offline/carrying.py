"""What a terminal carries, fetched past HTTP; and a second status key to sign it."""

from datetime import datetime

from bureau import ISSUER, SYSTEM, Bureau
from phone import Phone, day_ends, with_offline_keys

from card_core.bundles import Bundle, open_bundle
from card_core.codes import CodeKey, KeyPurpose, key_name
from card_core.codes.key_life import ACTIVATION_LEAD
from card_core.kernel.acts.issuer_keys import (
    ActivateIssuerKey,
    RegisterIssuerKey,
)
from card_core.kernel.acts.status import (
    PrepareStatusList,
)
from card_core.status_list import CredentialState, HeldList, open_list
from card_core.store import issuers
from scan_api.bundles.answers import CarriedAnswers


def keys_of(bureau: Bureau) -> list[CodeKey]:
    with bureau.store.read() as tx:
        return issuers.keys(tx)


def today(bureau: Bureau) -> datetime:
    return day_ends(bureau.clock(), 1)[0]


class Holding:
    """A terminal's copy of one day's list, kept up as a terminal does."""

    def __init__(self, bureau: Bureau, day: datetime | None = None) -> None:
        self.bureau = bureau
        self.day = int((day or today(bureau)).timestamp())
        self.held: HeldList | None = None
        self.got: list[int] = []

    def fetch(self) -> HeldList:
        have = self.held.head.version if self.held else None
        answer = CarriedAnswers(self.bureau.store).status_list(ISSUER, self.day, have)
        self.got.append(answer.data[0])
        self.held = open_list(answer.data, keys=keys_of(self.bureau), held=self.held)
        assert self.held.head.version == answer.version
        return self.held

    def state(self, phone: Phone) -> CredentialState:
        credential = next(
            one for end, one in phone.credentials.items() if end.timestamp() == self.day
        )
        return self.fetch().state(int.from_bytes(credential[12:16]))


def raw_bundle(bureau: Bureau) -> bytes:
    return CarriedAnswers(bureau.store).bundle(ISSUER).data


def latest_bundle(bureau: Bureau, held: Bundle | None = None) -> Bundle:
    return open_bundle(raw_bundle(bureau), keys=keys_of(bureau), held=held)


def prepare(bureau: Bureau, key_number: int = 1) -> tuple[int, bytes]:
    with_offline_keys(bureau)
    act = PrepareStatusList(ISSUER, key_number, today(bureau))
    answer = bureau.perform(act, SYSTEM)
    return answer["list_version"], bytes.fromhex(answer["to_be_signed"])


def register_second_key(bureau: Bureau) -> None:
    """A second status key, which is pending."""
    with_offline_keys(bureau)
    signer = bureau.keys.make(key_name(KeyPurpose.STATUS, ISSUER, 2))
    point = signer.public_key.to_bytes(compressed=True)
    bureau.decide(RegisterIssuerKey(ISSUER, 2, point, KeyPurpose.STATUS), bureau.administrator)


def activate_second_key(bureau: Bureau) -> None:
    """It signs when this returns."""
    bureau.decide(ActivateIssuerKey(KeyPurpose.STATUS, 2), bureau.administrator)
    bureau.clock.advance(ACTIVATION_LEAD.total_seconds())


def rotate(bureau: Bureau) -> None:
    register_second_key(bureau)
    activate_second_key(bureau)
