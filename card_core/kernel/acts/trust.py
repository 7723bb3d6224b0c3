"""Acts on trust: whose trust lists are taken, and which one holds."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from card_core.codes import KEY_RING_MAX, KeyPurpose, KeyState
from card_core.errors import AlreadyExistsError, InvalidActError
from card_core.kernel.act import DangerousAct, Done, Scene
from card_core.kernel.public_keys import parse_public_key
from card_core.store import Reader, issuers, operators, trust
from card_core.store.trust import Trust
from card_core.trust import DOCUMENT_BYTES_MAX, TrustList, TrustListRefusedError, verify
from crypto import sm2, sm3

# Of the clocks of two authorities.
SKEW = timedelta(minutes=5)
NAMED_MAX = 10


@dataclass(frozen=True, slots=True)
class PinTrustAuthority(DangerousAct):
    """Take trust lists of this authority alone (33 or 65 bytes, SEC 1); None: our own.

    The list that holds does so no more: another authority vouched for it. The system may do it
    alone before there are operators.
    """

    act: ClassVar[str] = "pin_trust_authority"

    public_key: bytes | None

    def __post_init__(self) -> None:
        if self.public_key is not None:
            parse_public_key("public_key", self.public_key)

    def summary(self, tx: Reader) -> str:
        point = _point(self.public_key)
        whose = "本机构 this bureau itself" if point is None else point.hex()
        return f"信任列表改由此密钥签发：{whose} / Take trust lists signed by this key: {whose}"

    def is_part_of_set_up(self, tx: Reader) -> bool:
        return not operators.page(tx, limit=1)

    def apply(self, scene: Scene) -> Done:
        point = _point(self.public_key)
        if trust.get(scene.tx).authority == point:
            raise AlreadyExistsError("trust authority")
        trust.put(scene.tx, Trust(point, 0, b""))
        answer = {"authority": None if point is None else point.hex()}
        return Done(answer, "trust/authority", answer)


@dataclass(frozen=True, slots=True)
class ImportTrustList(DangerousAct):
    """Let a signed trust list hold, in place of the one before.

    document: as `card_core.trust.sign` makes it. It is checked when it is proposed and again when
    it is approved. Raises TrustListRefusedError.
    """

    act: ClassVar[str] = "import_trust_list"

    document: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.document) <= DOCUMENT_BYTES_MAX:
            raise InvalidActError(
                "document",
                f"应为 1 至 {DOCUMENT_BYTES_MAX} 字节",
                f"must be 1 to {DOCUMENT_BYTES_MAX} bytes",
            )

    def summary(self, tx: Reader) -> str:
        found = _acceptable(tx, self.document)
        named = [f"{one.number} {one.name}" for one in found.issuers[:NAMED_MAX]]
        more = "…" if len(found.issuers) > NAMED_MAX else ""
        digest = sm3.digest(self.document).hex()
        return (
            f"导入信任列表第 {found.edition} 版，{len(found.issuers)} 个发卡机构 / "
            f"Import trust list edition {found.edition} of {len(found.issuers)} issuers: "
            f"{', '.join(named)}{more}; SM3 {digest}"
        )

    def apply(self, scene: Scene) -> Done:
        found = _acceptable(scene.tx, self.document)
        _check_dates(found, scene.now)
        before = trust.get(scene.tx)
        trust.put(scene.tx, replace(before, edition=found.edition, document=self.document))
        answer = {
            "edition": found.edition,
            "issuers": [issuer.number for issuer in found.issuers],
            "expires_at": found.expires_at.isoformat(),
        }
        return Done(answer, f"trust/{found.edition}", answer)


def authorities(tx: Reader) -> list[sm2.PublicKey]:
    """Whose signature under a trust list counts."""
    pinned = trust.get(tx).authority
    if pinned is not None:
        return [sm2.PublicKey.from_bytes(pinned)]
    own = issuers.own(tx)
    if own is None:
        return []
    keys = issuers.sound_keys(tx, issuer=own.number, purpose=KeyPurpose.TRUST_LIST).keys
    believed = {KeyState.ACTIVE, KeyState.VERIFY_ONLY}
    return [key.public_key for key in keys if key.state in believed]


def _acceptable(tx: Reader, document: bytes) -> TrustList:
    """All that can be said of a list without a clock."""
    found = verify(document, authorities(tx))
    if found.edition <= trust.get(tx).edition:
        raise TrustListRefusedError("old_edition")
    ours = issuers.keys(tx)
    own = issuers.own(tx)
    theirs = {key.public_key for issuer in found.issuers for key in issuer.keys}
    if (own is not None and found.issuer(own.number) is not None) or any(
        key.public_key in theirs for key in ours
    ):
        raise TrustListRefusedError("names_us")
    if len(ours) + len(theirs) > KEY_RING_MAX:
        raise TrustListRefusedError("too_many_keys")
    return found


def _check_dates(found: TrustList, now: datetime) -> None:
    if found.issued_at > now + SKEW:
        raise TrustListRefusedError("not_yet_valid")
    if found.expires_at <= now:
        raise TrustListRefusedError("expired")


def _point(public_key: bytes | None) -> bytes | None:
    if public_key is None:
        return None
    return parse_public_key("public_key", public_key).to_bytes(compressed=True)
