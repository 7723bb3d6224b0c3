"""Terminals with no network: what they accept, what they refuse, and what they say of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from offline_rig import OfflineTerminal, Ward, back
from phone import Phone, publisher_of
from scan_service import ScanService

from card_core.business_types import ALL_PURPOSES
from card_core.codes import (
    DeviceCredential,
    ForWhom,
    KeyPurpose,
    PurposeClass,
    assemble_credential,
    key_name,
)
from card_core.kernel.acts.institutions import SuspendTerminal
from card_core.kernel.acts.status import SetOfflinePolicy
from scan_api.terminal import OutcomeUnknownError, RequestRefusedError, ServiceAwayError

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


def test_a_credential_of_a_family_members_is_told_as_such(ward: Ward, phone: Phone) -> None:
    """The flag is in the format; nobody issues such credentials yet."""
    bureau, day = ward.service.bureau, min(phone.credentials)
    signer = bureau.keys.make(key_name(KeyPurpose.DEVICE_CREDENTIAL, bureau.issuer, 1))
    credential = DeviceCredential(
        issuer=bureau.issuer,
        key_number=1,
        expires_at=day,
        purpose_class=PurposeClass.IDENTIFY_ONLY,
        purposes=ALL_PURPOSES,
        status_index=5,
        device_key=phone.keys[day].public_key().to_bytes(compressed=True),
        for_whom=ForWhom.FAMILY,
    )
    message = credential.to_be_signed()
    phone.credentials[day] = assemble_credential(message, signer.sign(message))
    verdict = ward.cut_off().scan(phone.show(ward.service.clock()))
    assert (verdict["outcome"], verdict["for_whom"]) == ("accepted", "family")


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
    refused = back_then.scan(text)
    assert refused["reason"] == "clock_set_back"
    assert "7200 s behind" in refused["text_en"]
    assert "慢 7200 秒" in refused["text_zh"]
    back_then.network.is_up = True
    back_then.rounds.round()
    back_then.network.is_up = False
    assert back_then.reason(phone.show(clock())) == "accepted"


@pytest.mark.parametrize("error", [-400.0, 400.0])
def test_a_terminal_whose_clock_goes_wrong_asks_again_by_the_right_time(
    ward: Ward, error: float
) -> None:
    terminal = ward.terminal().restarted(wall_error=error)
    terminal.clock.learn(terminal.service.clock().timestamp() + error)
    verdict = terminal.scan(ward.service.mint())
    assert (verdict["outcome"], verdict["offline"]) == ("accepted", False)
    assert terminal.network.asked[-2:] == ["/v1/scans", "/v1/scans"]
    assert terminal.clock.timestamp() == int(terminal.service.clock().timestamp())


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


@pytest.mark.parametrize(("amount_fen", "paid"), [(1, 3), (400, 2)])
def test_of_payments_that_race_no_more_are_taken_than_the_caps_allow(
    ward: Ward, phone: Phone, amount_fen: int, paid: int
) -> None:
    consuming(ward.service, 3, 1000)
    terminal = ward.cut_off()
    texts = [payment(phone, ward.service) for _ in range(12)]
    with ThreadPoolExecutor(len(texts)) as pool:
        reasons = list(
            pool.map(lambda text: terminal.reason(text, "01301", amount_fen=amount_fen), texts)
        )
    assert (reasons.count("accepted"), reasons.count("offline_limit_reached")) == (paid, 12 - paid)


def test_what_the_issuer_takes_back_ends_with_the_next_bundle(ward: Ward, phone: Phone) -> None:
    service = ward.service
    consuming(service, 3, 1000)
    terminal = ward.terminal()
    terminal.network.is_up = False
    assert terminal.reason(payment(phone, service), "01301", amount_fen=1) == "accepted"
    service.bureau.decide(SetOfflinePolicy(False, 0, 0), service.bureau.administrator)
    publisher_of(service.bureau).round()
    assert set(back(terminal).values()) == {"confirmed"}
    terminal.network.is_up = False
    refused = terminal.reason(payment(phone, service), "01301", amount_fen=1)
    assert refused == "offline_not_allowed"


def test_nothing_is_consumed_beyond_the_hard_age_of_the_list(ward: Ward, phone: Phone) -> None:
    service = ward.service
    midnight, tomorrow = sorted(phone.credentials)
    service.clock.now = midnight - timedelta(hours=5)
    consuming(service, 3, 1000)
    terminal = ward.cut_off()
    service.clock.now = terminal.carried.view.lists[1, tomorrow].head.usable_until

    def pay() -> str:
        how = {"purposes": ALL_PURPOSES, "purpose_class": PurposeClass.ANY_USE}
        text = phone.show(service.clock(), day=tomorrow, **how)
        return terminal.reason(text, "01301", amount_fen=1)

    assert pay() == "accepted"
    service.clock.advance(1)
    assert pay() == "list_expired"
