"""Keys, dynamic passwords and the profile of an installation, at the command line."""

import json
from datetime import UTC, datetime

import pytest
from office import PASSPHRASE, Office, make_office, password_of, refused
from sqlalchemy import create_engine, text
from test_cli_init import operators_file

from card_core.kernel.second_factor import STEP_SECONDS, dynamic_password
from card_core.sign_in import Profile
from card_core.store import operators
from card_core.store.operators import Role
from issuance import installation
from issuance.cli import screen, second_factor
from issuance.founding import Bureau, NewPerson, found
from issuance.installation import open_installation

SECRET = bytes(range(20))


NOW = datetime.now(UTC)


def digits(steps_on: int = 0) -> str:
    return dynamic_password(SECRET, int(NOW.timestamp()) // STEP_SECONDS + steps_on).decode()


def test_a_key_signs_in_only_with_its_pin(office: Office) -> None:
    password = str(office.file("wang.password", password_of("wang")))
    sign_in = ("operator", "sign-in", "wang", "--password-file", password)
    wrong = str(office.file("wrong.pin", "another pin"))
    key, folder, *_ = office.key_options("wang")
    assert office.run(*sign_in, key, folder, "--pin-file", wrong).exit_code == 1
    refused(office.run(*sign_in), "SM2 密钥", "own SM2 key")
    refused(office.run(*sign_in, *office.key_options("li")), "第二因素", "second factor")
    office.done(*sign_in, *office.key_options("wang"))


def test_a_new_key_shows_its_public_half_and_overwrites_nothing(office: Office) -> None:
    pin = str(office.file("pin", "quayside pin"))
    folder = str(office.folder / "own")
    shown = office.done("operator", "new-key", folder, "--pin-file", pin).strip()
    assert len(bytes.fromhex(shown)) == 33
    assert office.run("operator", "new-key", folder, "--pin-file", pin).exit_code == 1


def test_the_sm_profile_takes_no_dynamic_password(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "ask_secret", lambda *_, **__: "123456")
    password, new = str(office.file("p", "x" * 12)), str(office.file("n", "Lantern 4 Estuary"))
    options = ("--password-file", password, "--new-password-file", new)
    refused(
        office.run("operator", "enrol", "wang", *options, "--dynamic"),
        "只能是 SM2 密钥",
        "SM2 key alone",
    )
    refused(office.run("operator", "enrol", "wang", *options), "选择一种", "Choose one")


def test_the_standard_profile_takes_argon2_and_dynamic_passwords(
    empty_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = operators_file(empty_office)
    empty_office.done("init", "--operators", path, "--profile", "standard")
    home = json.loads((empty_office.folder / "home" / "home.json").read_text())
    assert home["profile"] == "standard"
    password = str(empty_office.file("li.password", password_of("li")))
    new = str(empty_office.file("li.new", "Lantern 4 Estuary"))
    # A step that doesn't end while the test runs.
    monkeypatch.setattr(installation, "utc_now", lambda: NOW)
    monkeypatch.setattr(second_factor, "random_bytes", lambda size: SECRET[:size])
    # Of the step before, so that this step's is there to sign in with.
    monkeypatch.setattr(screen, "ask_secret", lambda *_, **__: digits(-1))
    shown = empty_office.done(
        "operator", "enrol", "li", "--password-file", password, "--new-password-file", new,
        "--dynamic",
    )  # fmt: skip
    assert "otpauth://totp/sscard:li?secret=AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT" in shown.replace(
        "\n", ""
    )
    now = str(empty_office.file("li.digits", digits()))
    sign_in = ("operator", "sign-in", "li", "--password-file", new, "--digits-file", now)
    empty_office.done(*sign_in)
    refused(empty_office.run(*sign_in), "第二因素", "second factor")
    assert "dynamic" in empty_office.done("operator", "list", operator="li")


def test_a_bureau_from_before_gets_its_first_security_administrator_once(
    empty_office: Office,
) -> None:
    """Without the check at its founding, which it was founded before."""
    old = [
        NewPerson("admin", "A", frozenset({Role.ADMINISTRATOR}), password_of("admin")),
        NewPerson("li", "L", frozenset({Role.SECURITY}), password_of("li")),
    ]
    found(empty_office.settings, PASSPHRASE.encode(), bureau=Bureau(7, "FS", "B"), people=old)
    password = str(empty_office.file("new.password", "Lantern 4 Estuary"))
    upgrade = ("upgrade", "--security-administrator", "guard", "--password-file", password)
    refused(empty_office.run(*upgrade), "复核", "approves")
    database = empty_office.folder / "home" / "sscard.db"
    engine = create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM operators WHERE roles = 'security'"))
    engine.dispose()
    empty_office.done(*upgrade)
    refused(empty_office.run(*upgrade), "复核", "approves")
    with open_installation(make_office(empty_office.folder).settings, PASSPHRASE.encode()) as site:
        with site.store.read() as tx:
            guard = operators.find_by_name(tx, "guard")
        assert site.profile is Profile.SM
    assert guard is not None
    assert guard.roles == {Role.SECURITY}
