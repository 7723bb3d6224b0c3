"""Ways to falsify a log: each gets the events and a random source; what to put there comes back."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

Rows = list[dict[str, Any]]


def edit(rows: Rows, rng: random.Random) -> Rows:
    row = rng.choice(rows)
    column = rng.choice(["at", "actor_kind", "actor_id", "act", "subject", "detail", "link"])
    if column == "at":
        row["at"] += timedelta(microseconds=rng.randint(1, 10**9))
    elif column == "link":
        row["link"] = row["link"][:-1] + bytes([row["link"][-1] ^ rng.randint(1, 255)])
    else:
        at = rng.randrange(len(row[column]))
        other = chr((ord(row[column][at]) + rng.randint(1, 20)) % 64 + 33)
        changed = row[column][:at] + other + row[column][at + 1 :]
        row[column] = changed if changed != row[column] else row[column] + "x"
    return rows


def remove(rows: Rows, rng: random.Random) -> Rows:
    del rows[rng.randrange(len(rows))]
    return rows


def remove_and_close_the_gap(rows: Rows, rng: random.Random) -> Rows:
    at = rng.randrange(len(rows) - 1)
    del rows[at]
    for row in rows[at:]:
        row["seq"] -= 1
    return rows


def swap(rows: Rows, rng: random.Random) -> Rows:
    one, other = rng.sample(rows, 2)
    one["seq"], other["seq"] = other["seq"], one["seq"]
    return rows


def swap_contents(rows: Rows, rng: random.Random) -> Rows:
    one, other = rng.sample(rows, 2)
    for column in ("at", "actor_kind", "actor_id", "act", "subject", "detail"):
        one[column], other[column] = other[column], one[column]
    return rows


def cut_the_tail(rows: Rows, rng: random.Random) -> Rows:
    return rows[: rng.randrange(len(rows))]


def cut_the_head(rows: Rows, rng: random.Random) -> Rows:
    return rows[rng.randint(1, len(rows) - 1) :]


def repeat(rows: Rows, rng: random.Random) -> Rows:
    return [*rows, {**rng.choice(rows), "seq": len(rows) + 1}]


def insert_one(rows: Rows, rng: random.Random) -> Rows:
    at = rng.randrange(len(rows))
    new = {**rows[at], "detail": '{"n":-1}'}
    for row in rows[at:]:
        row["seq"] += 1
    return [*rows[:at], new, *rows[at:]]


WAYS: list[Callable[[Rows, random.Random], Rows]] = [
    edit,
    edit,
    edit,
    remove,
    remove_and_close_the_gap,
    swap,
    swap_contents,
    cut_the_tail,
    cut_the_head,
    repeat,
    insert_one,
]
