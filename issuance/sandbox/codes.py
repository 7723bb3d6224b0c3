"""Codes in each condition that a terminal meets, made on demand.

What each is said to be is what `POST /v1/scans` of the same installation answers, until
`holds_until`; the tests scan every kind.
"""

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from card_core import business_types, codes
from card_core.business_types import ALL_PURPOSES, Purpose
from card_core.codes import KeyPurpose, KeyRing, OnlineCode, PurposeClass
from card_core.errors import CardCoreError
from card_core.kernel import BoxKeyWrap
from card_core.kernel.box_keys import box_day
from card_core.kernel.scan_requests import ScanRequest
from card_core.minting import BOX_WRAP_KEY, NONCE_SIZE_BYTES, MintedCode, Minter
from card_core.presenting import Presenter
from card_core.short_codes import ShortCodes
from card_core.signing import SigningKeys
from card_core.store import box_keys, cards, issuers, trust
from card_core.verdicts import Reason
from crypto import sm2, sm3
from issuance.batches import new_request_id
from issuance.installation import random_bytes, utc_now
from issuance.sandbox.people import People, find_people
from issuance.sandbox.phone import Phone
from issuance.sandbox.places import own_terminal
from issuance.sandbox.staff import Sandbox

# Well past the life of a code and the clocks' allowance.
_LONG_AGO = timedelta(minutes=3)
_SEEN_FOR = "01201"  # 问诊: it identifies, and opens no visit
_NO_TERMINAL_ASKS_FOR = Purpose.BANK | Purpose.TRANSIT_AND_CULTURE
_BOX_BYTES = 16
_LIFE = timedelta(seconds=codes.CODE_LIFE_SECONDS)


class Kind(enum.StrEnum):
    """The conditions, in the words of the command and of docs/integration.md."""

    GOOD = "good"
    USED = "used"
    EXPIRED = "expired"
    LOST = "lost"
    WRONG_PURPOSE = "wrong_purpose"
    OTHER_ISSUER = "other_issuer"
    MALFORMED = "malformed"
    FORGED = "forged"
    SHORT = "short"
    IDENTIFY_ONLY = "identify_only"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, repr=False)
class SandboxCode:
    """One code, and what a scan of it is answered.

    identifying, consuming: the reason where the business type moves nothing, and where money or
    goods move, at the hospital or the pharmacy. holds_until: from then on a kind that is not
    refused for good is `expired`, or `unknown_short_code`; None where nothing changes.
    """

    kind: Kind
    text: str
    identifying: Reason
    consuming: Reason
    holds_until: datetime | None


def make_codes(sandbox: Sandbox, kinds: Iterable[Kind] = Kind) -> list[SandboxCode]:
    """Make a code of each of these kinds. Raises CardUnusableError, KernelError, StoreError."""
    maker = _CodeMaker(sandbox, find_people(sandbox))
    return [maker.make(kind) for kind in kinds]


class _CodeMaker:
    def __init__(self, sandbox: Sandbox, people: People) -> None:
        self._sandbox = sandbox
        self._site = sandbox.site
        self._people = people
        self._makers: Mapping[Kind, Callable[[], MintedCode]] = {
            Kind.GOOD: self._mint,
            Kind.USED: self._used,
            Kind.EXPIRED: self._expired,
            Kind.LOST: self._lost,
            Kind.WRONG_PURPOSE: self._wrong_purpose,
            Kind.OTHER_ISSUER: self._other_issuer,
            Kind.MALFORMED: self._malformed,
            Kind.FORGED: self._forged,
            Kind.SHORT: self._short,
            Kind.IDENTIFY_ONLY: self._identify_only,
            Kind.OFFLINE: self._offline,
        }

    def make(self, kind: Kind) -> SandboxCode:
        minted = self._makers[kind]()
        identifying, consuming = ANSWERS[kind]
        holds_until = None if kind in _FOR_GOOD else minted.expires_at
        return SandboxCode(kind, minted.text, identifying, consuming, holds_until)

    def _minter(self, clock: Callable[[], datetime] = utc_now) -> Minter:
        site = self._site
        return Minter(
            site.store,
            site.keys,
            site.kernel,
            issuer=site.facts.issuer,
            clock=clock,
            random_bytes=random_bytes,
        )

    def _mint(self) -> MintedCode:
        return self._minter().mint(self._people.usual.id)

    def _used(self) -> MintedCode:
        minted = self._mint()
        terminal, business_type = own_terminal(self._sandbox), business_types.get(_SEEN_FOR)
        with self._site.store.read() as tx:
            ring = KeyRing(issuers.keys(tx))
        checked = codes.check(
            minted.text,
            keys=ring,
            now=utc_now(),
            business_type=business_type,
            terminal=terminal.serial_number,
            amount_fen=None,
        )
        wrap = BoxKeyWrap(self._site.keys.secret(BOX_WRAP_KEY))
        asked = ScanRequest(
            terminal_id=terminal.id,
            institution_id=terminal.institution_id,
            request_id=new_request_id(),
            business_type=_SEEN_FOR,
            shown_digest=sm3.digest(minted.text.encode()),
            presented=Presenter(self._site.store, wrap).present(checked),
        )
        (answer,) = self._site.kernel.record_scans([asked])
        if isinstance(answer, CardCoreError):
            raise answer
        return minted

    def _expired(self) -> MintedCode:
        return self._minter(lambda: utc_now() - _LONG_AGO).mint(self._people.usual.id)

    def _lost(self) -> MintedCode:
        """As if shown a moment before the loss: the card is lost, so that nothing is minted of it,
        and a code of it is signed all the same."""
        site, at = self._site, self._mint()
        with site.store.read() as tx:
            ecard = cards.ecard_of(tx, self._people.lost.card_id)
            wrapped = box_keys.get(tx, box_day(at.minted_at))
            signing = SigningKeys(
                site.store, site.keys, issuer=site.facts.issuer, clock=utc_now
            ).find(tx, KeyPurpose.CODE_SIGNING, at.minted_at)
        if wrapped is None:
            raise LookupError("the box key of the code that was just minted is gone")
        day_key = BoxKeyWrap(site.keys.secret(BOX_WRAP_KEY)).unwrap(box_day(at.minted_at), wrapped)
        box = codes.seal_box(day_key, ecard.id, random_bytes(NONCE_SIZE_BYTES))
        code = OnlineCode(
            site.facts.issuer,
            signing.number,
            at.minted_at,
            PurposeClass.ANY_USE,
            ALL_PURPOSES,
            box,
        )
        to_be_signed = code.to_be_signed()
        text = codes.assemble(to_be_signed, signing.signer.sign(to_be_signed))
        return MintedCode(text, at.minted_at, at.expires_at)

    def _wrong_purpose(self) -> MintedCode:
        return self._minter().mint(self._people.usual.id, purposes=_NO_TERMINAL_ASKS_FOR)

    def _other_issuer(self) -> MintedCode:
        """Of an issuer whom nobody here trusts, well signed by a key of its own."""
        now = utc_now().replace(microsecond=0)
        code = OnlineCode(
            self._stranger(),
            1,
            now,
            PurposeClass.ANY_USE,
            Purpose.MEDICAL_IDENTIFY,
            random_bytes(_BOX_BYTES),
        )
        to_be_signed = code.to_be_signed()
        text = codes.assemble(to_be_signed, sm2.PrivateKey.generate().sign(to_be_signed))
        return MintedCode(text, now, now + _LIFE)

    def _stranger(self) -> int:
        """The highest issuer number that is neither ours nor in the trust list."""
        with self._site.store.read() as tx:
            known = {one.number for one in trust.entries(tx, utc_now())}
        known.add(self._site.facts.issuer)
        return next(number for number in range(0xFFFF, 0, -1) if number not in known)

    def _malformed(self) -> MintedCode:
        """A digit is missing, as when a scanner loses one."""
        minted = self._mint()
        return MintedCode(minted.text[:-1], minted.minted_at, minted.expires_at)

    def _forged(self) -> MintedCode:
        """The last digit, which is the signature's, is another one."""
        minted = self._mint()
        text = minted.text[:-1] + str((int(minted.text[-1]) + 1) % 10)
        return MintedCode(text, minted.minted_at, minted.expires_at)

    def _short(self) -> MintedCode:
        minted = self._mint()
        short_codes = ShortCodes(self._site.store, self._site.kernel, random_bytes=random_bytes)
        text = short_codes.name(
            minted.text, holder_id=self._people.usual.id, minted_at=minted.minted_at
        )
        return MintedCode(text, minted.minted_at, minted.expires_at)

    def _identify_only(self) -> MintedCode:
        return self._minter().mint(self._people.usual.id, purpose_class=PurposeClass.IDENTIFY_ONLY)

    def _offline(self) -> MintedCode:
        text, minted_at = Phone(self._sandbox, self._people.with_phone).show()
        return MintedCode(text, minted_at, minted_at + _LIFE)


_FOR_GOOD = frozenset({Kind.EXPIRED, Kind.OTHER_ISSUER, Kind.MALFORMED, Kind.FORGED})
ANSWERS: Mapping[Kind, tuple[Reason, Reason]] = {
    Kind.GOOD: (Reason.ACCEPTED, Reason.ACCEPTED),
    Kind.USED: (Reason.ALREADY_USED, Reason.ALREADY_USED),
    Kind.EXPIRED: (Reason.EXPIRED, Reason.EXPIRED),
    Kind.LOST: (Reason.CARD_LOST, Reason.CARD_LOST),
    Kind.WRONG_PURPOSE: (Reason.PURPOSE_MISMATCH, Reason.PURPOSE_MISMATCH),
    Kind.OTHER_ISSUER: (Reason.UNKNOWN_KEY, Reason.UNKNOWN_KEY),
    Kind.MALFORMED: (Reason.MALFORMED, Reason.MALFORMED),
    Kind.FORGED: (Reason.BAD_SIGNATURE, Reason.BAD_SIGNATURE),
    Kind.SHORT: (Reason.ACCEPTED, Reason.ACCEPTED),
    Kind.IDENTIFY_ONLY: (Reason.ACCEPTED, Reason.PURPOSE_MISMATCH),
    Kind.OFFLINE: (Reason.ACCEPTED, Reason.OFFLINE_NOT_ALLOWED),
}
