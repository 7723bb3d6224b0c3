"""Handing in what was accepted with no network: settled once, and every double is a pair."""

from dataclasses import replace

import pytest
from bureau import KEY_NUMBER, terminal_actor
from offline_rig import OfflineTerminal, Ward, back
from phone import Phone, publisher_of
from scan_service import ScanService

from card_core.codes import KeyPurpose, PurposeClass
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.acts.devices import RemoveDevice
from card_core.kernel.acts.enrolment import RotateTerminalKey
from card_core.kernel.acts.issuer_keys import RevocationCause, RevokeIssuerKey
from card_core.offline_records import OfflineRecord
from card_core.presented import Medium
from card_core.store import audit, ids, institutions, offline_scans, outbox, scans
from card_core.store.offline_scans import Pair
from card_core.store.scans import Scan
from card_core.store.terminal_journal import Accepted
from card_core.verdicts import Reason
from crypto import sm2, sm3
from scan_api.terminal import OutcomeUnknownError


def pairs_of(service: ScanService) -> list[Pair]:
    with service.bureau.store.read() as tx:
        return offline_scans.pairs(tx)


def handed_in(terminal: OfflineTerminal) -> dict[str, str]:
    """What the service answers; a terminal forgets what it handed in of days that are over."""
    terminal.network.is_up = True
    return terminal.client.upload(terminal.journal.pending(64))


def serial_of(service: ScanService, terminal_id: str) -> bytes:
    with service.bureau.store.read() as tx:
        found = institutions.get_terminal(tx, terminal_id)
    assert found is not None
    return found.serial_number


def test_records_are_confirmed_and_handed_in_once(ward: Ward, phone: Phone) -> None:
    terminal, service = ward.cut_off(), ward.service
    for number in range(3):
        terminal.scan(phone.show(service.clock()), request_id=f"r{number}")
    terminal.scan(service.mint(), request_id="online")
    service.clock.advance(86_000)
    assert back(terminal) == dict.fromkeys(("r0", "r1", "r2", "online"), "confirmed")
    assert pairs_of(service) == []
    with service.bureau.store.read() as tx:
        audit.verify_chain(tx, "scan")
        audit.verify_scans(tx)


def test_one_code_at_two_terminals_is_a_pair_with_both_signatures(ward: Ward, phone: Phone) -> None:
    first, second, service = ward.cut_off(), ward.cut_off(), ward.service
    text = phone.show(service.clock())
    records = []
    for number, terminal in enumerate((first, second)):
        assert terminal.reason(text, request_id=f"r{number}") == "accepted"
        (one,) = terminal.journal.pending(1)
        records.append(one)
    assert back(first) == {"r0": "confirmed"}
    assert back(second) == {"r1": "double"}
    (pair,) = pairs_of(service)
    assert pair.first_is_offline
    assert pair.holder_id == service.person.holder_id
    evidence = (pair.first_evidence, pair.second_evidence)
    sides = (pair.first_terminal_id, pair.second_terminal_id)
    for signature, terminal_id, terminal, one in zip(
        evidence, sides, (first, second), records, strict=True
    ):
        assert serial_of(service, terminal_id) == terminal.device.serial_number
        assert signature is not None
        terminal.device.key.public_key().verify(signature, one.record.to_be_signed())
    with service.bureau.store.read() as tx:
        told = outbox.page(tx, "scan")[-1]
    assert pair.id in told.payload


def test_a_code_that_was_accepted_online_is_a_pair_with_its_receipt(ward: Ward) -> None:
    online, offline, service = ward.terminal(), ward.cut_off(), ward.service
    text = service.mint()
    scan_id = online.scan(text)["scan_id"]
    assert offline.reason(text, request_id="r1") == "accepted"
    assert back(offline) == {"r1": "double"}
    (pair,) = pairs_of(service)
    assert (pair.first_is_offline, pair.first_id) == (False, scan_id)
    with service.bureau.store.read() as tx:
        scan = scans.get(tx, scan_id)
    assert scan is not None
    assert pair.first_evidence == scan.receipt is not None
    assert serial_of(service, pair.first_terminal_id) == online.device.serial_number


def test_of_a_code_that_identifies_only_the_online_scan_is_found(ward: Ward) -> None:
    offline, service = ward.cut_off(), ward.service
    minter, person = service.bureau.minter, service.person
    holder_id = person.holder_id
    text = minter.mint(holder_id, purpose_class=PurposeClass.IDENTIFY_ONLY).text
    # As it is recorded beside the fast store, with nothing in the table of what is spent.
    hospital = service.bureau.hospital
    recorded = Scan(
        id=ids.earliest(service.clock()) + "0" * 20,
        scanned_at=service.clock(),
        terminal_id=hospital.id,
        institution_id=hospital.institution_id,
        holder_id=holder_id,
        card_id=person.card_id,
        business_type="01101",
        reason=Reason.ACCEPTED,
        minted_at=service.clock(),
        amount_fen=None,
        operator="",
        department="",
        medium=Medium.ONLINE_CODE,
    )
    with service.bureau.store.write() as tx:
        scans.add_group(tx, [recorded])
    assert offline.reason(text, request_id="r1") == "accepted"
    service.clock.advance(1)
    other = minter.mint(holder_id, purpose_class=PurposeClass.IDENTIFY_ONLY).text
    assert offline.reason(other, request_id="r2") == "accepted"
    assert back(offline) == {"r1": "double", "r2": "confirmed"}
    (pair,) = pairs_of(service)
    assert (pair.first_id, pair.first_terminal_id) == (recorded.id, hospital.id)


def test_a_double_is_found_after_the_phone_was_removed_and_its_credentials_are_gone(
    ward: Ward, phone: Phone
) -> None:
    terminals, service = [ward.cut_off() for _ in range(3)], ward.service
    text = phone.show(service.clock())
    for terminal in terminals:
        assert terminal.reason(text, request_id="r") == "accepted"
    assert back(terminals[0]) == {"r": "confirmed"}
    service.bureau.perform(RemoveDevice(phone.device_id), service.person.actor)
    assert back(terminals[1]) == {"r": "double"}
    service.clock.advance(5 * 86_400)
    assert service.bureau.kernel.sweep()["device_credentials"] > 0
    assert handed_in(terminals[2]) == {"r": "double"}
    assert len(pairs_of(service)) == 2


def test_a_late_record_of_a_day_that_is_forgotten_is_told_to_be_late(
    ward: Ward, phone: Phone
) -> None:
    terminal, service = ward.cut_off(), ward.service
    assert terminal.reason(phone.show(service.clock()), request_id="r") == "accepted"
    service.clock.advance(5 * 86_400)
    service.bureau.kernel.sweep()
    assert handed_in(terminal) == {"r": "late"}


def test_a_code_under_a_key_that_was_revoked_since_is_flagged(ward: Ward, phone: Phone) -> None:
    terminal, service = ward.cut_off(), ward.service
    assert terminal.reason(phone.show(service.clock()), request_id="r") == "accepted"
    service.bureau.decide(
        RevokeIssuerKey(KeyPurpose.DEVICE_CREDENTIAL, KEY_NUMBER, RevocationCause.LEAKED),
        service.bureau.administrator,
    )
    assert back(terminal) == {"r": "key_revoked"}


def test_what_was_handed_in_is_spent_online_too(ward: Ward) -> None:
    offline, online, service = ward.cut_off(), ward.terminal(), ward.service
    text = service.mint()
    assert offline.reason(text) == "accepted"
    back(offline)
    assert online.reason(text) == "already_used"


def test_every_double_of_many_is_found(ward: Ward, phone: Phone) -> None:
    service, terminals = ward.service, [ward.cut_off() for _ in range(3)]
    shown = [phone.show(service.clock()) for _ in range(12)]
    for number, text in enumerate(shown):
        # 12 codes: the first 6 at all three, the next 3 at two of them, the rest at one.
        for terminal in terminals[: 3 if number < 6 else 2 if number < 9 else 1]:
            assert terminal.reason(text) == "accepted"
    outcomes = [list(back(terminal).values()) for terminal in terminals]
    assert [one.count("double") for one in outcomes] == [0, 9, 6]
    assert len(pairs_of(service)) == 15


def test_an_upload_whose_answer_was_lost_is_repeated_and_nothing_doubles(
    ward: Ward, phone: Phone
) -> None:
    terminal, service = ward.cut_off(), ward.service
    text = phone.show(service.clock())
    assert terminal.reason(text, request_id="r1") == "accepted"
    terminal.network.is_up = True
    (record,) = terminal.journal.pending(1)
    terminal.network.loses_answers = True
    with pytest.raises(OutcomeUnknownError):
        terminal.client.upload([record])
    assert terminal.restarted().journal.pending(1) == [record]
    terminal.network.loses_answers = False
    assert back(terminal) == {"r1": "confirmed"}
    assert terminal.client.upload([record]) == {"r1": "confirmed"}
    assert pairs_of(service) == []


def test_a_loss_before_the_scan_is_told_from_one_after(ward: Ward, phone: Phone) -> None:
    terminal, service = ward.cut_off(), ward.service
    assert terminal.reason(phone.show(service.clock()), request_id="before") == "accepted"
    service.clock.advance(100)
    service.bureau.perform(ReportTemporaryLoss(service.person.card_id), service.person.actor)
    service.clock.advance(100)
    # The list on this terminal does not know of it yet.
    assert terminal.reason(phone.show(service.clock()), request_id="after") == "accepted"
    assert back(terminal) == {"before": "confirmed", "after": "card_was_lost"}


def test_a_loss_reaches_a_connected_terminal_with_the_next_round(ward: Ward, phone: Phone) -> None:
    terminal, service = ward.terminal(), ward.service
    service.bureau.perform(ReportTemporaryLoss(service.person.card_id), service.person.actor)
    service.clock.advance(15)
    publisher_of(service.bureau).round()
    service.clock.advance(30)
    terminal.rounds.round()
    terminal.network.is_up = False
    assert terminal.reason(phone.show(service.clock())) == "card_lost"
    assert terminal.restarted().reason(phone.show(service.clock())) == "card_lost"


def test_a_record_is_worth_its_terminals_signature(ward: Ward, phone: Phone) -> None:
    terminal, service = ward.terminal(), ward.service
    record = OfflineRecord(
        terminal.device.serial_number,
        1,
        service.clock().replace(microsecond=0),
        "01101",
        None,
        "r1",
        phone.show(service.clock()),
    )
    stranger = sm2.PrivateKey.generate().sign(record.to_be_signed())
    assert terminal.client.upload([Accepted(record, stranger)]) == {"r1": "not_genuine"}
    # A code that does not hold is refused, whoever signed the record.
    text = record.code[:-1] + str(9 - int(record.code[-1]))
    bad = replace(record, request_id="r2", code=text)
    signature = terminal.device.key.sign(bad.to_be_signed())
    assert terminal.client.upload([Accepted(bad, signature)]) == {"r2": "refused"}
    assert pairs_of(service) == []
    # Neither spent anything: the code is good for its first genuine record.
    genuine = replace(record, request_id="r3")
    signature = terminal.device.key.sign(genuine.to_be_signed())
    assert terminal.client.upload([Accepted(genuine, signature)]) == {"r3": "confirmed"}


def test_each_record_of_an_upload_is_judged_by_its_own_signature(ward: Ward, phone: Phone) -> None:
    """Also one from before the terminal's key was changed; a forged one spoils no other."""
    terminal, service = ward.terminal(), ward.service
    old, new, stranger = terminal.device.key, *(sm2.PrivateKey.generate() for _ in range(2))
    points = [one.public_key().to_bytes(compressed=True) for one in (old, new)]
    known = service.registry.find(terminal.device.serial_number)
    assert known is not None
    rotated = RotateTerminalKey(points[1], points[0])
    service.bureau.perform(rotated, terminal_actor(known.terminal))
    terminal.device.key = new
    service.registry.refresh()
    records = [
        OfflineRecord(
            terminal.device.serial_number,
            number,
            service.clock().replace(microsecond=0),
            "01101",
            None,
            f"r{number}",
            phone.show(service.clock()),
        )
        for number in range(1, 12)
    ]
    signers = [(old, stranger, new)[number % 3] for number in range(11)]
    signed = [one.sign(record.to_be_signed()) for one, record in zip(signers, records, strict=True)]
    answers = terminal.client.upload(list(map(Accepted, records, signed)))
    assert list(answers.values()) == [
        "not_genuine" if one is stranger else "confirmed" for one in signers
    ]


def test_nothing_of_a_code_is_in_clear_on_the_disk(ward: Ward, phone: Phone) -> None:
    terminal = ward.cut_off()
    text = phone.show(ward.service.clock())
    assert terminal.reason(text) == "accepted"
    device_key = phone.credentials[min(phone.credentials)][16:49]
    hidden = (text.encode(), text[100:200].encode(), device_key, sm3.digest(text.encode()))
    for path in terminal.folder.iterdir():
        data = path.read_bytes()
        assert not any(one in data for one in hidden), path.name
