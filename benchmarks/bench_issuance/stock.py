"""I4: cards of a stock taken over, from the release on, beside I2's first part: cards issued."""

import time
from collections.abc import Iterator
from datetime import date

from benchmarks.bench_issuance.people import numbers
from benchmarks.bench_scan.bureau import Ground
from benchmarks.report import Figure
from card_core.identity import IdentityNumber
from card_core.kernel.acts.stock import ImportStock
from card_core.states import CardState
from card_core.stock_card import StockCard
from issuance import engine
from issuance.batches import new_request_id


def stock(first: int, count: int) -> Iterator[StockCard]:
    """Cards of so many people, from the one with the serial `first`."""
    for row, text in enumerate(numbers(first, count), 1):
        serial = first + row
        yield StockCard(
            row=row,
            card_number=f"ZS{serial:07d}",
            identification_code=f"440604D156000005{serial:08X}",
            number=IdentityNumber(text),
            name="欧阳建国",
            state=CardState.NORMAL,
            bank="102",
            issued_on=date(2020, 5, 6),
            expires_on=date(2030, 5, 6),
            phone=f"138{row % 100_000_000:08d}",
        )


def released(ground: Ground, first: int, count: int) -> tuple[str, float]:
    """The id of a stock of so many cards, approved, and the rows a second that came in."""
    kernel, staff = ground.site.kernel, ground.staff
    act = ImportStock(f"of {count}", bytes(32), tuple(stock(first, count)), 0)
    began = time.perf_counter()
    imported = kernel.perform(act, actor=staff["maker"], request_id=new_request_id())
    rate = count / (time.perf_counter() - began)
    if imported["accepted"] != count:
        raise RuntimeError(f"{imported['accepted']} of {count} were accepted")
    kernel.approve(
        imported["approval_id"],
        content_hash=imported["content_hash"],
        actor=staff["checker"],
        request_id=new_request_id(),
    )
    return str(imported["stock_id"]), rate


def take_over_rate(
    database: str, ground: Ground, pool: engine.Pool, first: int, count: int
) -> dict[str, Figure]:
    """From an approved stock to cards in the holder base."""
    stock_id, import_rate = released(ground, first, count)
    began = time.perf_counter()
    after = engine.issue(
        pool,
        ground.site.store,
        stock_id,
        actor=ground.staff["maker"],
        progress=lambda _done, _all: None,
    )
    rate = count / (time.perf_counter() - began)
    if after.issued != count:
        raise RuntimeError(f"{after.issued} of {count} were taken over")
    name = f"I4.{database}.{count}"
    return {
        name: Figure(round(rate), "cards/s"),
        f"{name}.import": Figure(round(import_rate), "rows/s"),
    }
