"""Founding is finished by running it again, wherever it stopped, and never done twice."""

from collections.abc import Callable, Iterator

import pytest
from _pytest.mark.structures import ParameterSet
from office import PASSPHRASE, PEOPLE, Office, first_people, make_office

from card_core.codes import KeyPurpose
from card_core.errors import ApprovalNeededError, InvalidActError, WeakPasswordError
from card_core.kernel import Actor, ActorKind, Kernel
from card_core.kernel.acts.trust import PinTrustAuthority
from card_core.store import Store, issuers, operators, trust
from crypto import sm2
from crypto.keys import KeyFiles, WrongPassphraseError
from issuance.errors import HomeError
from issuance.founding import SECRET_SIZES_BYTES, Bureau, NewPerson, found
from issuance.home import Home
from issuance.installation import open_installation

BUREAU = Bureau(7, "FS", "Test bureau")
KEY_NAMES = {f"{purpose.value}.7.1" for purpose in KeyPurpose}


class PowerCutError(Exception):
    """Stands for the process dying."""


def make(office: Office, bureau: Bureau = BUREAU) -> None:
    found(office.settings, PASSPHRASE.encode(), bureau=bureau, people=first_people())


def cut_after(owner: type, name: str, calls: int, patched: pytest.MonkeyPatch) -> None:
    """Let `name` work `calls` times, and die at the next."""
    real: Callable[..., object] = getattr(owner, name)
    left = calls

    def call(*arguments: object, **named: object) -> object:
        nonlocal left
        if not left:
            raise PowerCutError
        left -= 1
        return real(*arguments, **named)

    patched.setattr(owner, name, call)


def stops() -> Iterator[ParameterSet]:
    """Before each call; in `make test` before the first two and the last of a row of calls."""
    for owner, name, calls in (
        (KeyFiles, "create_secret", len(SECRET_SIZES_BYTES)),
        (KeyFiles, "create_signer", len(KeyPurpose)),
        (Store, "upgrade", 1),
        (Kernel, "perform", 2 + len(KeyPurpose)),
        (Home, "write_facts", 1),
    ):
        for count in range(calls):
            marks = () if count in (0, 1, calls - 1) else pytest.mark.long
            yield pytest.param(owner, name, count, id=f"{name}-{count}", marks=marks)


@pytest.mark.parametrize(("owner", "name", "calls"), list(stops()))
def test_stopped_anywhere_and_run_again_it_is_finished(
    empty_office: Office, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, calls: int
) -> None:
    with monkeypatch.context() as patched:
        cut_after(owner, name, calls, patched)
        with pytest.raises(PowerCutError):
            make(empty_office)
    assert not empty_office.settings.home.is_initialised()
    make(empty_office)
    with open_installation(empty_office.settings, PASSPHRASE.encode()) as site:
        assert set(site.keys.names()) == {*SECRET_SIZES_BYTES, *KEY_NAMES}
        with site.store.read() as tx:
            assert {one.name for one in operators.page(tx)} == set(PEOPLE)
            own = issuers.own(tx)
            keys = issuers.keys(tx)
    assert own is not None
    assert (own.number, own.card_letters) == (7, "FS")
    assert {key.name: key.public_key for key in keys} == {
        name: site.keys.signer(name).public_key for name in KEY_NAMES
    }


def test_the_authority_of_trust_lists_is_pinned_from_the_start(empty_office: Office) -> None:
    point = sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)
    make(empty_office, Bureau(7, "FS", "Test bureau", point))
    with open_installation(empty_office.settings, PASSPHRASE.encode()) as site:
        with site.store.read() as tx:
            assert trust.get(tx).authority == point
        with pytest.raises(ApprovalNeededError):
            site.kernel.perform(
                PinTrustAuthority(None), actor=Actor(ActorKind.SYSTEM, "x"), request_id="x"
            )


def test_finishing_takes_the_same_passphrase(
    empty_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        cut_after(Store, "upgrade", 0, patched)
        with pytest.raises(PowerCutError):
            make(empty_office)
    with pytest.raises(WrongPassphraseError):
        found(empty_office.settings, b"another one", bureau=BUREAU, people=first_people())


def test_a_home_is_founded_once(office: Office) -> None:
    with pytest.raises(HomeError) as caught:
        make(office)
    assert caught.value.code == "home_initialised"


def test_a_database_of_another_home_is_left_alone(
    office: Office, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = make_office(tmp_path_factory.mktemp("other"))
    url = {"SSCARD_DATABASE_URL": office.settings.database_url}
    with pytest.raises(HomeError) as caught:
        make(Office(other.folder, {**other.environment, **url}))
    assert caught.value.code == "database_taken"
    office.done("operator", "list", operator="li")


@pytest.mark.parametrize(
    "bureau",
    [Bureau(0, "FS", "x"), Bureau(1, "fs", "x"), Bureau(1, "FS", ""), Bureau(1, "FS", "x", b"")],
)
def test_an_unfit_bureau_is_refused_before_anything_is_written(
    empty_office: Office, bureau: Bureau
) -> None:
    with pytest.raises(InvalidActError):
        make(empty_office, bureau)
    assert not empty_office.settings.home.path.exists()


def test_two_people_at_least(empty_office: Office) -> None:
    with pytest.raises(InvalidActError):
        found(empty_office.settings, PASSPHRASE.encode(), bureau=BUREAU, people=first_people()[:1])
    assert not empty_office.settings.home.path.exists()


@pytest.mark.parametrize(
    "password", ["", "short", "aaaaaaaaaaaaaaaa", "contains wang here", "x" * 129]
)
def test_a_weak_password_is_nobodys(password: str) -> None:
    with pytest.raises(WeakPasswordError):
        NewPerson("wang", "Wang", first_people()[1].roles, password)
