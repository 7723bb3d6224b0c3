"""After a restore nothing is believed that was issued before it, and everything new is."""

import pytest
from bureau import BOX_WRAP_KEY, SYSTEM, Bureau, sign_in_as
from phone import registered_phone

from card_core import codes
from card_core.business_types import Purpose, get
from card_core.errors import SessionEndedError
from card_core.kernel import BoxKeyWrap
from card_core.kernel.acts.restores import ResumeFromBackup
from card_core.kernel.offline_codes import present_offline_code
from card_core.presented import Presented
from card_core.presenting import Presenter
from card_core.short_codes import ShortCodes
from card_core.sign_in import authenticate
from card_core.store import audit, epochs, restores, visits
from card_core.verdicts import Reason


def resume(bureau: Bureau) -> None:
    bureau.perform(ResumeFromBackup(bureau.clock()), SYSTEM)


def test_codes_of_every_kind_from_before_are_refused(bureau: Bureau) -> None:
    person = bureau.person()
    phone = registered_phone(bureau, person, days=1)
    online = bureau.minter.mint(person.holder_id)
    offline = phone.show(bureau.clock(), purposes=Purpose.MEDICAL_IDENTIFY)
    short_codes = ShortCodes(bureau.store, bureau.kernel, random_bytes=bureau.kernel.random_bytes)
    short = short_codes.name(online.text, holder_id=person.holder_id, minted_at=online.minted_at)
    checked = codes.check(
        offline,
        keys=bureau.ring(),
        now=bureau.clock(),
        business_type=get("01101"),
        terminal=bureau.hospital.serial_number,
        amount_fen=None,
    )
    with bureau.store.read() as tx:
        assert isinstance(present_offline_code(tx, checked), Presented)
    assert short_codes.find_code(short) == online.text
    resume(bureau)
    with bureau.store.read() as tx:
        assert present_offline_code(tx, checked) is Reason.SHOW_NEW_CODE
        assert restores.last(tx) == bureau.clock()
    assert short_codes.find_code(short) is None
    again = bureau.on(bureau.kernel, bureau.clock)
    assert again.scan(online.text)["reason"] == "unknown_card"
    # What is minted from here on is good, by a process that knows nothing of the keys before.
    new = again.minter.mint(person.holder_id)
    assert again.scan(new.text)["reason"] == "accepted"
    assert again.scan(online.text)["reason"] == "unknown_card"
    old = Presenter(bureau.store, BoxKeyWrap(BOX_WRAP_KEY)).present(
        bureau.checked(online.text, bureau.hospital, "01101")
    )
    assert old is None or old.ecard_id != _ecard_of(bureau, new.text)


def _ecard_of(bureau: Bureau, text: str) -> int:
    shown = Presenter(bureau.store, BoxKeyWrap(BOX_WRAP_KEY)).present(
        bureau.checked(text, bureau.hospital, "01101")
    )
    assert shown is not None
    return shown.ecard_id


def test_visits_and_sessions_end_and_the_epoch_is_raised(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.scan(bureau.minter.mint(person.holder_id).text)
    with bureau.store.read() as tx:
        (visit,) = visits.of_holder(tx, person.holder_id)
        assert visit.is_open(bureau.clock())
    token = sign_in_as(bureau.kernel, "maker").token
    assert authenticate(bureau.kernel, token) == bureau.maker
    with bureau.store.read() as tx:
        before = epochs.get(tx)
    resume(bureau)
    with bureau.store.read() as tx:
        after = epochs.get(tx)
        (visit,) = visits.of_holder(tx, person.holder_id)
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)
    assert after is not None
    assert not after.is_open
    assert after.number == (before.number if before else 0) + 1
    assert not visit.is_open(bureau.clock())
    with pytest.raises(SessionEndedError):
        authenticate(bureau.kernel, token)
    resume(bureau)
