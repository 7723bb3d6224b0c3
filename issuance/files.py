"""Files that are there whole or not at all."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from issuance.errors import FileRefusedError

PRIVATE = 0o600
PUBLIC = 0o644


def write_whole(path: Path, content: bytes, *, mode: int) -> None:
    """As `written_whole`, for what fits the memory. Raises FileRefusedError."""
    with written_whole(path, mode=mode) as file:
        file.write(content)


@contextlib.contextmanager
def written_whole(path: Path, *, mode: int) -> Iterator[BinaryIO]:
    """What is written inside goes to `path`: a reader finds the old file or the new one, never a
    part.

    A temporary file beside it, for its owner alone, is filled, synced and renamed; a failure leaves
    nothing behind. A symbolic link is followed; a device, pipe or folder stays what it is.
    Raises FileRefusedError.
    """
    path = _regular_file(path)
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise not_writable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise not_writable(path, error) from error
        raise
    sync_folder(path.parent)


def _regular_file(path: Path) -> Path:
    """Where `path` leads to: a regular file, or nothing yet. Raises FileRefusedError."""
    target = Path(os.path.realpath(path))
    try:
        is_regular = stat.S_ISREG(target.stat().st_mode)
    except FileNotFoundError:
        return target
    except OSError as error:
        raise not_writable(path, error) from error
    if not is_regular:
        raise FileRefusedError(
            "not_a_file",
            f"无法写入 {path}：它是文件夹、设备或管道，不是普通文件。请换一个文件名。",
            f"{path} can't be written: it is a folder, a device or a pipe. Choose another name.",
        )
    return target


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def not_writable(path: Path, error: OSError) -> FileRefusedError:
    """The refusal for `path` in words; the system's own reason is named."""
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return FileRefusedError(
        "not_writable",
        f"无法写入 {path}（{reason}）。请检查文件夹是否存在、权限和磁盘空间。",
        f"{path} can't be written ({reason}). Check that the folder exists, its permissions and "
        "the free space.",
    )


def not_readable(path: Path, error: OSError) -> FileRefusedError:
    """As `not_writable`, for a file that was to be read."""
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return FileRefusedError(
        "not_readable",
        f"无法读取 {path}（{reason}）。请检查路径和权限。",
        f"{path} can't be read ({reason}). Check the path and its permissions.",
    )
