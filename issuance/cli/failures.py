"""From an error to a sentence and an exit code: the one place of the command line that does so.

0    done
1    refused or failed; the sentence says why and what to do
2    the command line is wrong; for `roster check`, `stock` and
     `holder compare`: the file can't be used
130  interrupted by the person
"""

import errno
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from card_core.errors import CardCoreError, StoreBusyError, WrongStateError
from crypto import CryptoError
from crypto.keys import KeyFileError
from issuance.cli.screen import show_error
from issuance.cli.words import word_of
from issuance.errors import IssuanceError
from issuance.roster import RosterFileError

FAILED = 1
UNUSABLE_FILE = 2
INTERRUPTED = 130

EXPECTED = (IssuanceError, RosterFileError, CardCoreError, KeyFileError, CryptoError)
_OF_THE_FILE_SYSTEM = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
}
_BUSY = (
    "数据库繁忙或无法连接，未完成的部分没有写入。请检查数据库是否运行，稍后再次运行同一命令。",
    (
        "The database is busy or out of reach; what was not finished is not written. See that it "
        "runs, and run the same command again in a while."
    ),
)
# By the beginning of SQLite's own name for what went wrong.
_OF_SQLITE = {
    "SQLITE_FULL": (
        "磁盘已满，未完成的部分没有写入。请腾出空间后再次运行同一命令。",
        (
            "The disk is full; what was not finished is not written. Make room and run the same "
            "command again."
        ),
    ),
    "SQLITE_IOERR": (
        "数据库文件读写失败，未完成的部分没有写入。请检查磁盘空间和磁盘状态。",
        (
            "The database file can't be read or written; what was not finished is not written. "
            "Check the disk and its free space."
        ),
    ),
    "SQLITE_READONLY": (
        "没有写入数据库文件的权限。请检查工作目录的权限。",
        "The database file may not be written. Check the permissions of the home.",
    ),
    "SQLITE_CANTOPEN": (
        "数据库文件打不开。请检查 SSCARD_DATABASE_URL 和文件夹权限。",
        (
            "The database file can't be opened. Check SSCARD_DATABASE_URL and the folder's "
            "permissions."
        ),
    ),
    "SQLITE_NOTADB": (
        "数据库文件不是 SQLite 数据库。请检查 SSCARD_DATABASE_URL。",
        "The database file is no SQLite database. Check SSCARD_DATABASE_URL.",
    ),
    "SQLITE_CORRUPT": (
        "数据库文件已损坏。请从备份恢复。",
        "The database file is damaged. Restore it from a backup.",
    ),
}


class Commands(TyperGroup):
    """The root group: whatever a command raises becomes a sentence and an exit code."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        with explained():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        with explained():
            return super().invoke(ctx)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what goes wrong inside into a message on standard error and typer.Exit."""
    try:
        yield
    except typer.TyperException as error:
        # Without a text it stands for the help of a group, and nothing is wrong.
        if str(error):
            show_error(
                "命令行有误，见下；加 --help 可查看用法。",
                "The command line is wrong, see below; --help shows how to use it.",
            )
        raise
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise
    except (KeyboardInterrupt, EOFError):
        show_error(
            "已中断。未完成的部分没有写入；再次运行同一命令即可继续。",
            "Interrupted. What was not finished is not written; run the same command to go on.",
        )
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001 - the last resort before a traceback
        show_error(*explain(error))
        raise typer.Exit(FAILED) from None


def explain(error: Exception) -> tuple[str, str]:
    """What to tell the person, in Chinese and English."""
    if reason := _database_reason(error):
        return reason
    if isinstance(error, StoreBusyError):
        return _BUSY
    if isinstance(error, WrongStateError):
        return f"当前状态（{word_of(error.state)}）下不能进行此操作", error.message_en
    if isinstance(error, EXPECTED):
        return error.message_zh, error.message_en
    if isinstance(error, OSError) and error.errno in _OF_THE_FILE_SYSTEM:
        # Reading or writing, nobody knows here: whoever knows raises a FileRefusedError.
        path, why = error.filename or "", os.strerror(error.errno)
        return (
            f"文件系统拒绝了操作：{path}（{why}）。请检查权限和磁盘空间。",
            f"The file system refused: {path} ({why}). Check the permissions and free space.",
        )
    # Only its kind and place are shown: a text from below could quote somebody's data.
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__}, {Path(place.filename).name}:{place.lineno}"
    return (
        f"程序内部错误（{where}）。未完成的部分没有写入；请把括号内的内容告诉维护人员。",
        (
            f"Internal error ({where}). What was not finished is not written; tell whoever "
            "maintains this installation what stands in the brackets."
        ),
    )


def _database_reason(error: BaseException) -> tuple[str, str] | None:
    """What SQLite said, in words, where an error has it as its cause."""
    cause: BaseException | None = error
    while cause is not None:
        name = getattr(getattr(cause, "orig", None), "sqlite_errorname", "")
        for beginning, texts in _OF_SQLITE.items():
            if name.startswith(beginning):
                return texts
        cause = cause.__cause__
    return None
