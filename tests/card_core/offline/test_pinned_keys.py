"""Status keys at a terminal: it follows from one to the next, and from a revoked one to nowhere."""

import pytest
from bureau import ISSUER, Bureau
from carrying import activate_second_key, raw_bundle, register_second_key, rotate
from offline_rig import OfflineTerminal, Ward
from phone import Phone, publisher_of, status_signer
from scan_service import ScanService
from servers.databases import SQLiteDatabases

from card_core.bundles import (
    BundleHead,
    BundleNotGenuineError,
    assemble_bundle,
    bundle_to_be_signed,
)
from card_core.codes import CodeKey, KeyPurpose, KeyState, key_name
from card_core.kernel.acts.issuer_keys import RevocationCause, RevokeIssuerKey
from scan_api.terminal.carried import pin_status_key, text_of


@pytest.fixture
def databases(sqlite_databases: SQLiteDatabases) -> SQLiteDatabases:
    """What is behind the service makes no difference to a terminal."""
    return sqlite_databases


def publish(bureau: Bureau) -> None:
    publisher_of(bureau).round()


def revoke_first(bureau: Bureau) -> None:
    act = RevokeIssuerKey(KeyPurpose.STATUS, 1, RevocationCause.LEAKED, None)
    bureau.decide(act, bureau.administrator)


def offline(terminal: OfflineTerminal, phone: Phone) -> str:
    terminal.network.is_up = False
    try:
        return terminal.reason(phone.show(terminal.service.clock()))
    finally:
        terminal.network.is_up = True


def forged(bureau: Bureau, version: int) -> bytes:
    """What whoever has the first key makes of it: a bundle in which that key is in force."""
    held = raw_bundle(bureau)
    content = held[20:-64].replace(b'"state":"revoked"', b'"state":"active"')
    head = BundleHead(
        ISSUER, 1, version, bureau.clock().replace(microsecond=0), 3600, 7 * 24 * 3600
    )
    message = bundle_to_be_signed(head, content)
    return assemble_bundle(message, status_signer(bureau).sign(message))


def test_a_terminal_follows_a_rotation_that_it_hears_of(ward: Ward, phone: Phone) -> None:
    bureau, terminal = ward.service.bureau, ward.terminal()
    register_second_key(bureau)
    publish(bureau)
    terminal.rounds.round()
    activate_second_key(bureau)
    publish(bureau)
    terminal.rounds.round()
    bundle = terminal.carried.view.bundle
    assert bundle is not None
    assert bundle.head.key_number == 2
    assert offline(terminal, phone) == "accepted"
    assert offline(terminal.restarted(), phone) == "accepted"


def test_a_revoked_key_is_believed_neither_on_the_way_nor_on_the_disk(
    ward: Ward, phone: Phone
) -> None:
    bureau, terminal = ward.service.bureau, ward.terminal()
    register_second_key(bureau)
    publish(bureau)
    terminal.rounds.round()
    activate_second_key(bureau)
    revoke_first(bureau)
    publish(bureau)
    # Until this contact the terminal can't know; with the bundle alone it has no list to go by,
    # for those at hand may be the thief's.
    terminal.carried.take_bundle(raw_bundle(bureau))
    assert offline(terminal, phone) == "list_missing"
    terminal.rounds.round()
    assert offline(terminal, phone) == "accepted"
    stolen = forged(bureau, version=99)
    with pytest.raises(BundleNotGenuineError):
        terminal.carried.take_bundle(stolen)
    (terminal.folder / "bundle").write_bytes(stolen)
    assert offline(terminal.restarted(), phone) == "nothing_carried"
    back = terminal.restarted()
    back.rounds.round()
    assert offline(back, phone) == "accepted"


def test_a_terminal_that_missed_the_announcement_is_told_the_key_anew(
    ward: Ward, phone: Phone
) -> None:
    bureau, terminal = ward.service.bureau, ward.terminal()
    rotate(bureau)
    publish(bureau)
    with pytest.raises(BundleNotGenuineError):
        terminal.rounds.round()
    # What it carries goes on to hold, to its own age and no further.
    assert offline(terminal, phone) == "accepted"
    second = bureau.keys.signer(key_name(KeyPurpose.STATUS, ISSUER, 2)).public_key
    pinned = CodeKey(ISSUER, 2, second, KeyState.ACTIVE, KeyPurpose.STATUS)
    pin_status_key(terminal.folder, text_of(pinned))
    anew = terminal.restarted()
    assert offline(anew, phone) == "nothing_carried"
    anew.rounds.round()
    assert offline(anew, phone) == "accepted"


def test_an_enrolment_under_a_key_that_is_revoked_leads_nowhere(
    service: ScanService, ward: Ward, phone: Phone
) -> None:
    rotate(service.bureau)
    revoke_first(service.bureau)
    publish(service.bureau)
    terminal = OfflineTerminal(service, service.hospital, ward.path / "late")
    with pytest.raises(BundleNotGenuineError):
        terminal.rounds.round()
    assert offline(terminal, phone) == "nothing_carried"
