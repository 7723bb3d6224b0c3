"""Minting online codes: what the holder service does when a citizen shows their e-card."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from card_core import codes
from card_core.business_types import ALL_PURPOSES, Purpose
from card_core.codes import ForWhom, KeyPurpose, OnlineCode, PurposeClass
from card_core.errors import CardUnusableError
from card_core.kernel import Actor, ActorKind, BoxKeyWrap, Kernel
from card_core.kernel.acts.set_up import EnsureBoxKey
from card_core.kernel.box_keys import BOX_KEY_SIZE_BYTES, box_day
from card_core.kernel.dates import SHANGHAI
from card_core.kernel.family_bindings import shown_holder_id
from card_core.kernel.judging import reason_of_card
from card_core.signing import NoSigningKeyError, SigningKey, SigningKeys
from card_core.store import Reader, Store, box_keys, cards
from card_core.verdicts import Reason
from crypto.keys import KeyProvider

NONCE_SIZE_BYTES: Final = 8
BOX_WRAP_KEY: Final = "box_wrap"
_MINTING: Final = Actor(ActorKind.SYSTEM, "minting")


@dataclass(frozen=True, slots=True, repr=False)
class MintedCode:
    """text: for the QR picture. minted_at, expires_at: aware, UTC, whole seconds."""

    text: str
    minted_at: datetime
    expires_at: datetime


class Minter:
    """Makes online codes of one issuer, under the key that signs at that instant. Codes leave no
    row behind until scanned."""

    def __init__(
        self,
        store: Store,
        keys: KeyProvider,
        kernel: Kernel,
        *,
        issuer: int,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._kernel = kernel
        self._issuer = issuer
        self._clock = clock
        self._random_bytes = random_bytes
        self._signing_keys = SigningKeys(store, keys, issuer=issuer, clock=clock)
        self._wrap = BoxKeyWrap(keys.secret(BOX_WRAP_KEY))
        self._box_key: tuple[date, bytes] | None = None

    def mint(
        self,
        holder_id: str,
        *,
        purpose_class: PurposeClass = PurposeClass.ANY_USE,
        purposes: Purpose = ALL_PURPOSES,
    ) -> MintedCode:
        """Return a new code of the holder's e-card, good for `codes.CODE_LIFE_SECONDS`.

        Raises CardUnusableError with the reason that a scan would get; StoreError.
        """
        now = self._clock()
        # 1 the e-card may be used now, and a key signs
        with self._store.read() as tx:
            ecard_id = self._usable_ecard(tx, holder_id, now)
            key = self._signing_key(tx, now)
        return self._make(
            now, ecard_id, key, for_whom=ForWhom.SELF, signed_for=(purpose_class, purposes)
        )

    def mint_for_family(
        self,
        shower_id: str,
        family_member_id: str,
        *,
        purpose_class: PurposeClass = PurposeClass.ANY_USE,
    ) -> MintedCode:
        """As `mint`, of a family member's e-card; the code says that the holder does not show it.

        The shower's own e-card may be used now, too: a phone that was reported lost shows nobody's.
        Raises NotFoundError, FamilyError where it may not be shown (any more).
        """
        now = self._clock()
        today = now.astimezone(SHANGHAI).date()
        with self._store.read() as tx:
            self._usable_ecard(tx, shower_id, now)
            holder_id = shown_holder_id(tx, family_member_id, shower_id, today)
            ecard_id = self._usable_ecard(tx, holder_id, now)
            key = self._signing_key(tx, now)
        return self._make(
            now, ecard_id, key, for_whom=ForWhom.FAMILY, signed_for=(purpose_class, ALL_PURPOSES)
        )

    def _make(
        self,
        now: datetime,
        ecard_id: int,
        key: SigningKey,
        *,
        for_whom: ForWhom,
        signed_for: tuple[PurposeClass, Purpose],
    ) -> MintedCode:
        # 2 seal who it is about, with a nonce, under the day's key
        minted_at = now.replace(microsecond=0)
        nonce = self._random_bytes(NONCE_SIZE_BYTES)
        box = codes.seal_box(self._day_key(box_day(minted_at)), ecard_id, nonce)
        # 3 sign
        code = OnlineCode(self._issuer, key.number, minted_at, *signed_for, box, for_whom=for_whom)
        to_be_signed = code.to_be_signed()
        text = codes.assemble(to_be_signed, key.signer.sign(to_be_signed))
        return MintedCode(text, minted_at, minted_at + timedelta(seconds=codes.CODE_LIFE_SECONDS))

    def _usable_ecard(self, tx: Reader, holder_id: str, now: datetime) -> int:
        card = cards.live_card_of(tx, holder_id)
        if card is None:
            raise CardUnusableError(Reason.CARD_CANCELLED)
        ecard = cards.ecard_of(tx, card.id)
        reason = reason_of_card(card, ecard, now)
        if reason is not None:
            raise CardUnusableError(reason)
        if card.issuer != self._issuer:
            raise CardUnusableError(Reason.UNKNOWN_CARD)
        return ecard.id

    def _signing_key(self, tx: Reader, now: datetime) -> SigningKey:
        try:
            return self._signing_keys.find(tx, KeyPurpose.CODE_SIGNING, now)
        except NoSigningKeyError:
            raise CardUnusableError(Reason.KEY_NOT_ACTIVE) from None

    def _day_key(self, day: date) -> bytes:
        """The day's box key; made, wrapped and kept where there is none yet."""
        if self._box_key is not None and self._box_key[0] == day:
            return self._box_key[1]
        with self._store.read() as tx:
            wrapped = box_keys.get(tx, day)
        if wrapped is None:
            wrapped = self._make_day_key(day)
        key = self._wrap.unwrap(day, wrapped)
        self._box_key = (day, key)
        return key

    def _make_day_key(self, day: date) -> bytes:
        """Of processes that make it at once one key is kept, and all of them use that one."""
        new = self._wrap.wrap(day, self._random_bytes(BOX_KEY_SIZE_BYTES), self._random_bytes(12))
        answer = self._kernel.perform(
            EnsureBoxKey(day, new), actor=_MINTING, request_id=self._random_bytes(16).hex()
        )
        return bytes.fromhex(answer["wrapped"])
