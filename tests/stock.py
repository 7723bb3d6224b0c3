"""Cards that a bureau had before: as checked rows, and as lines of a file."""

from datetime import date
from typing import Any

from bureau import Bureau, make_number

from card_core.kernel import Answer
from card_core.kernel.acts.stock import ImportStock, TakeOverChunk
from card_core.states import CardState
from card_core.stock_card import StockCard
from crypto import sm3

FIRST = 3_000_000


def make_stock_card(serial: int, **changes: Any) -> StockCard:
    """A card of a person whom no roster of the tests has, unless `number` says whose it is."""
    number = make_number(FIRST + serial)
    values: dict[str, Any] = {
        "row": serial + 1,
        "card_number": f"ZS{serial:07d}",
        "identification_code": f"440604D156000005{serial:08X}",
        "number": number,
        "name": f"存量{chr(0x4E00 + serial % 2000)}",
        "state": CardState.NORMAL,
        "bank": "102",
        "issued_on": date(2020, 5, 6),
        "expires_on": date(2030, 5, 6),
        "phone": f"136{serial:08d}",
    }
    return StockCard(**values | changes)


def import_stock(bureau: Bureau, *stock: StockCard) -> Answer:
    act = ImportStock("存量卡", sm3.digest(b"stock"), tuple(stock), 0)
    return bureau.perform(act, bureau.maker)


def released(bureau: Bureau, *stock: StockCard) -> Answer:
    """Import and release; the answer of the import."""
    imported = import_stock(bureau, *stock)
    bureau.approve(imported)
    return imported


def take_over(bureau: Bureau, imported: Answer) -> list[Answer]:
    return [
        bureau.perform(TakeOverChunk(imported["stock_id"], number), bureau.maker)
        for number in range(1, imported["chunks"] + 1)
    ]
