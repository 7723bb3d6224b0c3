"""`sscard keys passphrase`."""

from office import PASSPHRASE, Office, refused

from crypto.keys import KeyFiles

NEW = "another quay entirely"


def test_the_passphrase_is_changed_and_the_office_goes_on(office: Office) -> None:
    new = office.file("new.passphrase", NEW + "\n")
    shown = office.done("keys", "passphrase", "--new-passphrase-file", str(new))
    assert "The passphrase is changed" in shown
    refused(office.run("audit", "verify"), "口令错误", "passphrase is wrong")
    assert office.run("audit", "verify", SSCARD_KEY_PASSPHRASE_FILE=str(new)).exit_code == 0
    KeyFiles.open(office.folder / "home/keys", NEW.encode())


def test_what_is_refused_changes_nothing(office: Office) -> None:
    keyring = office.folder / "home/keys/keyring.json"
    before = keyring.read_bytes()
    short = office.file("short", "7 bytes")
    refused(
        office.run("keys", "passphrase", "--new-passphrase-file", str(short)), "过短", "too short"
    )
    refused(office.run("keys", "passphrase"), "没有终端", "--new-passphrase-file")
    wrong = office.file("wrong", NEW)
    changed = ("keys", "passphrase", "--new-passphrase-file", str(wrong))
    refused(office.run(*changed, SSCARD_KEY_PASSPHRASE_FILE=str(wrong)), "口令错误", "is wrong")
    assert keyring.read_bytes() == before
    assert KeyFiles.open(office.folder / "home/keys", PASSPHRASE.encode()).names()
