"""Recording a scan: card state decides, then the nonce is spent once, and all of it is recorded."""

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from bureau import BOX_WRAP_KEY, ISSUER, KEY_NUMBER, Bureau, Person
from sqlalchemy import func, select, update

from card_core import business_types, codes
from card_core.business_types import HolderView
from card_core.codes import CheckedCode, CodeKind
from card_core.errors import InvalidActError, NotAllowedError, TamperedRowError
from card_core.identity import mask_name, mask_number
from card_core.kernel import Answer, BoxKeyWrap
from card_core.kernel.acts.cards import ReportTemporaryLoss, WithdrawTemporaryLoss
from card_core.kernel.acts.enrolment import RevokeTerminalKeys
from card_core.kernel.acts.institutions import SuspendInstitution, SuspendTerminal
from card_core.kernel.dates import SHANGHAI
from card_core.kernel.judging import reason_of_card
from card_core.kernel.scan_requests import ScanRequest
from card_core.presenting import Presenter
from card_core.states import CardState, ECardState
from card_core.store import cards, guarded, scans, schema
from card_core.verdicts import Reason
from crypto import sm3


def mint(bureau: Bureau, person: Person) -> str:
    return bureau.minter.mint(person.holder_id).text


def spent_count(bureau: Bureau) -> int:
    with bureau.store.read() as tx:
        count: int = tx.connection.execute(select(func.count()).select_from(schema.spent)).scalar()
    return count


def record(bureau: Bureau, checked: CheckedCode) -> Answer:
    """A scan of a code whose check said this."""
    presented = Presenter(bureau.store, BoxKeyWrap(BOX_WRAP_KEY)).present(checked)
    request = ScanRequest(
        bureau.hospital.id,
        bureau.hospital.institution_id,
        bureau.request_id(),
        "01101",
        sm3.digest(bureau.request_id().encode()),
        presented=presented,
        refusal=None if presented else Reason.UNKNOWN_CARD,
    )
    return bureau.record(request)


def test_a_code_is_accepted_once_wherever_it_is_shown_again(bureau: Bureau) -> None:
    person = bureau.person()
    text = mint(bureau, person)
    accepted = bureau.scan(text)
    assert (accepted["outcome"], accepted["reason"]) == ("accepted", "accepted")
    for terminal, business_type in ((bureau.hospital, "01101"), (bureau.pharmacy, "02121")):
        again = bureau.scan(text, terminal, business_type)
        assert (again["outcome"], again["reason"]) == ("refused", "already_used")
        assert again["holder"] is None
    assert bureau.scan(mint(bureau, person))["outcome"] == "accepted"


REASON_BY_CARD_STATE = {
    CardState.NOT_ACTIVATED: Reason.CARD_NOT_ACTIVE,
    CardState.SEALED: Reason.CARD_NOT_ACTIVE,
    CardState.FORMAL_LOSS: Reason.CARD_LOST,
    CardState.TEMPORARY_LOSS: Reason.CARD_LOST,
    CardState.LOCKED: Reason.CARD_LOCKED,
    CardState.CANCELLED: Reason.CARD_CANCELLED,
}
REASON_BY_ECARD_STATE = {
    ECardState.NOT_ACTIVATED: Reason.CARD_NOT_ACTIVE,
    ECardState.SUSPENDED: Reason.CARD_LOCKED,
    ECardState.CANCELLED: Reason.CARD_CANCELLED,
}


def test_a_card_in_any_other_state_is_refused_and_spends_nothing(bureau: Bureau) -> None:
    assert set(REASON_BY_CARD_STATE) == set(CardState) - {CardState.NORMAL}
    person = bureau.person()
    text = mint(bureau, person)
    for state, reason in REASON_BY_CARD_STATE.items():
        with bureau.store.write() as tx:
            guarded.change(tx, schema.cards, person.card_id, state=state.value)
        answer = bureau.scan(text)
        assert answer["reason"] == reason.value
        assert answer["card_state"] == state.value
        assert answer["holder"] is None
    assert spent_count(bureau) == 0
    with bureau.store.write() as tx:
        guarded.change(tx, schema.cards, person.card_id, state=CardState.NORMAL.value)
    assert bureau.scan(text)["outcome"] == "accepted"


def test_an_ecard_in_any_other_state_is_refused_and_spends_nothing(bureau: Bureau) -> None:
    assert set(REASON_BY_ECARD_STATE) == set(ECardState) - {ECardState.ACTIVE}
    person = bureau.person()
    text = mint(bureau, person)
    for state, reason in REASON_BY_ECARD_STATE.items():
        with bureau.store.write() as tx:
            ecard = cards.ecard_of(tx, person.card_id)
            guarded.change(tx, schema.ecards, ecard.id, state=state.value)
        assert bureau.scan(text)["reason"] == reason.value
    assert spent_count(bureau) == 0


def test_a_code_is_refused_from_the_report_of_a_loss_to_its_withdrawal(bureau: Bureau) -> None:
    person = bureau.person()
    text = mint(bureau, person)
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    assert bureau.scan(text)["reason"] == "card_lost"
    bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)
    assert bureau.scan(text)["outcome"] == "accepted"


def checked_code(bureau: Bureau, person: Person) -> CheckedCode:
    return bureau.checked(mint(bureau, person), bureau.hospital, "01101")


def test_a_code_that_waited_for_its_turn_until_it_expired_is_refused(bureau: Bureau) -> None:
    person = bureau.person()
    in_time, late = checked_code(bureau, person), checked_code(bureau, person)
    bureau.clock.advance(65.9)
    assert record(bureau, in_time)["reason"] == "accepted"
    bureau.clock.advance(0.1)
    assert record(bureau, late)["reason"] == "expired"


def test_a_card_is_served_to_its_last_day_in_shanghai_and_no_longer(bureau: Bureau) -> None:
    with bureau.store.read() as tx:
        card = cards.get(tx, bureau.person().card_id)
        assert card is not None
        ecard = cards.ecard_of(tx, card.id)
    last = datetime.combine(card.expires_on, time(23, 59, 59), SHANGHAI)
    assert reason_of_card(card, ecard, last) is None
    assert reason_of_card(card, ecard, last + timedelta(seconds=1)) is Reason.CARD_EXPIRED


def test_a_box_that_names_no_ecard_is_an_unknown_card(bureau: Bureau) -> None:
    person = bureau.person()
    checked = checked_code(bureau, person)
    answer = record(bureau, checked._replace(box=bytes(16)))
    assert (answer["reason"], answer["card_state"]) == ("unknown_card", None)


def test_a_code_of_a_day_without_a_key_is_an_unknown_card(bureau: Bureau) -> None:
    checked = checked_code(bureau, bureau.person())
    other_day = checked._replace(minted_at=checked.minted_at + timedelta(days=1))
    assert record(bureau, other_day)["reason"] == "unknown_card"


def test_another_trusted_issuer_can_name_none_of_our_cards(bureau: Bureau) -> None:
    checked = checked_code(bureau, bureau.person())
    assert record(bureau, checked._replace(issuer=ISSUER + 1))["reason"] == "unknown_card"
    assert record(bureau, checked)["outcome"] == "accepted"


def test_an_offline_code_names_no_registered_device(bureau: Bureau) -> None:
    offline = CheckedCode(
        kind=CodeKind.OFFLINE,
        issuer=ISSUER,
        key_number=KEY_NUMBER,
        minted_at=bureau.clock(),
        purpose_class=codes.PurposeClass.IDENTIFY_ONLY,
        purposes=business_types.ALL_PURPOSES,
        for_whom=codes.ForWhom.SELF,
        presence=codes.Presence.PLAIN,
        terminal=codes.ANY_TERMINAL,
        amount_fen=0,
        box=None,
        nonce=bytes(8),
        device_key=bytes(33),
        status_index=1,
        credential_expires_at=bureau.clock() + timedelta(hours=1),
    )
    assert record(bureau, offline)["reason"] == "unknown_card"


def test_a_refused_code_is_recorded_with_its_reason_and_nobody(bureau: Bureau) -> None:
    request = ScanRequest(
        bureau.hospital.id,
        bureau.hospital.institution_id,
        bureau.request_id(),
        "01101",
        sm3.digest(b"rubbish"),
        refusal=Reason.BAD_SIGNATURE,
        operator="柜员 7",
        department="内科",
    )
    answer = bureau.record(request)
    assert (answer["outcome"], answer["reason"]) == ("refused", "bad_signature")
    with bureau.store.read() as tx:
        (scan,) = scans.of_terminal(tx, bureau.hospital.id)
    assert (scan.id, scan.reason, scan.holder_id) == (answer["scan_id"], "bad_signature", None)
    assert (scan.operator, scan.department) == ("柜员 7", "内科")


def test_a_scan_shows_what_its_business_type_allows_and_no_more(bureau: Bureau) -> None:
    person = bureau.person()
    full = {"name": person.name, "social_security_number": person.number}
    masked = {"name": mask_name(person.name), "social_security_number": mask_number(person.number)}
    nothing = {"name": None, "social_security_number": None}
    expected = {HolderView.FULL: full, HolderView.MASKED: masked, HolderView.YES_NO: nothing}
    seen = set()
    for business_type in business_types.ALL:
        text = mint(bureau, person)
        for place, terminal in (("hospital", bureau.hospital), ("pharmacy", bureau.pharmacy)):
            if business_type.is_offered_at(place):
                shown = bureau.scan(text, terminal, business_type.code)["holder"]
                view = business_type.view
                name_and_number = {field: shown.get(field) for field in full}
                assert (shown["view"], name_and_number) == (view, expected[view])
                seen.add(view)
                break
            with pytest.raises(NotAllowedError):
                bureau.scan(text, terminal, business_type.code)
    assert seen >= {HolderView.FULL, HolderView.MASKED}


def test_a_business_type_of_another_kind_of_place_is_not_allowed(bureau: Bureau) -> None:
    text = mint(bureau, bureau.person())
    for terminal, business_type in ((bureau.pharmacy, "01101"), (bureau.hospital, "02121")):
        with pytest.raises(NotAllowedError):
            bureau.scan(text, terminal, business_type)
    assert spent_count(bureau) == 0


def test_a_terminal_scans_for_itself_and_at_its_own_institution(bureau: Bureau) -> None:
    text = mint(bureau, bureau.person())
    request = bureau.scan_request(text, bureau.hospital)
    for elsewhere in (
        replace(request, terminal_id=bureau.pharmacy.id),
        replace(request, institution_id=bureau.pharmacy.institution_id),
    ):
        with pytest.raises(NotAllowedError):
            bureau.record(elsewhere)
    assert spent_count(bureau) == 0


def test_a_suspended_institution_or_terminal_scans_no_more(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.perform(SuspendInstitution("H44060400001"), bureau.maker)
    with pytest.raises(NotAllowedError):
        bureau.scan(mint(bureau, person))
    bureau.perform(SuspendTerminal(bureau.pharmacy.serial_number), bureau.checker)
    with pytest.raises(NotAllowedError):
        bureau.scan(mint(bureau, person), bureau.pharmacy, "02121")


def test_a_key_that_was_ended_while_the_scan_waited_records_none(bureau: Bureau) -> None:
    text = mint(bureau, bureau.person())
    asked = bureau.scan_request(text, public_key=bureau.hospital.public_key)
    for other in (bureau.pharmacy.public_key, bytes(33)):
        with pytest.raises(NotAllowedError):
            bureau.record(replace(asked, public_key=other))
    by_its_own = bureau.record(replace(asked, request_id=bureau.request_id()))
    assert by_its_own["outcome"] == "accepted"
    bureau.perform(RevokeTerminalKeys(bureau.hospital.serial_number), bureau.checker)
    with pytest.raises(NotAllowedError):
        bureau.record(asked)


def test_nobody_but_a_terminal_records_a_scan(bureau: Bureau) -> None:
    request = bureau.scan_request(mint(bureau, bureau.person()))
    with pytest.raises(NotAllowedError):
        bureau.record(replace(request, terminal_id=bureau.maker.id))


def test_a_box_key_put_back_from_another_day_is_refused(bureau: Bureau) -> None:
    text = mint(bureau, bureau.person())
    bureau.clock.advance(24 * 3600)
    later = bureau.minter.mint(bureau.person().holder_id).text
    table = schema.code_box_keys
    with bureau.store.write() as tx:
        first, second = tx.connection.execute(select(table).order_by(table.c.day)).all()
        tx.connection.execute(
            update(table).where(table.c.day == second.day).values(wrapped=first.wrapped)
        )
    with pytest.raises(TamperedRowError):
        bureau.scan(later)
    assert text != later


def test_a_scan_out_of_its_limits_is_refused(bureau: Bureau) -> None:
    request = bureau.scan_request(mint(bureau, bureau.person()))
    for wrong in (
        {"refusal": Reason.EXPIRED},
        {"presented": None},
        {"presented": None, "refusal": Reason.ACCEPTED},
        {"shown_digest": b"short"},
        {"business_type": "99999"},
        {"amount_fen": -1},
        {"amount_fen": 1 << 24},
        {"operator": "x" * 65},
        {"operator": "a\x00b"},
        {"department": " 内科"},
    ):
        with pytest.raises(InvalidActError):
            replace(request, **wrong)  # type: ignore[arg-type]


def test_scans_are_listed_newest_first_by_holder_and_by_terminal(bureau: Bureau) -> None:
    one, other = bureau.people(2)
    ids = []
    for person in (one, other, one):
        bureau.clock.advance(1)
        ids.append(bureau.scan(mint(bureau, person))["scan_id"])
    with bureau.store.read() as tx:
        assert [scan.id for scan in scans.of_holder(tx, one.holder_id)] == [ids[2], ids[0]]
        assert [scan.id for scan in scans.of_terminal(tx, bureau.hospital.id)] == ids[::-1]
        (next_page,) = scans.of_holder(tx, one.holder_id, before=ids[2], limit=1)
        assert next_page.id == ids[0]
        assert scans.of_terminal(tx, bureau.pharmacy.id) == []
