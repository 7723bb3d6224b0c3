"""`sscard keys`: rotating and revoking at the command line, always with a second person."""

import re

from office import Office, refused

from card_core.codes import KeyPurpose, KeyState
from card_core.store import issuers
from issuance.founding import FIRST_KEY_NUMBER
from issuance.installation import Installation

ISSUER = 7


def state(site: Installation, number: int) -> KeyState:
    with site.store.read() as tx:
        key = issuers.get_key(tx, ISSUER, number, KeyPurpose.CODE_SIGNING)
    assert key is not None
    return key.state


def test_a_key_is_rotated_by_two_people(office: Office, site: Installation) -> None:
    said = office.done("keys", "rotate", operator="admin")
    assert "keys activate 2 --purpose code_signing" in said
    found = re.search(r"Approval id ([0-9a-f]{32})", said)
    assert found is not None
    assert (office.folder / "home/keys/code_signing.7.2.key.json").exists()
    office.done("approval", "approve", found[1], "--yes", operator="li")
    assert state(site, 2) is KeyState.PENDING
    said = office.done("keys", "activate", "2", "--with", "li", "--yes", operator="admin")
    assert "signs 10 s from now" in said
    assert (state(site, 1), state(site, 2)) == (KeyState.VERIFY_ONLY, KeyState.ACTIVE)
    listed = office.done("keys", "list", operator="admin")
    assert re.search(r"code_signing +1 +仅验签 verify_only +签名 signs", listed)
    assert re.search(r"code_signing +2 +启用 active", listed)
    refused(
        office.run("keys", "end", "1", "--with", "li", "--yes", operator="admin"),
        "尚不能进行此操作，最早",
        "can't be done yet, at the earliest",
    )


def test_one_command_revokes_when_both_people_are_there(office: Office, site: Installation) -> None:
    office.done("keys", "rotate", "--with", "li", "--yes", operator="admin")
    arguments = ("keys", "revoke", "1", "--cause", "leaked", "--successor", "2")
    said = office.done(*arguments, "--with", "li", "--yes", operator="admin")
    assert "within 5 s" in said
    assert (state(site, 1), state(site, 2)) == (KeyState.REVOKED, KeyState.ACTIVE)


def test_nobody_is_their_own_second_person(office: Office, site: Installation) -> None:
    arguments = ("keys", "revoke", "1", "--cause", "leaked", "--yes")
    refused(
        office.run(*arguments, "--with", "admin", operator="admin"),
        "不得复核自己",
        "may not approve",
    )
    refused(
        office.run(*arguments, "--with", "zhou", operator="admin"), "zhou 尚未登录", "not signed in"
    )
    refused(office.run(*arguments, "--with", "li", operator="wang"), "无权", "may not do this")
    assert state(site, 1) is KeyState.ACTIVE


def test_a_key_made_and_never_registered_is_taken_and_none_is_lost(office: Office) -> None:
    for _ in range(2):
        office.done("keys", "rotate", "--purpose", "status", operator="admin")
    names = sorted(path.name for path in (office.folder / "home/keys").glob("status.*"))
    assert names == ["status.7.1.key.json", "status.7.2.key.json"]


def test_a_key_whose_private_half_is_not_here_is_not_put_into_use(
    office: Office, site: Installation
) -> None:
    office.done("keys", "rotate", "--with", "li", "--yes", operator="admin")
    (office.folder / "home/keys/code_signing.7.2.key.json").unlink()
    for arguments in (
        ("activate", "2"),
        ("revoke", "1", "--cause", "lost", "--successor", "2"),
    ):
        refused(
            office.run("keys", *arguments, "--with", "li", "--yes", operator="admin"),
            "没有密钥 code_signing.7.2 的私钥",
            "private half of key code_signing.7.2",
        )
    assert state(site, 1) is KeyState.ACTIVE


def test_a_new_installation_has_a_key_for_every_purpose(site: Installation) -> None:
    with site.store.read() as tx:
        found = {key.purpose: key for key in issuers.keys(tx)}
    assert set(found) == set(KeyPurpose)
    for key in found.values():
        assert (key.number, key.state) == (FIRST_KEY_NUMBER, KeyState.ACTIVE)
        assert site.keys.signer(key.name).public_key == key.public_key
    assert len({key.public_key for key in found.values()}) == len(KeyPurpose)
