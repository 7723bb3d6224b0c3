"""Terminals with no network, from the bundle on disk to the pair that the bureau is told of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from bureau import Bureau
from offline_rig import OfflineTerminal
from phone import Phone, publisher_of, registered_phone, with_offline_keys
from scan_service import HOSPITAL_CODE, ScanService

from card_core.business_types import ALL_PURPOSES
from card_core.codes import PurposeClass
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.acts.institutions import SuspendTerminal
from card_core.kernel.acts.status import SetOfflinePolicy
from card_core.offline_records import OfflineRecord
from card_core.store import audit, institutions, offline_scans, outbox, scans
from card_core.store.offline_scans import Pair
from crypto import sm2, sm3
from scan_api.terminal import OutcomeUnknownError, RequestRefusedError, ServiceAwayError
from scan_api.terminal.journal import Accepted

MakeTerminal = Callable[[], OfflineTerminal]


@pytest.fixture
def service(bureau: Bureau) -> Iterator[ScanService]:
    with_offline_keys(bureau)
    service = ScanService(bureau)
    publisher_of(bureau).round()
    yield service
    service.services.writer.stop()


@pytest.fixture
def phone(service: ScanService) -> Phone:
    return registered_phone(service.bureau, service.person, days=2)


@dataclass
class Ward:
    """Makes terminals of the hospital, each with a disk of its own, that were online once."""

    service: ScanService
    path: Path
    made: int = 0

    def terminal(self) -> OfflineTerminal:
        self.made += 1
        device = self.service.hospital
        if self.made > 1:
            device = self.service.enrol(HOSPITAL_CODE, 0xD0 + self.made)
        folder = self.path / f"terminal-{self.made}"
        folder.mkdir()
        terminal = OfflineTerminal(self.service, device, folder)
        terminal.rounds.round()
        return terminal

    def cut_off(self) -> OfflineTerminal:
        terminal = self.terminal()
        terminal.network.is_up = False
        return terminal


@pytest.fixture
def ward(service: ScanService, tmp_path: Path) -> Ward:
    return Ward(service, tmp_path)


def pairs_of(service: ScanService) -> list[Pair]:
    with service.bureau.store.read() as tx:
        return offline_scans.pairs(tx)


def serial_of(service: ScanService, terminal_id: str) -> bytes:
    with service.bureau.store.read() as tx:
        found = institutions.get_terminal(tx, terminal_id)
    assert found is not None
    return found.serial_number


def back(terminal: OfflineTerminal) -> dict[str, str]:
    """The network is back; what became of everything that was ever handed in."""
    terminal.network.is_up = True
    terminal.rounds.round()
    assert terminal.journal.pending(64) == []
    return terminal.journal.outcomes()


# ---- with no network


def test_an_offline_code_is_accepted_once_with_no_network(ward: Ward, phone: Phone) -> None:
    terminal = ward.cut_off()
    text = phone.show(ward.service.clock())
    verdict = terminal.scan(text)
    assert (verdict["outcome"], verdict["offline"], verdict["degraded"]) == (
        "accepted",
        True,
        False,
    )
    assert verdict["holder"] is None
    assert verdict["list_age_seconds"] == 0
    assert "not seen here" in verdict["text_en"]
    assert "unused" not in verdict["text_en"]
    assert terminal.reason(text) == "already_used"
    # A new process on the same disk, after an end that wrote nothing.
    assert terminal.restarted().reason(text) == "already_used"


def test_an_online_code_is_accepted_once_with_no_network(ward: Ward) -> None:
    terminal = ward.cut_off()
    text = ward.service.mint()
    assert terminal.reason(text) == "accepted"
    assert terminal.restarted().reason(text) == "already_used"
    assert terminal.reason(text[:-1] + str(9 - int(text[-1]))) == "bad_signature"


def test_the_same_request_gets_the_same_yes(ward: Ward, phone: Phone) -> None:
    terminal = ward.cut_off()
    text = phone.show(ward.service.clock())
    first = terminal.scan(text, request_id="r1")
    ward.service.clock.advance(200)
    again = terminal.restarted().scan(text, request_id="r1")
    assert (again["outcome"], again["scanned_at"]) == ("accepted", first["scanned_at"])
    assert terminal.reason(phone.show(ward.service.clock()), request_id="r1") != "accepted"
    assert terminal.journal.count_pending() == 1


def test_a_code_signed_anew_under_its_nonce_is_the_same_code(ward: Ward, phone: Phone) -> None:
    terminal, now = ward.cut_off(), ward.service.clock()
    assert terminal.reason(phone.show(now, nonce=bytes(8))) == "accepted"
    assert terminal.reason(phone.show(now, nonce=bytes(8), purposes=ALL_PURPOSES)) == "already_used"
    assert terminal.reason(phone.show(now, nonce=bytes(7) + b"\x01")) == "accepted"


def test_a_list_of_the_day_of_the_code_is_needed(ward: Ward, phone: Phone) -> None:
    terminal = ward.cut_off()
    clock = ward.service.clock
    clock.advance(301)
    stale = terminal.scan(phone.show(clock()))
    assert (stale["outcome"], stale["degraded"], stale["list_age_seconds"]) == (
        "accepted",
        True,
        301,
    )
    clock.advance(86_400 - 301)
    assert terminal.reason(phone.show(clock())) == "list_missing"


def test_beyond_its_hard_age_a_list_decides_nothing(
    service: ScanService, ward: Ward, phone: Phone
) -> None:
    midnight, tomorrow = sorted(phone.credentials)
    # Tomorrow's list is fetched in the evening, and grows too old before tomorrow ends.
    service.clock.now = midnight - timedelta(hours=5)
    publisher_of(service.bureau).round()
    terminal = ward.cut_off()
    service.clock.now = terminal.carried.view.lists[1, tomorrow].head.usable_until
    assert terminal.reason(phone.show(service.clock(), day=tomorrow)) == "accepted"
    service.clock.advance(1)
    verdict = terminal.scan(phone.show(service.clock(), day=tomorrow))
    assert (verdict["reason"], verdict["list_age_seconds"]) == ("list_expired", 86_401)
    assert terminal.restarted().reason(phone.show(service.clock(), day=tomorrow)) == "list_expired"


def test_beyond_its_hard_age_a_bundle_decides_nothing(ward: Ward) -> None:
    terminal, clock = ward.cut_off(), ward.service.clock
    assert terminal.carried.view.bundle is not None
    clock.now = terminal.carried.view.bundle.head.usable_until
    verdict = terminal.scan(ward.service.mint())
    assert (verdict["outcome"], verdict["degraded"]) == ("accepted", True)
    clock.advance(1)
    assert terminal.reason(ward.service.mint()) == "bundle_expired"


def test_over_midnight_the_neighbours_list_serves(
    service: ScanService, ward: Ward, phone: Phone
) -> None:
    (midnight, *_) = phone.credentials
    service.clock.now = midnight - timedelta(minutes=10)
    publisher_of(service.bureau).round()
    terminal = ward.cut_off()
    assert terminal.reason(phone.show(service.clock())) == "accepted"
    service.clock.now = midnight + timedelta(minutes=10)
    assert terminal.reason(phone.show(service.clock())) == "accepted"


def test_a_terminal_that_never_was_online_says_no(
    service: ScanService, phone: Phone, tmp_path: Path
) -> None:
    terminal = OfflineTerminal(service, service.hospital, tmp_path / "new")
    terminal.network.is_up = False
    assert terminal.reason(phone.show(service.clock())) == "nothing_carried"
    with pytest.raises(ServiceAwayError):
        terminal.counter.describe()


@pytest.mark.parametrize("name", ["bundle", "list-*"])
def test_what_was_changed_on_disk_is_as_good_as_absent(ward: Ward, phone: Phone, name: str) -> None:
    terminal = ward.cut_off()
    (path,) = terminal.folder.glob(name)
    data = bytearray(path.read_bytes())
    data[-70] ^= 1
    path.write_bytes(data)
    text = phone.show(ward.service.clock())
    assert terminal.restarted().reason(text) in {"nothing_carried", "list_missing"}


def test_only_what_the_service_offered_is_scanned_for(ward: Ward, phone: Phone) -> None:
    terminal = ward.cut_off()
    text = phone.show(ward.service.clock(), purposes=ALL_PURPOSES)
    assert terminal.reason(text, "02121") == "business_type_not_here"
    assert terminal.reason("7" * 28) == "needs_network"
    assert terminal.reason("7406") == "malformed"


def test_a_suspended_terminal_stops_by_itself(ward: Ward, phone: Phone) -> None:
    terminal = ward.terminal()
    service = ward.service
    service.bureau.perform(SuspendTerminal(terminal.device.serial_number), service.bureau.maker)
    service.registry.refresh()
    with pytest.raises(RequestRefusedError):
        terminal.rounds.round()
    terminal.network.is_up = False
    text = phone.show(service.clock())
    assert terminal.restarted().reason(text) == "business_type_not_here"


# ---- clocks


def test_a_phone_that_is_fast_is_told_by_how_much(ward: Ward, phone: Phone) -> None:
    terminal, now = ward.cut_off(), ward.service.clock()
    fast = terminal.scan(phone.show(now + timedelta(seconds=74)))
    assert fast["reason"] == "not_yet_valid"
    assert fast["text_en"] == "This phone is 74 s fast"
    assert fast["text_zh"] == "此手机的时钟快 74 秒"
    slow = terminal.scan(phone.show(now - timedelta(seconds=95)))
    assert (slow["reason"], slow["phone_clock_seconds"]) == ("expired", -95)
    assert terminal.reason(phone.show(now + timedelta(seconds=30))) == "accepted"


@pytest.mark.parametrize("error", [-7200.0, 74.0, 7200.0])
def test_a_terminals_wrong_clock_is_put_right_by_the_service(
    ward: Ward, phone: Phone, error: float
) -> None:
    terminal = ward.terminal().restarted(wall_error=error)
    terminal.rounds.round()
    terminal.network.is_up = False
    verdict = terminal.scan(phone.show(ward.service.clock()))
    assert (verdict["outcome"], verdict["clock_offset_seconds"]) == ("accepted", -error)
    # After a start with no network the offset that was learnt still holds.
    assert terminal.restarted(wall_error=error).reason(phone.show(ward.service.clock())) == (
        "accepted"
    )


def test_a_clock_set_back_with_no_network_is_noticed(ward: Ward, phone: Phone) -> None:
    terminal = ward.cut_off()
    clock = ward.service.clock
    text = phone.show(clock())
    clock.advance(7200)
    terminal.journal.keep_time(terminal.clock.to_keep())
    back_then = terminal.restarted(wall_error=-7200)
    assert back_then.reason(text) == "clock_set_back"
    back_then.network.is_up = True
    back_then.rounds.round()
    back_then.network.is_up = False
    assert back_then.reason(phone.show(clock())) == "accepted"


# ---- failing over


def test_online_first_and_offline_when_the_service_is_away(ward: Ward) -> None:
    terminal, service = ward.terminal(), ward.service
    assert terminal.scan(service.mint())["offline"] is False
    terminal.network.is_up = False
    assert terminal.scan(service.mint())["offline"] is True
    terminal.network.is_up = True
    terminal.rounds.round()
    assert terminal.scan(service.mint())["offline"] is False
    assert terminal.counter.describe()["offline"] is False


def test_a_code_whose_outcome_is_unknown_gets_no_yes_here(ward: Ward) -> None:
    terminal, service = ward.terminal(), ward.service
    text = service.mint()
    terminal.network.loses_answers = True
    with pytest.raises(OutcomeUnknownError):
        terminal.scan(text, request_id="r1")
    terminal.network.is_up = False
    for one in (terminal, terminal.restarted()):
        assert one.reason(text, request_id="r2") == "outcome_unknown"
        with pytest.raises(OutcomeUnknownError):
            one.scan(text, request_id="r1")
    assert terminal.journal.count_pending() == 0
    # Another code is judged, and the same question gets its answer when the service is back.
    assert terminal.reason(service.mint()) == "accepted"
    terminal.network.is_up, terminal.network.loses_answers = True, False
    terminal.rounds.round()
    assert terminal.scan(text, request_id="r1")["outcome"] == "accepted"


def test_a_question_that_never_left_leaves_no_doubt(ward: Ward) -> None:
    terminal = ward.cut_off()
    assert terminal.reason(ward.service.mint()) == "accepted"


def test_what_was_accepted_online_here_is_not_accepted_offline_here(ward: Ward) -> None:
    terminal = ward.terminal()
    text = ward.service.mint()
    assert terminal.reason(text) == "accepted"
    terminal.network.is_up = False
    assert terminal.reason(text) == "already_used"


def test_what_was_accepted_offline_here_is_not_sent_to_the_service_again(ward: Ward) -> None:
    terminal = ward.cut_off()
    text = ward.service.mint()
    assert terminal.reason(text) == "accepted"
    terminal.network.is_up = True
    ward.service.clock.advance(11)
    terminal.network.asked.clear()
    assert terminal.reason(text) == "already_used"
    assert "/v1/scans" not in terminal.network.asked


# ---- consuming


def consuming(service: ScanService, count_max: int, amount_fen_max: int) -> None:
    service.bureau.decide(
        SetOfflinePolicy(True, count_max, amount_fen_max), service.bureau.administrator
    )
    service.clock.advance(60)
    publisher_of(service.bureau).round()


def payment(phone: Phone, service: ScanService) -> str:
    return phone.show(service.clock(), purposes=ALL_PURPOSES, purpose_class=PurposeClass.ANY_USE)


def test_nothing_is_consumed_offline_unless_the_issuer_lets_it(ward: Ward, phone: Phone) -> None:
    terminal = ward.cut_off()
    text = payment(phone, ward.service)
    assert terminal.reason(text, "01301", amount_fen=100) == "offline_not_allowed"


def test_caps_are_exact_and_last_until_records_are_handed_in(ward: Ward, phone: Phone) -> None:
    service = ward.service
    consuming(service, 3, 1000)
    terminal = ward.cut_off()

    def pay(amount_fen: int | None) -> str:
        anew = terminal.restarted()
        return anew.reason(payment(phone, service), "01301", amount_fen=amount_fen)

    assert pay(None) == "amount_needed"
    assert pay(1001) == "offline_limit_reached"
    assert [pay(500), pay(501), pay(500), pay(1)] == [
        "accepted",
        "offline_limit_reached",
        "accepted",
        "offline_limit_reached",
    ]
    # Identifying goes on, and an online code consumes nothing here.
    assert terminal.reason(phone.show(service.clock())) == "accepted"
    assert terminal.reason(service.mint(), "01301", amount_fen=1) == "offline_not_allowed"
    assert set(back(terminal).values()) == {"confirmed"}
    terminal.network.is_up = False
    assert [pay(1), pay(1), pay(1), pay(1)] == ["accepted"] * 3 + ["offline_limit_reached"]


# ---- handing in


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


def test_nothing_of_a_code_is_in_clear_on_the_disk(ward: Ward, phone: Phone) -> None:
    terminal = ward.cut_off()
    text = phone.show(ward.service.clock())
    assert terminal.reason(text) == "accepted"
    device_key = phone.credentials[min(phone.credentials)][16:49]
    hidden = (text.encode(), text[100:200].encode(), device_key, sm3.digest(text.encode()))
    for path in terminal.folder.iterdir():
        data = path.read_bytes()
        assert not any(one in data for one in hidden), path.name
