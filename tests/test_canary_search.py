"""The search for canaries finds what is there, however it is written, and nothing else."""

import zipfile
from pathlib import Path

import canaries
import pytest
from canaries import Hit, code_bytes, found_in, is_code, search, spellings

NAME, NUMBER, PHONE, ADDRESS = "龘靐甲乙", "44060419770317021X", "19977310021", "麤犇路 21 号"
CODE = "7406" + "123456789".zfill(249)
TOKEN, PASSWORD = "Zq0_canary-AbCdEf", "482915"
CANARIES = (NAME, NUMBER, PHONE, ADDRESS, CODE, TOKEN, PASSWORD)


@pytest.mark.parametrize("canary", CANARIES)
def test_it_is_found_in_each_spelling(canary: str, tmp_path: Path) -> None:
    written = spellings(canary)
    assert len(written) >= 30
    for at, spelt in enumerate(written.values()):
        (tmp_path / str(at)).write_bytes(b"\xff\0" + spelt + b"\0\xff" * 50)
    found = search(CANARIES, tmp_path.iterdir())
    assert {hit.place for hit in found if hit.canary == canary} >= {
        str(at) for at in range(len(written))
    }


@pytest.mark.parametrize("before", range(3))
def test_it_is_found_in_the_middle_of_base_64(before: int) -> None:
    import base64

    for data in (NAME.encode(), NUMBER.encode(), PHONE.encode(), NAME.encode("gb18030")):
        whole = base64.b64encode(b"x" * before + data + b"behind")
        assert len(found_in(CANARIES, whole)) == 1


def test_it_is_found_in_an_archive_and_in_a_code(tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sheet.xml", f"<c>{NUMBER}</c>")
    inside = int.from_bytes(NAME.encode().ljust(103, b"\1"))
    text = tmp_path / "text"
    text.write_text(f"code=7406{inside:0249d};")
    assert search(CANARIES, [book, text]) == {
        Hit("book.xlsx!sheet.xml", NUMBER, "utf-8, as it is"),
        Hit("text!codes", NAME, "utf-8, as it is"),
    }
    assert is_code(CODE)
    assert len(code_bytes(CODE)) == 103


def test_what_is_not_there_is_not_found() -> None:
    masked = (NAME[:1] + "**", NUMBER[:6] + "*" * 8 + NUMBER[-4:], PHONE[:3] + "****" + PHONE[-4:])
    nothing = ["".join(masked).encode(), f"a{PASSWORD}0 9{PASSWORD}".encode(), bytes(100)]
    assert found_in(CANARIES, *nothing) == set()
    assert found_in(CANARIES, f'"{PASSWORD}"'.encode()) == {PASSWORD}
    assert search(CANARIES, []) == set()


def test_a_file_that_is_gone_is_none_and_one_that_cannot_be_read_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    kept.write_text(NUMBER)
    assert {hit.place for hit in search(CANARIES, [kept, gone])} == {"kept"}
    # Gone between one look and the next.
    monkeypatch.setattr(canaries, "_unpacked", lambda path, folder: {})
    assert {hit.place for hit in search(CANARIES, [kept, gone])} == {"kept"}
    with pytest.raises(RuntimeError, match="directory"):
        search(CANARIES, [kept, tmp_path])
