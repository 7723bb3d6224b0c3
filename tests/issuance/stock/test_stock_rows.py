"""A card stock's file: each row and all that is wrong with it, exactly."""

from pathlib import Path

import pytest
from openpyxl import Workbook
from stock_making import MESSY, ROWS, TODAY, UNTIDY, WARNED, Row, stock_rows, to_csv, valid_row

from card_core.kernel.stock_reconciling import REFUSALS
from card_core.states import CardState
from issuance.roster import RosterFileError
from issuance.stock import StockReport, check_stock
from issuance.stock.columns import STOCK, TITLES
from issuance.stock.problem import REFUSED

# What the file alone does not tell: rows are compared with each other and the holder base later.
LATER = {code for _, found in MESSY.values() for _, code in found} & set(REFUSALS)


def check(path: Path, content: bytes) -> StockReport:
    path.write_bytes(content)
    return check_stock(path, today=TODAY)


def problems(report: StockReport) -> dict[int, set[tuple[str, str]]]:
    return {
        one.row: {(field, problem.code) for field, problem in one.problems}
        for one in report.refused
    }


def row_of(report: StockReport, row: int) -> object:
    return next(card for card in report.cards if card.row == row)


def test_of_600_rows_each_gets_what_it_deserves(tmp_path: Path) -> None:
    report = check(tmp_path / "stock.csv", to_csv(stock_rows()))
    wanted = {
        row: found for row, (_, found) in MESSY.items() if not {code for _, code in found} & LATER
    }
    assert problems(report) == wanted
    assert len(report.cards) == ROWS - len(wanted)
    warned = {one.row: {(f, p.code) for f, p in one.problems} for one in report.warnings}
    assert warned == {row: found for row, (_, found) in WARNED.items()}


def test_untidy_rows_become_tidy_cards(tmp_path: Path) -> None:
    report = check(tmp_path / "stock.csv", to_csv(stock_rows()))
    for row in UNTIDY:
        card = next(card for card in report.cards if card.row == row)
        plain = valid_row(row)
        assert card.card_number == plain["卡号"]
        assert card.identification_code == plain["卡识别码"]
        assert card.issued_on.isoformat() == plain["发卡日期"]
        assert card.expires_on.isoformat() == plain["卡有效期"]
        assert card.region == "440604"
    by_row = {card.row: card for card in report.cards}
    assert by_row[230].state is CardState.NOT_ACTIVATED
    assert by_row[230].phone == ""
    assert by_row[240].phone == "13600000240"
    assert by_row[250].state is CardState.CANCELLED


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_titles_may_be_the_codes_of_the_data_elements(tmp_path: Path, encoding: str) -> None:
    code_of = {title: code for code, title in STOCK.aliases.items()}
    titles = [code_of[title].lower() for title in TITLES]
    content = to_csv([valid_row(1)], titles=titles, encoding=encoding)
    (card,) = check(tmp_path / "stock.csv", content).cards
    assert card.card_number == "ZS0000001"


def test_a_workbook_is_read_as_a_csv_is(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    rows = stock_rows()[:20]
    for cells in [list(TITLES), *([row[title] for title in TITLES] for row in rows)]:
        sheet.append(cells)
    book.save(tmp_path / "stock.xlsx")
    in_book = check_stock(tmp_path / "stock.xlsx", today=TODAY)
    in_text = check(tmp_path / "stock.csv", to_csv(rows))
    assert in_book.to_json() == in_text.to_json()
    assert in_book.cards == in_text.cards


def without_phone(rows: list[Row]) -> bytes:
    lines = to_csv(rows, encoding="utf-8").decode().splitlines()
    return "\r\n".join(line.rsplit(",", 1)[0] for line in lines).encode()


def test_the_phone_may_be_left_out_and_nothing_else(tmp_path: Path) -> None:
    (card,) = check(tmp_path / "stock.csv", without_phone([valid_row(1)])).cards
    assert card.phone == ""
    for title in set(TITLES) - {"手机号码"}:
        renamed = [f"旧{one}" if one == title else one for one in TITLES]
        with pytest.raises(RosterFileError) as error:
            check(tmp_path / "stock.csv", to_csv([valid_row(1)], titles=renamed))
        assert error.value.code == "columns_missing"
        assert title in error.value.message_zh


def test_a_row_with_more_cells_than_titles_is_refused(tmp_path: Path) -> None:
    content = to_csv([valid_row(1)], encoding="utf-8").rstrip() + b",more\r\n"
    (row,) = problems(check(tmp_path / "stock.csv", content)).values()
    assert ("手机号码", "row_shifted") in row
    short = without_phone([valid_row(1)]).rstrip() + b",13600000001,more\r\n"
    (row,) = problems(check(tmp_path / "stock.csv", short)).values()
    assert ("手机号码", "row_shifted") in row


def test_the_report_names_nobody(tmp_path: Path) -> None:
    report = check(tmp_path / "stock.csv", to_csv(stock_rows()))
    text = str(report.to_json()) + repr(report)
    for row in stock_rows():
        for title in ("社会保障号码", "姓名", "手机号码", "卡识别码"):
            assert not row[title] or len(row[title]) < 5 or row[title] not in text


def test_every_refusal_of_the_kernel_has_its_words() -> None:
    assert set(REFUSED) == set(REFUSALS)
    for code, (field, problem) in REFUSED.items():
        assert field in TITLES
        assert problem.code == code
