"""A person's own data: all of it, nobody else's, and a note of who gave it out."""

import json

import pytest
from bureau import Bureau
from holder_records import correction
from sqlalchemy import select

from card_core.errors import NotAllowedError, NotFoundError
from card_core.kernel.acts.holder_exports import ExportHolder
from card_core.store.holder_export import export
from card_core.store.schema import answers, audit_events


def test_all_of_the_person_and_nothing_of_others(bureau: Bureau) -> None:
    person, other = bureau.people(2)
    for one in (person, other):
        bureau.scan(bureau.minter.mint(one.holder_id).text, operator="0042")
    bureau.decide(correction(bureau, person.holder_id, name="更正后"))
    bureau.perform(ExportHolder(person.holder_id), person.actor)
    with bureau.store.read() as tx:
        found = export(tx, person.holder_id)
        log = repr(tx.connection.execute(select(audit_events)).all())
        kept = tx.connection.execute(select(answers.c.answer)).scalars().all()
    text = json.dumps(found, ensure_ascii=False)
    for own in (person.number, "更正后", person.name, person.sign_number, "01101", "机构161"):
        assert own in text
    for strange in (other.number, other.name, other.sign_number, "0042", bureau.maker.id):
        assert strange not in text
    assert (len(found["cards"]), len(found["scans"]), len(found["visits"])) == (1, 1, 1)
    # Who it was is in the log; what it was is nowhere.
    assert "export_holder" in log
    assert all(word not in log for word in (person.number, person.name))
    assert max(map(len, kept)) < 4096


def test_a_holder_gets_their_own_alone(bureau: Bureau) -> None:
    person, other = bureau.people(2)
    with pytest.raises(NotAllowedError):
        bureau.perform(ExportHolder(person.holder_id), other.actor)
    with pytest.raises(NotFoundError):
        bureau.perform(ExportHolder("0" * 32), bureau.maker)
    assert bureau.perform(ExportHolder(person.holder_id), bureau.maker) == {
        "holder_id": person.holder_id
    }
