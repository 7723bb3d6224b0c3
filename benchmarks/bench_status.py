"""C9: status lists of 10 million positions, beside zlib over the plain two-bit array.

    python -m benchmarks.bench_status

The positions are drawn from a fixed seed, in three states alike. The entropy is what any code of
such lists needs on average. Prints the figures and writes them to build/bench/bench.json.
"""

import math
import random
import zlib
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter

from benchmarks.measure import microseconds, pin_to_one_core
from benchmarks.report import Figure, machine, show, write
from card_core.status_list import StatusList

POSITIONS = 10_000_000
SHARES = {"1": 100_000, "0.1": 10_000}
CHANGES = 5000
LOOKED_UP = 1000
ROUNDS = 5
SEED = 20260301

TITLES = {
    "size": "the list's body, listed per cent",
    "build": "from positions to the body",
    "load": "from the body to what is looked up in",
    "look-up": "one look-up, 1% listed",
    "changes": f"{CHANGES} changes of a list with 1% listed",
}

Listed = list[tuple[int, int]]


def drawn(source: random.Random, count: int) -> Listed:
    """Positions in no order, as rows come from a database."""
    return [(index, source.randint(1, 3)) for index in source.sample(range(POSITIONS), count)]


def plain_array(listed: Listed) -> bytes:
    """Two bits for each position."""
    array = bytearray(POSITIONS // 4)
    for index, state in listed:
        array[index // 4] |= state << index % 4 * 2
    return bytes(array)


def entropy_bytes(count: int, states: int) -> float:
    """Of `count` positions drawn at random, each in one of so many states."""
    share = count / POSITIONS
    bits = -share * math.log2(share) - (1 - share) * math.log2(1 - share)
    return (bits + share * math.log2(states)) * POSITIONS / 8


def seconds(call: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return median(times)


def measure_share(name: str, count: int) -> tuple[dict[str, Figure], StatusList]:
    listed = drawn(random.Random(SEED), count)
    made = StatusList(POSITIONS, listed)
    body, array = made.encode(), plain_array(listed)
    if StatusList.decode(POSITIONS, body) != made or plain_array(listed_of(made)) != array:
        raise RuntimeError("the list does not say what the array says")
    zlib_seconds = seconds(lambda: zlib.compress(array, 9))
    figures = {
        f"C9.size.{name}": Figure(
            len(body) / 1000,
            "KB",
            {
                "zlib of the array": len(zlib.compress(array, 9)) / 1000,
                "entropy": entropy_bytes(count, 3) / 1000,
            },
        ),
        f"C9.build.{name}": Figure(
            seconds(lambda: StatusList(POSITIONS, listed).encode()) * 1000,
            "ms",
            {"zlib of the array": zlib_seconds * 1000},
        ),
        f"C9.load.{name}": Figure(
            seconds(lambda: StatusList.decode(POSITIONS, body)) * 1000,
            "ms",
            {"zlib, unpacking": unpacking_seconds(array) * 1000},
        ),
    }
    return figures, made


def unpacking_seconds(array: bytes) -> float:
    packed = zlib.compress(array, 9)
    return seconds(lambda: zlib.decompress(packed))


def listed_of(made: StatusList) -> Listed:
    """Every position asked for, one by one."""
    states = ((index, made.state(index)) for index in range(POSITIONS))
    return [(index, state) for index, state in states if state]


def measure_look_up(made: StatusList) -> Figure:
    """One look-up from Python, the loop around it included; beside one in the plain array."""
    source = random.Random(SEED + 1)
    indexes: Sequence[int] = [source.randrange(POSITIONS) for _ in range(LOOKED_UP)]
    array = plain_array([])

    def in_list() -> None:
        for index in indexes:
            made.state(index)

    def in_array() -> None:
        for index in indexes:
            array[index >> 2] >> (index & 3) * 2 & 3

    times = microseconds({"list": in_list, "array": in_array})
    return Figure(
        times["list"] / LOOKED_UP, "us", {"plain array in Python": times["array"] / LOOKED_UP}
    )


def measure_changes(before: StatusList) -> Figure:
    source = random.Random(SEED + 2)
    at = source.sample(range(POSITIONS), CHANGES)
    later = {index: (before.state(index) + source.randint(1, 3)) % 4 for index in at}
    states = dict(listed_of(before)) | later
    after = StatusList(POSITIONS, [(index, state) for index, state in states.items() if state])
    changes = before.changes_to(after)
    if before.apply(changes) != after:
        raise RuntimeError("the changes do not lead to the later list")
    differences = plain_array([(i, before.state(i) ^ state) for i, state in later.items()])
    return Figure(
        len(changes) / 1000,
        "KB",
        {
            "zlib of the arrays' xor": len(zlib.compress(differences, 9)) / 1000,
            "entropy": entropy_bytes(CHANGES, 3) / 1000,
        },
    )


def main() -> None:
    """Measure, print, write."""
    for name, value in machine().items():
        print(f"{name}: {value}")
    pin_to_one_core()
    print(f"\n== status list of {POSITIONS:,} positions")
    figures: dict[str, Figure] = {}
    for name, count in SHARES.items():
        measured, made = measure_share(name, count)
        figures |= measured
        if name == "1":
            figures["C9.look-up"] = measure_look_up(made)
            figures["C9.changes"] = measure_changes(made)
    for name, figure in figures.items():
        show(f"{name} {TITLES[name.split('.')[1]]}", figure)
    write(figures)


if __name__ == "__main__":
    main()
