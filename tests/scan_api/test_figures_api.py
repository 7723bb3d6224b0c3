"""Figures over HTTP: for operators whose role reads them, the same as the command line gives."""

import threading

import pytest
from bureau import sign_in_as
from scan_service import ScanService

from card_core.figures import Dimension, Tally, figures
from card_core.store import Reader
from card_core.store import figures as stored_figures
from scan_api import problems
from scan_api.figures.examples import FIGURES
from scan_api.figures.models import BureauFigures
from scan_api.figures.routes import COUNTED_FOR, CountedCards
from scan_api.problems import ProblemError

TARGET = "/v1/bureau/figures"


def asked(service: ScanService, name: str, target: str = TARGET) -> tuple[int, dict[str, object]]:
    token = sign_in_as(service.bureau.kernel, name).token
    answer = service.http.get(target, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json()


def test_they_are_what_is_counted_and_stay_for_a_minute(service: ScanService) -> None:
    service.bureau.people(12)
    status, found = asked(service, "auditor", f"{TARGET}?by=month&by=region")
    with service.bureau.store.read() as tx:
        expected = figures(stored_figures.tallies(tx), [Dimension.REGION, Dimension.MONTH])
    as_of = service.bureau.clock()
    assert status == 200
    assert found == BureauFigures.of(expected, as_of).model_dump(mode="json")
    service.bureau.issued_cards(1)
    assert asked(service, "maker")[1]["as_of"] == found["as_of"]
    service.bureau.clock.advance(COUNTED_FOR.total_seconds())
    later = asked(service, "maker")[1]
    assert later["as_of"] != found["as_of"]
    assert later["total"]["issued"] == found["total"]["issued"] + 1  # type: ignore[index]


def test_nobody_waits_for_a_count_that_is_under_way(
    service: ScanService, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()
    count = stored_figures.tallies

    def slow(tx: Reader) -> list[Tally]:
        begun.set()
        assert may_end.wait(30)
        return count(tx)

    monkeypatch.setattr(stored_figures, "tallies", slow)
    counted = CountedCards(service.services)
    counting = threading.Thread(target=counted.get)
    counting.start()
    assert begun.wait(30)
    with pytest.raises(ProblemError) as told:
        counted.get()
    assert told.value.problem is problems.NOT_READY
    may_end.set()
    counting.join(30)
    first = counted.get()
    begun.clear()
    may_end.clear()
    service.bureau.clock.advance(COUNTED_FOR.total_seconds())
    counting = threading.Thread(target=counted.get)
    counting.start()
    assert begun.wait(30)
    assert counted.get() is first
    may_end.set()
    counting.join(30)
    assert counted.get() is not first


@pytest.mark.parametrize(
    ("name", "status"),
    [("maker", 200), ("checker", 200), ("administrator", 200), ("auditor", 200), ("security", 403)],
)
def test_roles_that_read_figures(service: ScanService, name: str, status: int) -> None:
    assert asked(service, name)[0] == status


def test_a_holders_session_reads_none(service: ScanService) -> None:
    token = service.signed_in(service.person).cookies["sscard_holder"]
    answer = service.http.get(TARGET, headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["code"] == "not_allowed"


def test_what_figures_are_not_broken_down_by_is_said(service: ScanService) -> None:
    status, told = asked(service, "maker", f"{TARGET}?by=holder")
    assert (status, told["code"]) == (422, "invalid_request")


def test_the_example_is_one() -> None:
    assert BureauFigures(**FIGURES).model_dump(mode="json")["total"]["issued"] == 52000
