"""Card stocks (存量卡): the cards that a bureau had before, read, checked and taken over.

    columns, problem, validate   a file's rows, all problems of a row at once
    check                        a whole file; and its rows against the holder base
    importing                    import and release; `issuance.engine` takes over in chunks

Errors: RosterFileError for a file that can't be used (stocks are read as rosters are), BatchError.
A bad row is no error: it stands in the report, and the others go on.
"""

from issuance.stock.check import StockReport, check_stock, compare_stock
from issuance.stock.importing import (
    ImportedStock,
    find_stock,
    import_stock,
    release_approval,
)

__all__ = [
    "ImportedStock",
    "StockReport",
    "check_stock",
    "compare_stock",
    "find_stock",
    "import_stock",
    "release_approval",
]
