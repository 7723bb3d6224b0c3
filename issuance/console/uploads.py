"""Rosters that operators have sent: received in parts, checked, imported, forgotten.

What is sent lies in a file without a name, which is gone when this process is, however it ends; a
link to it, with the ending that the sender's file had, is what the roster's code opens. An hour
after it was last asked for it is forgotten, and so is an operator's earlier one when another comes.
"""

import logging
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from card_core.errors import CardCoreError, NotFoundError
from card_core.kernel import Actor, Kernel
from card_core.kernel.dates import SHANGHAI
from issuance.console.problems import ConsoleError
from issuance.errors import IssuanceError
from issuance.importing import REFUSED_AT_IMPORT, Imported, opened_import
from issuance.roster import RosterFileError, RosterReport, check_stream, open_roster
from issuance.roster.corrections import CorrectionFormat, write_corrections
from issuance.roster.file_error import FILE_BYTES_MAX
from issuance.roster.problem import FieldProblem

PART_BYTES_MAX: Final = 1024 * 1024
UPLOADS_MAX: Final = 8
KEPT_FOR: Final = timedelta(hours=1)
KINDS_SHOWN_MAX: Final = 50
_WORKERS: Final = 2
_log = logging.getLogger("sscard.console")


class StoppedError(Exception):
    """The console is stopped."""


class UploadState(StrEnum):
    RECEIVING = "receiving"
    CHECKING = "checking"
    CHECKED = "checked"
    IMPORTING = "importing"
    IMPORTED = "imported"
    UNUSABLE = "unusable"


_AT_WORK: Final = frozenset({UploadState.CHECKING, UploadState.IMPORTING})


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why nothing came of it; a stable code, Chinese, English."""

    code: str
    message_zh: str
    message_en: str


@dataclass(slots=True, repr=False)
class Upload:
    """size, received: bytes. done, expected: rows, of whatever is under way.

    kinds: what is wrong with how many rows, the most frequent first, at most KINDS_SHOWN_MAX.
    """

    id: str
    owner: Actor
    name: str
    size: int
    file: BinaryIO
    path: Path
    used_at: datetime
    state: UploadState = UploadState.RECEIVING
    received: int = 0
    done: int = 0
    expected: int | None = None
    report: RosterReport | None = None
    kinds: Sequence[tuple[FieldProblem, int]] = ()
    imported: Imported | None = None
    unusable: Unusable | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)
        self.file.close()


class Uploads:
    """For threads. clock: the time now, aware, UTC."""

    def __init__(self, kernel: Kernel, clock: Callable[[], datetime]) -> None:
        self._kernel = kernel
        self._clock = clock
        self._links: tempfile.TemporaryDirectory[str] | None = None
        self._is_stopping = False
        self._found: dict[str, Upload] = {}
        self._lock = threading.Lock()
        self._work = ThreadPoolExecutor(_WORKERS, thread_name_prefix="rosters")

    def begin(self, owner: Actor, file_name: str, size: int) -> Upload:
        """A new one, for so many bytes. Raises RosterFileError, ConsoleError."""
        if size > FILE_BYTES_MAX:
            raise RosterFileError("file_too_large")
        name = PurePosixPath(file_name.replace("\\", "/"))
        with self._lock:
            self._make_room(owner)
            upload_id = self._kernel.random_bytes(16).hex()
            # The file has no name: nothing of it stays when this process is killed.
            file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `forget`
            path = self._folder() / f"{upload_id}{_ending(name.suffix)}"
            path.symlink_to(f"/proc/{os.getpid()}/fd/{file.fileno()}")
            new = Upload(upload_id, owner, name.stem[:64], size, file, path, self._clock())
            self._found[upload_id] = new
        return new

    def get(self, owner: Actor, upload_id: str) -> Upload:
        """Raises NotFoundError, also for another operator's."""
        with self._lock:
            found = self._found.get(upload_id)
            if found is None or found.owner != owner:
                raise NotFoundError("roster")
            found.used_at = self._clock()
            return found

    def receive(self, upload: Upload, offset: int, part: bytes) -> None:
        """Take the bytes from `offset` on; those that came before may come again.

        Raises ConsoleError (part_misplaced).
        """
        with upload.lock:
            is_next = upload.state is UploadState.RECEIVING and offset <= upload.received
            if not is_next or offset + len(part) > upload.size:
                raise ConsoleError(
                    409,
                    "part_misplaced",
                    "文件分段的位置不对，请重新上传",
                    "This part of the file doesn't go there; send the file again",
                )
            os.pwrite(upload.file.fileno(), part, offset)
            upload.received = max(upload.received, offset + len(part))
            if upload.received == upload.size:
                upload.state = UploadState.CHECKING
                self._work.submit(self._run, upload, self._check)

    def start_import(self, upload: Upload, name: str) -> None:
        """Import what was checked; asked again while it runs or afterwards, nothing more.

        Raises ConsoleError (not_checked).
        """
        with upload.lock:
            if upload.state in {UploadState.IMPORTING, UploadState.IMPORTED}:
                return
            if upload.state is not UploadState.CHECKED:
                raise ConsoleError(
                    409,
                    "not_checked",
                    "名册还没有检查完，或不能使用",
                    "The roster is not checked yet, or can't be used",
                )
            upload.name = name
            upload.state = UploadState.IMPORTING
            upload.done, upload.expected = 0, upload.done
        self._work.submit(self._run, upload, self._import)

    def corrections(self, upload: Upload, kind: CorrectionFormat) -> BinaryIO:
        """A file without a name, with the refused rows, from its beginning.

        Raises ConsoleError (not_checked).
        """
        report = upload.report
        if report is None or upload.state in _AT_WORK:
            raise ConsoleError(409, "not_checked", "请等名册检查完", "Wait until it is checked")
        later = upload.imported.refused if upload.imported else {}
        out = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever sends it
        words = {REFUSED_AT_IMPORT[code]: rows for code, rows in later.items()}
        write_corrections(upload.path, report, words, out, kind)
        out.seek(0)
        return out

    def forget(self, upload: Upload) -> None:
        """Raises ConsoleError (at_work) while it is checked or imported."""
        with self._lock:
            if upload.state in _AT_WORK:
                raise _at_work()
            if self._found.pop(upload.id, None) is not None:
                upload.forget()

    def close(self) -> None:
        """End what is under way, which takes back what it has stored, and forget everything."""
        self._is_stopping = True
        self._work.shutdown(cancel_futures=True)
        with self._lock:
            while self._found:
                self._found.popitem()[1].forget()
            if self._links is not None:
                self._links.cleanup()

    def _folder(self) -> Path:
        """Where the links are; nobody else may look into it."""
        if self._links is None:
            self._links = tempfile.TemporaryDirectory(prefix="sscard-rosters-")
        return Path(self._links.name)

    def _shown(self, upload: Upload) -> Callable[[int, int | None], None]:
        def show(done: int, expected: int | None) -> None:
            if self._is_stopping:
                raise StoppedError
            upload.done, upload.expected = done, expected

        return show

    def _make_room(self, owner: Actor) -> None:
        """Forget what is old, and the same operator's earlier one. Raises ConsoleError."""
        now = self._clock()
        for one in list(self._found.values()):
            if one.state in _AT_WORK:
                if one.owner == owner:
                    raise _at_work()
                continue
            if one.owner == owner or now >= one.used_at + KEPT_FOR:
                del self._found[one.id]
                one.forget()
        if len(self._found) >= UPLOADS_MAX:
            raise ConsoleError(
                503,
                "too_many_rosters",
                "其他人正在导入名册，请稍后再试",
                "Others are importing rosters; try again later",
            )

    def _run(self, upload: Upload, work: Callable[[Upload], UploadState]) -> None:
        try:
            upload.state = work(upload)
        except (CardCoreError, IssuanceError, RosterFileError) as error:
            upload.unusable = Unusable(error.code, error.message_zh, error.message_en)
            upload.state = UploadState.UNUSABLE
        except Exception as error:  # noqa: BLE001 - whoever waits for it has to hear of it
            _log.error('{"event": "roster_failed", "error": "%s"}', type(error).__name__)
            upload.unusable = Unusable(
                "internal_error", "处理名册时出错，请重新上传", "It failed; send the roster again"
            )
            upload.state = UploadState.UNUSABLE

    def _check(self, upload: Upload) -> UploadState:
        today = self._clock().astimezone(SHANGHAI).date()
        with open_roster(upload.path) as roster:
            report = check_stream(
                roster, today=today, take=lambda _: None, progress=self._shown(upload)
            )
        counted = Counter(problem for one in report.refused for problem in one.problems)
        upload.kinds = counted.most_common(KINDS_SHOWN_MAX)
        upload.report = report
        return UploadState.CHECKED

    def _import(self, upload: Upload) -> UploadState:
        today = self._clock().astimezone(SHANGHAI).date()
        with opened_import(self._kernel, name=upload.name, actor=upload.owner) as importing:
            found = importing.take_file(upload.path, today=today, progress=self._shown(upload))
            upload.imported = importing.close(found)
        return UploadState.IMPORTED


def _ending(suffix: str) -> str:
    """The file's own, where it is one that a roster may have; others are refused by the check."""
    return suffix.lower() if suffix.lower() in {".csv", ".txt", ".xlsx"} else ".unknown"


def _at_work() -> ConsoleError:
    return ConsoleError(
        409,
        "at_work",
        "上一份名册正在处理，请等它完成",
        "Your last roster is being worked on; wait until it is done",
    )
