"""The gate serves in order, lets no more in than it has places, and loses none of them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from card_core.errors import StoreBusyError
from card_core.store.gate import Gate


def test_whoever_came_first_goes_first() -> None:
    gate, order = Gate(1), []
    threads = []
    with gate.passed(10):
        for number in range(20):
            waiting = len(gate._waiting)
            thread = threading.Thread(target=enter, args=(gate, order, number))
            thread.start()
            threads.append(thread)
            while len(gate._waiting) == waiting:
                pass
    for thread in threads:
        thread.join()
    assert order == list(range(20))


def enter(gate: Gate, order: list[int], number: int) -> None:
    with gate.passed(10):
        order.append(number)


@pytest.mark.parametrize("places", [1, 3])
def test_no_more_are_inside_than_there_are_places(places: int) -> None:
    gate, inside, most = Gate(places), [], []

    def work(number: int) -> None:
        with gate.passed(10):
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(work, range(400)))
    assert len(most) == 400
    assert max(most) <= places


def test_who_waited_too_long_gives_up_and_takes_no_place_with_them() -> None:
    gate = Gate(1)
    with gate.passed(1):
        for _ in range(3):
            with pytest.raises(StoreBusyError), gate.passed(0.001):
                pass
    for _ in range(3):
        with gate.passed(0.001):
            pass


def test_a_block_that_raises_gives_its_place_back() -> None:
    gate = Gate(1)
    for _ in range(3):
        with pytest.raises(LookupError), gate.passed(0.001):
            raise LookupError


def test_a_turn_that_came_just_after_the_wait_ended_is_taken() -> None:
    gate, turn = Gate(1), threading.Event()
    turn.set()
    gate._give_up(turn)
    assert not gate._waiting
