"""What is written into cards, and the signature over it: the kernel's `Personaliser`.

Card class and spec version are those of the third generation. The birthplace (出生地) is in no
application, and stands as not known. The organisation that initialises (初始化机构编号) is the
issuer's own where it has one (SSCARD_INITIALISING_ORGANISATION), and otherwise made of the card's
region as the ministry's numbers are.
"""

from collections.abc import Sequence
from datetime import date
from threading import Lock
from typing import Final

from card_core.codes import KeyPurpose, key_name
from card_core.kernel.personalising import CardToMake, PreparedRecords
from crypto.keys import KeyProvider, Signer
from issuance.card_files import (
    ChunkPlace,
    ElementError,
    Personalisation,
    encode_record_of,
    prepare_chunk,
)
from issuance.errors import IssuanceError
from issuance.making.keys import CardKeys

CARD_CLASS: Final = "3"
SPEC_VERSION: Final = "3.00"
RECORD_SIZE_BYTES: Final = 2


class CardPersonaliser:
    """Made of a key provider, which it asks for keys when the first card is made.

    organisation: 24 hexadecimal digits, or empty. May be used by many threads.
    """

    def __init__(self, keys: KeyProvider, *, issuer: int, organisation: str = "") -> None:
        self._keys = keys
        self._issuer = issuer
        self._organisation = organisation
        self._lock = Lock()
        self._card_keys: CardKeys | None = None
        self._signers: dict[int, Signer] = {}

    def prepare(self, maker: str, cards: Sequence[CardToMake]) -> PreparedRecords:
        """As `Personaliser.prepare`. Raises IssuanceError, which names the card."""
        with self._lock:
            if self._card_keys is None:
                self._card_keys = CardKeys(self._keys)
            card_keys = self._card_keys
        contents = [self._encode(card_keys, maker, one) for one in cards]
        # The place is what the signature adds; the root is over the records alone.
        root = prepare_chunk(ChunkPlace(self._issuer, 0, "0", 1), contents).root
        return PreparedRecords(join_records(contents), root)

    def to_be_signed(
        self, *, issuer: int, key_number: int, order_id: str, chunk: int, size: int, root: bytes
    ) -> bytes:
        return ChunkPlace(issuer, key_number, order_id, chunk).to_be_signed(size, root)

    def signer(self, key_number: int) -> Signer:
        """The private half of a card issuing key. Raises KeyFileError."""
        with self._lock:
            signer = self._signers.get(key_number)
            if signer is None:
                name = key_name(KeyPurpose.CARD_ISSUING, self._issuer, key_number)
                signer = self._signers[key_number] = self._keys.signer(name)
        return signer

    def _encode(self, card_keys: CardKeys, maker: str, one: CardToMake) -> bytes:
        card, holder = one.card, one.holder
        organisation = self._organisation or f"9156000002{card.region}{card.region}01"
        keys = card_keys.encoded_keys_of(maker, card.region, card.card_number)
        elements = Personalisation(
            card_class=CARD_CLASS,
            spec_version=SPEC_VERSION,
            initialising_organisation=organisation,
            issued_on=card.issued_on,
            expires_on=card.expires_on,
            card_number=card.card_number,
            social_security_number=holder.social_security_number,
            name=holder.name,
            sex=holder.sex,
            ethnic_group=holder.ethnic_group or None,
            birthplace=None,
            born_on=date.fromisoformat(holder.birth_on),
        )
        try:
            return encode_record_of(one.number, card.region, elements, keys)
        except ElementError as error:
            raise unfit(card.card_number, error) from None


def unfit(card_number: str, error: ElementError) -> IssuanceError:
    """The refusal of a card whose data can't be written, with its number."""
    return IssuanceError(
        "card_unfit",
        f"卡 {card_number} 的资料无法写入：{error.message_zh}请更正持卡人资料后再运行。",
        f"Card {card_number} can't be written: {error.message_en} Correct the holder's record and "
        "run it again.",
    )


def join_records(contents: Sequence[bytes]) -> bytes:
    """Each behind its size, 2 bytes."""
    return b"".join([len(one).to_bytes(RECORD_SIZE_BYTES) + one for one in contents])


def split_records(content: bytes) -> list[bytes]:
    """The inverse of `join_records`, for what the store has authenticated."""
    found, at = [], 0
    while at < len(content):
        end = at + RECORD_SIZE_BYTES
        size = int.from_bytes(content[at:end])
        found.append(content[end : end + size])
        at = end + size
    return found
