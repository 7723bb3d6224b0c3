"""Reading chip cards: from what a terminal sends to a card that is there and may be judged.

    1 the challenge is ours, this terminal's and fresh
    2 the chip answered it with its own key
    3 the card is one of ours, and what the reader said of it is what its row says

Then step 7 (the card's state) and step 8 (spending the challenge) are the kernel's, as for a code.
No row is read before the chip has proved itself, so that nobody learns which cards there are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from card_core.chip_cards import (
    CHALLENGE_RANDOM_SIZE_BYTES,
    CardAuthentication,
    CardNotGenuineError,
    CardText,
    Challenge,
    ChallengeError,
    Challenges,
)
from card_core.codes import Presence, PurposeClass, RefusedError
from card_core.identity import chip_name
from card_core.presented import Medium, Presented
from card_core.store import Reader, Store, cards, holders
from card_core.store.cards import Card
from card_core.verdicts import Reason


@dataclass(frozen=True, slots=True, repr=False)
class CardRead:
    """What a terminal sends of one card. challenge: its name. cryptogram: 16 bytes."""

    challenge: str
    text: CardText
    cryptogram: bytes


class CardReading:
    """Gives challenges to terminals, and takes chip cards that answered one."""

    def __init__(
        self,
        store: Store,
        *,
        challenges: Challenges,
        authentication: CardAuthentication,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._challenges = challenges
        self._authentication = authentication
        self._random_bytes = random_bytes

    def challenge(self, terminal: bytes, now: datetime) -> Challenge:
        """A new challenge for the terminal with this serial number (8 bytes)."""
        random = self._random_bytes(CHALLENGE_RANDOM_SIZE_BYTES)
        return self._challenges.make(terminal, now, random)

    def present(self, read: CardRead, *, terminal: bytes, now: datetime) -> Presented:
        """Return the card that was there, or raise the first reason why it is not believed.

        Raises RefusedError (challenge_invalid, card_not_genuine, unknown_card,
        card_data_mismatch); StoreError.
        """
        # 1 the challenge
        try:
            challenge = self._challenges.open(read.challenge, terminal, now)
        except ChallengeError:
            raise RefusedError(Reason.CHALLENGE_INVALID) from None
        # 2 the chip
        text = read.text
        try:
            self._authentication.verify(text.region, text.card_number, challenge, read.cryptogram)
        except CardNotGenuineError:
            raise RefusedError(Reason.CARD_NOT_GENUINE) from None
        # 3 whose it is
        with self._store.read() as tx:
            card = cards.find_by_card_number(tx, text.card_number)
            if card is None:
                raise RefusedError(Reason.UNKNOWN_CARD)
            if not _agrees(tx, card, text):
                raise RefusedError(Reason.CARD_DATA_MISMATCH)
        return Presented(
            medium=Medium.CHIP_CARD,
            issuer=card.issuer,
            minted_at=challenge.issued_at,
            usable_until=challenge.expires_at,
            nonce=challenge.value,
            card_id=card.id,
            purpose_class=PurposeClass.ANY_USE,
            # That the chip was there is proven; that its holder typed the PIN is not.
            presence=Presence.PLAIN,
        )


def _agrees(tx: Reader, card: Card, text: CardText) -> bool:
    if text.region != card.region:
        return False
    if holders.find_id_by_number(tx, text.social_security_number) != card.holder_id:
        return False
    name = holders.identity_of(tx, card.holder_id).name
    if text.name_continuation is not None:
        return text.name + text.name_continuation == name
    # Of a long name some drivers tell the whole and some the first part alone.
    return text.name in {name, chip_name(name)[0].decode("gb18030")}
