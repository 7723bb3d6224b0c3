"""`sscard file`: what a bank or a maker runs to see that a file is what docs/files.md says."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from card_core.kernel.dates import SHANGHAI
from crypto import InvalidKeyError, sm2
from issuance.card_files import BadRow, CardFileError, MakerFile, decode_record, open_maker_file
from issuance.card_files.kinds import layout_of
from issuance.card_files.maker_header import MakerHeader, read_header
from issuance.card_files.row_layout import Layout
from issuance.card_files.row_reading import open_row_file
from issuance.cli import screen
from issuance.cli.failures import FAILED, UNUSABLE_FILE
from issuance.errors import FileRefusedError, IssuanceError
from issuance.files import not_readable
from issuance.settings import read_secret

LINES_SHOWN = 5

app = typer.Typer(
    help="制卡与银行文件：检查。\nFiles for banks and makers: check one.", no_args_is_help=True
)


@app.callback()
def group() -> None:
    """制卡与银行文件：检查。
    Files for banks and makers: check one.
    """


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", readable=False, help="文件。\n\nThe file.")
    ],
    *,
    issuer_key: Annotated[
        str | None,
        typer.Option(
            metavar="HEX",
            help="制卡文件：发卡机构公钥。\n\nMaker file: the issuer's public key.",
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            readable=False,
            help="制卡文件：卡商私钥（64 位十六进制），逐条解密核验。\n\n"
            "Maker file: the maker's private key, 64 hex digits; opens each record.",
        ),
    ] = None,
) -> None:
    """检查制卡文件、银行文件或回盘文件；不写入任何数据。
    Check a maker file, a bank file or a return; nothing is stored.

    退出码：0 文件无误，1 有行不可用，2 文件不能用。
    Exit code: 0 the file is right, 1 some rows are bad, 2 the file can't be used.
    """
    try:
        with _opened(file) as opened:
            layout = layout_of(opened)
            if layout is None:
                bad_rows = 0
                _check_maker_file(opened, issuer_key, key)
            else:
                bad_rows = _check_rows(opened, layout)
    except IssuanceError as error:
        screen.show_error(error.message_zh, error.message_en)
        raise typer.Exit(UNUSABLE_FILE) from None
    if bad_rows:
        raise typer.Exit(FAILED)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Raises FileRefusedError."""
    try:
        if path.exists() and not path.is_file():
            raise FileRefusedError(
                "not_a_file",
                f"{path} 是文件夹、设备或管道，不是普通文件。",
                f"{path} is a folder, a device or a pipe and no file.",
            )
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise FileRefusedError(
            "file_missing", f"找不到文件 {path}，请核对路径。", f"{path} was not found."
        ) from error
    except OSError as error:
        raise not_readable(path, error) from error


def _check_rows(file: BinaryIO, layout: Layout[Any]) -> int:
    """Show what the file is; return how many of its rows are bad. Raises CardFileError."""
    found = open_row_file(file, layout)
    header = found.header
    bad = _BadRows()
    outcomes: Counter[str] = Counter()
    for row in found.rows():
        if isinstance(row, BadRow):
            bad.add(row)
        else:
            outcomes[_outcome(row)] += 1
    screen.show_facts(
        [
            ("种类 Kind", f"{layout.title_zh} {layout.title_en}"),
            ("制卡批次 Batch", header.batch),
            ("发卡机构 Issuer", header.issuer),
            ("银行或卡商 Partner", header.partner),
            ("生成时间 Made at", header.made_at.isoformat()),
            ("编码 Charset", header.charset),
            ("记录数 Records", header.records),
            *sorted(outcomes.items()),
            ("SM3", found.digest.hex().upper()),
        ]
    )
    if bad.count:
        bad.show()
        return bad.count
    screen.say("文件完整，各行无误。", "The file is whole and its rows are right.", style="green")
    return 0


def _outcome(row: object) -> str:
    """Under which name a row is counted."""
    failure = getattr(row, "failure", None)
    if failure is not None:
        return f"失败 Failed {failure}"
    return "成功 Done" if hasattr(row, "failure") else "可用 Usable"


class _BadRows:
    """Bad rows by what is wrong with them; of each kind the first lines, however many there are."""

    def __init__(self) -> None:
        self.count = 0
        self._times: Counter[tuple[str, str]] = Counter()
        self._lines: dict[tuple[str, str], list[int]] = defaultdict(list)

    def add(self, row: BadRow) -> None:
        self.count += 1
        for one in row.problems:
            text = f"{one.problem.message_zh}\n{one.problem.message_en}"
            found = f"{one.title_zh} {one.field}", text
            self._times[found] += 1
            if len(self._lines[found]) <= LINES_SHOWN:
                self._lines[found].append(row.line)

    def show(self) -> None:
        screen.show_table(
            ("栏 Field", "行数 Rows", "行号 Lines", "怎么办 What to do"),
            [
                (found[0], times, _which(self._lines[found]), found[1])
                for found, times in self._times.most_common()
            ],
            title=f"文件完整，但有 {self.count} 行不可用 Whole, but {self.count} rows are bad",
        )


def _which(lines: list[int]) -> str:
    return ", ".join(map(str, lines[:LINES_SHOWN])) + (" …" if len(lines) > LINES_SHOWN else "")


def _check_maker_file(file: BinaryIO, issuer_key: str | None, key: Path | None) -> None:
    """Show what the file is, then what holds of it. Raises IssuanceError."""
    sealed, _ = read_header(file)
    screen.show_facts(_maker_facts(sealed.header, sealed.maker_key_name))
    file.seek(0)
    if issuer_key is None:
        raise IssuanceError(
            "issuer_key_needed",
            "尚未验证签名：请用 --issuer-key 给出发卡机构公布的制卡签名公钥。",
            "The signature is not verified yet: give the issuer's published card issuing key as "
            "--issuer-key.",
        )
    with screen.working("验证签名", "Verifying the signature"):
        opened = open_maker_file(file, _public_key(issuer_key))
    screen.show_facts([("SM3", opened.digest.hex().upper())])
    if key is None:
        screen.say(
            "文件完整，签名有效；未解密记录（需要 --key）。",
            "The file is whole and its signature good; no record was opened (that takes --key).",
            style="green",
        )
        return
    _open_records(opened, _private_key(key))
    screen.say(
        f"文件完整，签名有效，{opened.header.records} 条记录均可解密且签名有效。",
        f"The file is whole, its signature good, and so are all {opened.header.records} records.",
        style="green",
    )


def _open_records(opened: MakerFile, key: sm2.PrivateKey) -> None:
    """Read every record to its last element. Raises CardFileError."""
    with screen.progress("打开记录", "Opening records") as shown:
        for number, record in enumerate(opened.records(key.public_key(), key.decrypt), 1):
            try:
                decode_record(record.content)
            except ValueError:
                raise CardFileError("record_bad", record=number) from None
            if number % 1000 == 0 or number == opened.header.records:
                shown(number, opened.header.records)


def _maker_facts(header: MakerHeader, maker_key_name: bytes) -> list[tuple[str, object]]:
    return [
        ("种类 Kind", "制卡文件 maker file"),
        ("制卡批次 Batch", header.batch),
        ("发卡机构 Issuer", f"{header.issuer}, 密钥 key {header.key_number}"),
        ("生成时间 Made at", header.made_at.astimezone(SHANGHAI).isoformat()),
        ("记录数 Records", header.records),
        ("分块 Chunks", header.chunks),
        ("卡商密钥 Maker's key", maker_key_name.hex()),
    ]


def _public_key(text: str) -> sm2.PublicKey:
    try:
        return sm2.PublicKey.from_bytes(bytes.fromhex(text))
    except (ValueError, InvalidKeyError):
        raise IssuanceError(
            "issuer_key_bad",
            "--issuer-key 应为 66 或 130 位十六进制的 SM2 公钥。",
            "--issuer-key must be an SM2 public key of 66 or 130 hexadecimal digits.",
        ) from None


def _private_key(path: Path) -> sm2.PrivateKey:
    try:
        return sm2.PrivateKey.from_bytes(bytes.fromhex(read_secret(path).decode("ascii")))
    except (ValueError, InvalidKeyError):
        raise IssuanceError(
            "maker_key_bad",
            f"{path} 第一行应为 64 位十六进制的 SM2 私钥。",
            f"The first line of {path} must be an SM2 private key of 64 hexadecimal digits.",
        ) from None
