"""Acts that change much at once, cut off before any statement or commit: all of it, or nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from bureau import Bureau, Person
from phone import registered_phone
from sqlalchemy import Engine, event, select

from card_core.card_policy import CardNumberKept
from card_core.kernel.act import DangerousAct
from card_core.kernel.acts.life_events import DecideLifeEvent
from card_core.kernel.acts.replacements import ExchangeCard, ExchangeReason
from card_core.life_events import LifeEvent
from card_core.store import Reader, audit, schema
from card_core.store.schema import GUARDED

WATCHED = GUARDED | {schema.applications, schema.outbox, schema.audit_events, schema.answers}
PLACES_MAX = 400


class CutError(Exception):
    """The end of a process, as far as a transaction can tell."""


@contextmanager
def cut_before(place: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Count statements and commits from here on, and end before this one."""
    left = place

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise CutError

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            count()
            return method(*arguments)

        return run

    names = ("before_cursor_execute", "commit")
    for name in names:
        event.listen(Engine, name, count)
    with monkeypatch.context() as patched:
        for name in ("run", "run_many"):  # these go past SQLAlchemy's events
            patched.setattr(Reader, name, counted(getattr(Reader, name)))
        try:
            yield
        finally:
            for name in names:
                event.remove(Engine, name, count)


def contents(bureau: Bureau) -> dict[str, set[tuple[Any, ...]]]:
    with bureau.store.read() as tx:
        return {
            table.name: {tuple(row) for row in tx.connection.execute(select(table))}
            for table in WATCHED
        }


def death(person: Person) -> DangerousAct:
    return DecideLifeEvent(LifeEvent.DEATH, person.card_id)


def exchange(person: Person) -> DangerousAct:
    return ExchangeCard(person.card_id, ExchangeReason.DAMAGED, CardNumberKept.NEW)


@pytest.mark.parametrize("make", [death, exchange])
def test_cut_off_anywhere_an_act_has_happened_whole_or_not_at_all(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, make: Callable[[Person], DangerousAct]
) -> None:
    person = bureau.person()
    registered_phone(bureau, person, days=2)
    proposed = bureau.kernel.propose(
        make(person), actor=bureau.maker, request_id=bureau.request_id()
    )
    before = contents(bureau)
    for place in range(1, PLACES_MAX):
        try:
            with cut_before(place, monkeypatch):
                bureau.approve(proposed)
        except CutError:
            assert contents(bureau) == before, place
        else:
            break
    assert 30 < place < PLACES_MAX - 1  # so many places were met, and then it came through
    after = contents(bureau)
    assert after["outbox"] - before["outbox"] != set()
    assert after["cards"] != before["cards"]
    with bureau.store.read() as tx:
        audit.verify_chain(tx, "bureau")
        audit.verify_rows(tx)
