"""The file of checkpoints: those of the database, copied to where its owner can't rewrite them.

One line each, as `card_core.checkpoint.write` gives them, in the order of their numbers. It is
only ever added to, so that it may lie on a medium that can't be overwritten; it holds no personal
data and may be handed out.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from card_core import checkpoint
from card_core.checkpoint import Checkpoint, CheckpointRefusedError
from card_core.store import Store, checkpoints
from issuance.errors import FileRefusedError
from issuance.files import PUBLIC, not_readable, not_writable

# A page a call; a file that is far behind, or new, catches up in the calls that follow.
_END: Final = b"\n"


def bring_up_to_date(path: Path, store: Store) -> int:
    """Add the checkpoints that the file lacks, at most a page; how many. Durable on return.

    A line that was cut off by a power failure is written anew. Raises FileRefusedError for a file
    that is something else, or can't be written; StoreError.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PUBLIC)
    except OSError as error:
        raise not_writable(path, error) from error
    with os.fdopen(descriptor, "r+b") as file:
        try:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - 2 * checkpoint.TEXT_BYTES_MAX)
            file.seek(start)
            tail = file.read()
            whole = tail.rfind(_END) + 1
            last = _last_number(path, tail[:whole]) if size else 0
            with store.read() as tx:
                new = checkpoints.page(tx, after=last)
            if not new:
                return 0
            if whole < len(tail):
                file.truncate(start + whole)
            file.seek(start + whole)
            file.write(b"".join(checkpoint.write(one.content, one.signature) + _END for one in new))
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise not_writable(path, error) from error
    return len(new)


def read_all(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Content and signature of each line; a last line without its end is passed over.

    Raises FileRefusedError naming the first line that is no checkpoint.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(checkpoint.TEXT_BYTES_MAX + 1):
                number += 1
                if not line.endswith(_END) and len(line) <= checkpoint.TEXT_BYTES_MAX:
                    return
                try:
                    yield checkpoint.read(line.rstrip(_END))
                except CheckpointRefusedError:
                    raise unusable(path, number) from None
    except OSError as error:
        raise not_readable(path, error) from error


def unusable(path: Path, line: int) -> FileRefusedError:
    return FileRefusedError(
        "checkpoint_file_unusable",
        f"检查点文件 {path} 第 {line} 行不是有效的检查点。请保留该文件并调查，勿删除。",
        f"Line {line} of the checkpoint file {path} is no checkpoint. Keep the file and look into "
        "it; don't delete it.",
    )


def _last_number(path: Path, lines: bytes) -> int:
    """The number of the last whole line; what follows it in the database is to be added."""
    texts = lines.rstrip(_END).rsplit(_END, 1)
    if not texts[-1]:
        return 0
    try:
        return Checkpoint.parse(checkpoint.read(texts[-1])[0]).number
    except CheckpointRefusedError:
        raise FileRefusedError(
            "checkpoint_file_unusable",
            f"检查点文件 {path} 的末行不是检查点，未写入。请核对 SSCARD_CHECKPOINT_FILE。",
            f"The last line of {path} is no checkpoint, so nothing was added. Check "
            "SSCARD_CHECKPOINT_FILE.",
        ) from None
