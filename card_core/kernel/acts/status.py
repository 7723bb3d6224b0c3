"""Acts on what terminals carry: the next version of a status list, of the bundle, and the policy.

Each is made in two acts. The first lays down what is to be signed, the second keeps the signature;
in between the key signs, outside any transaction. If the process dies there, whoever comes next
finds what was prepared and signs exactly that. So versions only grow, however many processes make
them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from card_core import business_types
from card_core.bundles import (
    BundleHead,
    CarriedList,
    Content,
    InvalidBundleError,
    OfflinePolicy,
    bundle_to_be_signed,
    without_heads,
)
from card_core.checkpoint import Head
from card_core.codes import CodeKey, KeyPurpose, KeyState, key_life
from card_core.errors import InvalidActError, NotAllowedError, NotFoundError, WrongStateError
from card_core.kernel import limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.acts.devices import POSITIONS
from card_core.kernel.acts.trust import authorities
from card_core.kernel.days import days_carried, is_end_of_day
from card_core.status_list import ListHead, StatusList, make_changes
from card_core.store import Reader, audit, bundles, devices, issuers, status_lists, trust
from card_core.store.bundles import BundleVersion
from card_core.store.status_lists import ListVersion
from card_core.trust import TrustedIssuer
from crypto import sm2, sm3

LIST_FRESH_SECONDS = 300
LIST_USABLE_SECONDS = 24 * 3600
BUNDLE_FRESH_SECONDS = 3600
BUNDLE_USABLE_SECONDS = 7 * 24 * 3600
# What did not change is issued anew before terminals begin to ask.
LIST_AGAIN_AFTER = timedelta(seconds=LIST_FRESH_SECONDS // 2)
BUNDLE_AGAIN_AFTER = timedelta(seconds=BUNDLE_FRESH_SECONDS // 2)
CHANGES_MAX = 5000
VERIFYING = frozenset({KeyState.ACTIVE, KeyState.VERIFY_ONLY})
# What a terminal checks: codes, credentials, lists, and the receipts that it is given.
CARRIED_PURPOSES = frozenset(
    {
        KeyPurpose.CODE_SIGNING,
        KeyPurpose.DEVICE_CREDENTIAL,
        KeyPurpose.STATUS,
        KeyPurpose.RECEIPT,
    }
)
_FOR_OFFLINE_CODES = frozenset({KeyPurpose.DEVICE_CREDENTIAL, KeyPurpose.STATUS})
VERSIONS_KEPT = 256


@dataclass(frozen=True, slots=True)
class PrepareStatusList(Act):
    """The next version of a day's list, if anything changed or the last one is growing old.

    key_number: of the own issuer's status keys. Answer: `to_be_signed` in hex and `list_version`;
    both None where there is nothing to do.
    """

    act: ClassVar[str] = "prepare_status_list"

    issuer: int
    key_number: int
    day_ends_at: datetime

    def __post_init__(self) -> None:
        if not is_end_of_day(self.day_ends_at):
            raise InvalidActError("day_ends_at", "应为北京时间零点", "must be a midnight in China")

    def apply(self, scene: Scene) -> Done:
        day = int(self.day_ends_at.timestamp())
        status_lists.lock(scene.tx, self.issuer, day)
        last = status_lists.latest(scene.tx, self.issuer, day)
        if last is not None and last.signature is None:
            # Prepared by somebody who did not come to sign it.
            return self._done(self._under_own_key(scene, last))
        rows = devices.to_be_listed(scene.tx, self.issuer, day, limit=CHANGES_MAX)
        if not rows and last is not None and not _is_list_old(scene.tx, last, scene.now):
            return self._done(None)
        _require_signing_key(scene, self.issuer, self.key_number)
        changes = make_changes(POSITIONS, [(row.status_index, row.state) for row in rows])
        new = self._next(scene, last, changes)
        status_lists.add(scene.tx, new)
        devices.set_listed(scene.tx, rows)
        return self._done(new, changed=len(rows))

    def _under_own_key(self, scene: Scene, last: ListVersion) -> ListVersion:
        """What was prepared; for this key, where the key has changed since."""
        if last.head.key_number == self.key_number:
            return last
        _require_signing_key(scene, self.issuer, self.key_number)
        head = replace(last.head, key_number=self.key_number)
        status_lists.change_head(scene.tx, last, head)
        return replace(last, head=head)

    def _next(self, scene: Scene, last: ListVersion | None, changes: bytes) -> ListVersion:
        before = StatusList(POSITIONS, [])
        if last is not None:
            if last.body is None:
                raise NotFoundError("status list body")
            before = StatusList.decode(last.head.size, last.body)
        body = before.apply(changes).encode()
        issued_at = scene.now.replace(microsecond=0)
        head = ListHead(
            issuer=self.issuer,
            key_number=self.key_number,
            day_ends_at=self.day_ends_at,
            version=1 if last is None else last.head.version + 1,
            # A clock that was set back must not make a list that is older than the one before.
            issued_at=issued_at if last is None else max(issued_at, last.head.issued_at),
            fresh_for_seconds=LIST_FRESH_SECONDS,
            usable_for_seconds=LIST_USABLE_SECONDS,
            size=POSITIONS,
            digest=sm3.digest(body),
        )
        return ListVersion(head, changes, body, None)

    def _done(self, prepared: ListVersion | None, *, changed: int = 0) -> Done:
        version = None if prepared is None else prepared.head.version
        answer = {
            "list_version": version,
            "to_be_signed": None if prepared is None else prepared.head.to_be_signed().hex(),
        }
        subject = f"status_list/{self.issuer}.{int(self.day_ends_at.timestamp())}"
        return Done(answer, subject, {"list_version": version, "changed": changed})


@dataclass(frozen=True, slots=True)
class PublishStatusList(Act):
    """Keep the signature of a version that was prepared; from then on terminals get it.

    Answer: list_version. A version that is signed already stays as it is.
    """

    act: ClassVar[str] = "publish_status_list"

    issuer: int
    day_ends_at: datetime
    list_version: int
    signature: bytes

    def __post_init__(self) -> None:
        limits.check_size("signature", self.signature, 64)

    def apply(self, scene: Scene) -> Done:
        day = int(self.day_ends_at.timestamp())
        status_lists.lock(scene.tx, self.issuer, day)
        last = status_lists.latest(scene.tx, self.issuer, day)
        if last is None or last.head.version < self.list_version:
            raise NotFoundError("status list")
        if last.head.version == self.list_version and last.signature is None:
            head = last.head
            _check_signature(scene, head.key_number, head.to_be_signed(), self.signature)
            status_lists.publish(scene.tx, last, self.signature, kept=VERSIONS_KEPT)
        answer = {"list_version": self.list_version}
        return Done(answer, f"status_list/{self.issuer}.{day}", answer)


@dataclass(frozen=True, slots=True)
class PrepareBundle(Act):
    """The next version of the bundle, if its content changed or the last one is growing old.

    Answer: as of PrepareStatusList, with `bundle_version`.
    """

    act: ClassVar[str] = "prepare_bundle"

    issuer: int
    key_number: int

    def apply(self, scene: Scene) -> Done:
        bundles.lock(scene.tx, self.issuer)
        last = bundles.latest(scene.tx, self.issuer)
        if last is not None and last.signature is None:
            if last.key_number == self.key_number:
                return self._done(last)
            # The key has changed since: a version that is not signed was never out.
            bundles.drop(scene.tx, last)
            last = bundles.latest(scene.tx, self.issuer)
        content = bundle_content(scene.tx, self.issuer, scene.now)
        if not is_bundle_due(scene.tx, last, content, scene.now):
            return self._done(None)
        _require_signing_key(scene, self.issuer, self.key_number)
        issued_at = scene.now.replace(microsecond=0)
        head = BundleHead(
            issuer=self.issuer,
            key_number=self.key_number,
            version=1 if last is None else last.version + 1,
            issued_at=issued_at if last is None else max(issued_at, last.issued_at),
            fresh_for_seconds=BUNDLE_FRESH_SECONDS,
            usable_for_seconds=BUNDLE_USABLE_SECONDS,
        )
        to_be_signed = bundle_to_be_signed(head, content)
        new = BundleVersion(
            self.issuer, self.key_number, head.version, head.issued_at, content, to_be_signed, None
        )
        bundles.add(scene.tx, new)
        return self._done(new)

    def _done(self, prepared: BundleVersion | None) -> Done:
        version = None if prepared is None else prepared.version
        answer = {
            "bundle_version": version,
            "to_be_signed": None if prepared is None else prepared.to_be_signed.hex(),
        }
        return Done(answer, f"bundle/{self.issuer}", {"bundle_version": version})


@dataclass(frozen=True, slots=True)
class PublishBundle(Act):
    """Keep the signature of a version that was prepared. Answer: bundle_version."""

    act: ClassVar[str] = "publish_bundle"

    issuer: int
    bundle_version: int
    signature: bytes

    def __post_init__(self) -> None:
        limits.check_size("signature", self.signature, 64)

    def apply(self, scene: Scene) -> Done:
        bundles.lock(scene.tx, self.issuer)
        last = bundles.latest(scene.tx, self.issuer)
        if last is None or last.version < self.bundle_version:
            raise NotFoundError("bundle")
        if last.version == self.bundle_version and last.signature is None:
            _check_signature(scene, last.key_number, last.to_be_signed, self.signature)
            bundles.publish(scene.tx, last, self.signature)
        answer = {"bundle_version": self.bundle_version}
        return Done(answer, f"bundle/{self.issuer}", answer)


@dataclass(frozen=True, slots=True)
class SetOfflinePolicy(DangerousAct):
    """What terminals may do with no network; see `card_core.bundles.OfflinePolicy`."""

    act: ClassVar[str] = "set_offline_policy"

    consumes: bool
    count_max: int
    amount_fen_max: int

    def __post_init__(self) -> None:
        try:
            self._policy()
        except InvalidBundleError as error:
            raise InvalidActError(
                error.what, "超出允许范围，或与 consumes 不符", "is out of range or at odds"
            ) from None

    def summary(self, tx: Reader) -> str:
        if not self.consumes:
            return "离线终端仅限身份识别 / Offline terminals identify only"
        return (
            f"允许离线消费：每凭证 {self.count_max} 笔、合计 {self.amount_fen_max} 分 / "
            f"Offline consuming: {self.count_max} scans, {self.amount_fen_max} fen a credential"
        )

    def apply(self, scene: Scene) -> Done:
        issuer = issuers.own(scene.tx)
        if issuer is None:
            raise NotFoundError("issuer")
        bundles.set_policy(scene.tx, issuer.number, self._policy())
        answer = {
            "consumes": self.consumes,
            "count_max": self.count_max,
            "amount_fen_max": self.amount_fen_max,
        }
        return Done(answer, f"issuer/{issuer.number}", answer)

    def _policy(self) -> OfflinePolicy:
        return OfflinePolicy(self.consumes, self.count_max, self.amount_fen_max)


def bundle_content(tx: Reader, issuer: int, now: datetime) -> bytes:
    """What the issuer's bundle has to say now: keys as they are to be believed, and the trust list
    that holds, as it was signed, with whose signature that is."""
    trusted = trust.holding(tx, now)
    others = () if trusted is None else trusted.issuers
    lists_of = (issuer, *(one.number for one in others if _has_lists(one, now)))
    return Content(
        keys=tuple(
            key_life.at(key, now) for key in issuers.keys(tx) if key.purpose in CARRIED_PURPOSES
        ),
        business_types=business_types.ALL,
        policy=bundles.policy_of(tx, issuer),
        status_lists=tuple(
            CarriedList(number, day) for number in lists_of for day in days_carried(now)
        ),
        trust_lists=() if trusted is None else (trust.get(tx).document,),
        trust_authorities=() if trusted is None else tuple(authorities(tx)),
        audit_heads={chain: Head(*audit.head(tx, chain)) for chain in audit.CHAINS},
    ).to_bytes()


def _has_lists(issuer: TrustedIssuer, now: datetime) -> bool:
    """Whether codes of its holders' phones can be checked with no network at all."""
    verifying = {key.purpose for key in issuer.keys if key.verifies_at(now)}
    return issuer.status_list_url is not None and verifying >= _FOR_OFFLINE_CODES


def is_bundle_due(tx: Reader, last: BundleVersion | None, content: bytes, now: datetime) -> bool:
    """Whether the bundle has to be issued anew; so it is, too, where one was not signed, or under
    a key that is believed no more."""
    return (
        last is None
        or last.signature is None
        or without_heads(last.content) != without_heads(content)
        or now >= last.issued_at + BUNDLE_AGAIN_AFTER
        or _believed_key(tx, last.issuer, last.key_number, now) is None
    )


def is_list_due(tx: Reader, issuer: int, day_ends_at: datetime, now: datetime) -> bool:
    """Whether a day's list has to be issued anew; so it is, too, where one was not signed, or
    under a key that is believed no more."""
    day = int(day_ends_at.timestamp())
    last = status_lists.latest(tx, issuer, day)
    return (
        last is None
        or last.signature is None
        or _is_list_old(tx, last, now)
        or devices.has_to_be_listed(tx, issuer, day)
    )


def _is_list_old(tx: Reader, last: ListVersion, now: datetime) -> bool:
    head = last.head
    return (
        now >= head.issued_at + LIST_AGAIN_AFTER
        or _believed_key(tx, head.issuer, head.key_number, now) is None
    )


def _require_signing_key(scene: Scene, issuer: int, number: int) -> None:
    """The own issuer's status key signs now."""
    own = issuers.own(scene.tx)
    if own is None or own.number != issuer:
        raise NotAllowedError
    key = issuers.get_key(scene.tx, issuer, number, KeyPurpose.STATUS)
    if key is None:
        raise NotFoundError("status key")
    if not key_life.signs_at(key, scene.now):
        raise WrongStateError("status key", key.state)


def _believed_key(tx: Reader, issuer: int, number: int, now: datetime) -> CodeKey | None:
    """The status key, while terminals take what it signed."""
    key = issuers.get_key(tx, issuer, number, KeyPurpose.STATUS)
    if key is None or key_life.at(key, now).state not in VERIFYING:
        return None
    return key


def _check_signature(scene: Scene, number: int, message: bytes, signature: bytes) -> None:
    """What goes out is verified first, with the key that terminals will use."""
    own = issuers.own(scene.tx)
    key = None if own is None else _believed_key(scene.tx, own.number, number, scene.now)
    try:
        if key is None:
            raise sm2.InvalidSignatureError
        key.public_key.verify(signature, message)
    except sm2.InvalidSignatureError:
        raise InvalidActError(
            "signature", "签名与公钥不符", "does not fit the registered key"
        ) from None
