"""Founding an installation: keys, database, issuer, first operators.

Each step looks at what is there already and does what is missing, and home.json, written last,
says that all is done. So an interrupted start is finished by running it again with the same
passphrase, and nothing is made twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from card_core.chip_cards import CHALLENGE_KEY
from card_core.codes import KeyPurpose, key_name
from card_core.errors import TamperedRowError
from card_core.kernel import Act, Actor, ActorKind, Kernel
from card_core.kernel.acts.issuer_keys import RegisterIssuerKey
from card_core.kernel.acts.operators import AddOperator, NewOperator
from card_core.kernel.acts.set_up import SetUpFirstOperators, SetUpIssuer
from card_core.kernel.acts.trust import PinTrustAuthority
from card_core.sign_in import Profile, check_new_operator_password, hash_password
from card_core.store import Store, issuers, operators, trust
from card_core.store.operators import Role
from crypto import sm2
from crypto.keys import KeyFiles
from issuance import field_key_files
from issuance.batches import new_request_id
from issuance.card_files import CardKeyKind
from issuance.errors import HomeError
from issuance.home import HomeFacts
from issuance.installation import Installation, make_kernel, open_database, random_bytes
from issuance.making.keys import EVERYWHERE, master_key_name
from issuance.settings import Settings

SECRET_SIZES_BYTES = {
    "field": 16,
    "index": 32,
    "row": 32,
    "audit": 32,
    "box_wrap": 16,
    "password": 32,
    "pseudonym": 32,
    "visit": 32,
    CHALLENGE_KEY: 32,
    # For demonstration, and for cards that this installation personalises itself; the one of
    # internal authentication is what the scan service checks chips with.
    **{master_key_name(kind, EVERYWHERE, 1): 16 for kind in CardKeyKind},
}
# What a sandbox has besides: the phone of one of its holders is made from it (issuance/sandbox).
SANDBOX_PHONE = "sandbox_phone"
SANDBOX_PHONE_BYTES = 32
FIRST_KEY_NUMBER = 1
MADE_HERE = ("keys", "sessions", "sscard.db", "sscard.db-wal", "sscard.db-shm")

_FOUNDING = Actor(ActorKind.SYSTEM, "founding")


@dataclass(frozen=True, slots=True)
class Bureau:
    """issuer: 1 to 65535. card_letters: the two capitals its card numbers begin with.

    trust_authority: whose trust lists are taken, an SM2 public key; None: its own.
    is_sandbox: for tests alone (issuance/sandbox); fixed now and for good. profile: too.
    """

    issuer: int
    card_letters: str
    name: str
    trust_authority: bytes | None = None
    is_sandbox: bool = False
    profile: Profile = Profile.SM


@dataclass(frozen=True, slots=True, repr=False)
class NewPerson:
    """An operator to be, with the password in clear; it is hashed once the keys are there.

    public_key: of the operator's own SM2 key, 33 or 65 bytes; None: enrolled at the first sign-in.
    """

    name: str
    display_name: str
    roles: frozenset[Role]
    password: str
    public_key: bytes | None = None

    def __post_init__(self) -> None:
        """Raises WeakPasswordError; InvalidActError for a name out of its limits."""
        check_new_operator_password(self.password, self.name)
        self.with_hash("not hashed yet")

    def hashed(self, pepper: bytes, profile: Profile) -> NewOperator:
        return self.with_hash(
            hash_password(self.password, pepper=pepper, random_bytes=random_bytes, profile=profile)
        )

    def with_hash(self, password_hash: str) -> NewOperator:
        return NewOperator(self.name, self.display_name, self.roles, password_hash, self.public_key)


def check_can_be_founded(settings: Settings) -> None:
    """Raise HomeError when the home is initialised already, or holds what isn't ours."""
    if settings.home.is_initialised():
        raise HomeError(
            "home_initialised",
            f"{settings.home.path} 已初始化，未作任何更改。",
            f"{settings.home.path} is initialised already; nothing was changed.",
        )
    settings.home.refuse_strangers(MADE_HERE)


def found(
    settings: Settings, passphrase: bytes, *, bureau: Bureau, people: Sequence[NewPerson]
) -> None:
    """Make the installation, or finish one that was interrupted.

    people: the first operators; one must be able to propose and another to approve.
    Raises HomeError, FileRefusedError, KeyFileError, KernelError, StoreError.
    """
    check_can_be_founded(settings)
    # 1 what the database will ask of these, before anything is written
    SetUpIssuer(bureau.issuer, bureau.card_letters, bureau.name)
    SetUpFirstOperators(tuple(person.with_hash("not hashed yet") for person in people))
    PinTrustAuthority(bureau.trust_authority)
    # 2 folders and keys
    settings.home.make()
    keys = _make_keys(settings, passphrase, bureau)
    with open_database(settings, keys) as store:
        # 3 the database
        store.upgrade()
        # 4 what the service can't be without
        _set_up(store, keys, settings, bureau, people)
    # 5 done
    settings.home.write_facts(HomeFacts(bureau.issuer, bureau.profile))


def _make_keys(settings: Settings, passphrase: bytes, bureau: Bureau) -> KeyFiles:
    folder = settings.home.keys
    is_begun = (folder / "keyring.json").exists()
    keys = (KeyFiles.open if is_begun else KeyFiles.create)(folder, passphrase)
    complete_keys(keys, bureau.issuer)
    if bureau.is_sandbox and SANDBOX_PHONE not in keys.names():
        keys.create_secret(SANDBOX_PHONE, SANDBOX_PHONE_BYTES)
    return keys


def complete_keys(keys: KeyFiles, issuer: int) -> None:
    """Make the keys that are missing: all of a new home, or those that a newer version needs."""
    there = keys.names()
    for name, size_bytes in SECRET_SIZES_BYTES.items():
        if name == field_key_files.FIRST and not field_key_files.is_first_needed(there):
            continue
        if name not in there:
            keys.create_secret(name, size_bytes)
    for purpose in KeyPurpose:
        name = key_name(purpose, issuer, FIRST_KEY_NUMBER)
        if name not in there:
            keys.create_signer(name)


def complete_issuer_keys(store: Store, keys: KeyFiles, settings: Settings, issuer: int) -> None:
    """Register the first key for each purpose for which the issuer has none."""
    with store.read() as tx:
        known = {key.purpose for key in issuers.keys(tx) if key.issuer == issuer}
    kernel = make_kernel(store, keys, settings, issuer)
    for purpose in KeyPurpose:
        if purpose not in known:
            name = key_name(purpose, issuer, FIRST_KEY_NUMBER)
            point = keys.signer(name).public_key.to_bytes(compressed=True)
            _perform(kernel, RegisterIssuerKey(issuer, FIRST_KEY_NUMBER, point, purpose))


def add_first_security_administrator(site: Installation, person: NewPerson) -> None:
    """For a bureau that was founded before there were security administrators: without one nobody
    approves who works there. Raises KernelError where there is one."""
    _perform(site.kernel, AddOperator(person.hashed(site.pepper, site.profile)))


def _set_up(
    store: Store, keys: KeyFiles, settings: Settings, bureau: Bureau, people: Sequence[NewPerson]
) -> None:
    try:
        with store.read() as tx:
            own = issuers.own(tx)
            registered = {key.name: key.public_key for key in issuers.keys(tx)}
            pinned = trust.get(tx).authority
            has_operators = bool(operators.page(tx, limit=1))
    except TamperedRowError:
        raise _taken() from None
    ours = {purpose: _first_key(keys, bureau, purpose) for purpose in KeyPurpose}
    if own is not None and own.is_sandbox is not bureau.is_sandbox:
        raise _begun_otherwise()
    if own is not None and (own.number, own.card_letters) != (bureau.issuer, bureau.card_letters):
        raise _taken()
    if any(registered.get(name, key) != key for name, key in ours.values()):
        raise _taken()
    kernel = make_kernel(store, keys, settings, bureau.issuer)
    if own is None:
        act = SetUpIssuer(bureau.issuer, bureau.card_letters, bureau.name, bureau.is_sandbox)
        _perform(kernel, act)
    complete_issuer_keys(store, keys, settings, bureau.issuer)
    if bureau.trust_authority is not None and not has_operators and pinned is None:
        _perform(kernel, PinTrustAuthority(bureau.trust_authority))
    if not has_operators:
        pepper = keys.secret("password")
        hashed = tuple(person.hashed(pepper, bureau.profile) for person in people)
        _perform(kernel, SetUpFirstOperators(hashed))


def _first_key(keys: KeyFiles, bureau: Bureau, purpose: KeyPurpose) -> tuple[str, sm2.PublicKey]:
    name = key_name(purpose, bureau.issuer, FIRST_KEY_NUMBER)
    return name, keys.signer(name).public_key


def _perform(kernel: Kernel, act: Act) -> None:
    kernel.perform(act, actor=_FOUNDING, request_id=new_request_id())


def _begun_otherwise() -> HomeError:
    return HomeError(
        "sandbox_or_not",
        "本安装开始建立时的 --sandbox 选项与这次不同。是否为沙箱在建立时确定，之后不能更改；"
        "请用原来的选项再次运行，或另选工作目录和数据库。",
        "This installation was begun with the other choice of --sandbox. Whether it is a sandbox "
        "is fixed at its founding and never changes: run with the first choice again, or take "
        "another home and database.",
    )


def _taken() -> HomeError:
    return HomeError(
        "database_taken",
        "该数据库属于另一个安装（密钥或发卡机构不同）。请换一个空数据库，或用原来的 SSCARD_HOME。",
        "This database belongs to another installation (other keys or another issuer). Use an "
        "empty database, or the SSCARD_HOME that it belongs to.",
    )
