"""What `sscard doctor` looks at: cryptography, the home, its keys, the database, what is slow.

Each check returns findings and leaves nothing behind. No passphrase is asked for: with
SSCARD_KEY_PASSPHRASE_FILE the keys are opened and one signature is made, without it their files are
looked at from outside. A finding that is not `well` says in both languages what to do.
"""

import os
import platform
import resource
import stat
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from importlib.metadata import version
from pathlib import Path

from card_core import codes
from card_core.codes import KeyPurpose
from card_core.errors import CardCoreError, FastStoreError
from card_core.fast_store import Hindrance, Mode, RedisServers
from card_core.store import epochs
from crypto import CryptoError, random_source, self_test, sm2
from crypto.keys import KeyFileError, KeyFiles
from issuance.errors import IssuanceError
from issuance.installation import open_database_unread
from issuance.settings import Settings, read_secret

BACKEND_VARIABLE = "SSCARD_SM2_BACKEND"
_TO_SIGN = b"sscard doctor"
# This program is not older; a clock before it is wrong, and every code would be, too.
WRITTEN_AT = datetime(2026, 11, 1, tzinfo=UTC)
FUTURE_ALLOWED = timedelta(minutes=5)
DRAWS = 100
# Slower than these and counters wait for the machine, not for the service.
WRITE_MS_MAX = 10.0
QUESTION_MS_MAX = 5.0
TIMED = 9
# As many connections as scan_api.server takes, and what else a process has open.
OPEN_FILES_MIN = 8192


class Grade(Enum):
    """How a finding is meant: the Chinese word, then the English one."""

    WELL = "正常 ok"
    NOTE = "提示 note"
    BAD = "异常 FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it stands, and what was seen; both texts Chinese then English."""

    about: str
    grade: Grade
    seen: str


def look(settings: Settings, now: datetime) -> Iterator[Finding]:
    """All checks, the deepest layer first. now: aware, UTC."""
    began = time.monotonic()
    yield from _versions()
    yield from _self_tests()
    yield from _clock(settings, now)
    if not settings.home.path.exists():
        yield Finding(
            "工作目录 Home",
            Grade.NOTE,
            f"{settings.home.path}：尚无 none yet; sscard init 可建立 makes one",
        )
        return
    yield _told("工作目录 Home", lambda: _home(settings))
    yield _told("密钥文件权限 Key file permissions", lambda: _key_files(settings))
    yield from _passphrase_file(settings)
    yield _told("数据库 Database", lambda: _database(settings))
    yield from _database_clock(settings, now, began)
    yield _fast_store(settings)
    yield from _speed(settings)
    yield from _open_files()


def _versions() -> Iterator[Finding]:
    machine = f"sscard {version('sscard')}, Python {platform.python_version()}, "
    yield Finding("版本 Versions", Grade.WELL, machine + platform.machine())
    forced = os.environ.get(BACKEND_VARIABLE)
    how = f"由 {BACKEND_VARIABLE} 指定 forced" if forced else "按处理器选择 detected"
    built = ", ".join(sm2.available_backends())
    yield Finding(
        "SM2/SM4 后端 Back end", Grade.WELL, f"{sm2.backend()}（{how}；可用 available: {built}）"
    )


def _self_tests() -> Iterator[Finding]:
    for result in self_test.run():
        about = f"自检 Self-test: {self_test.NAMES_ZH[result.name]} {result.name}"
        seen = "通过 passed" if result.passed else "未通过 failed; 请更换设备 replace this machine"
        yield Finding(about, Grade.WELL if result.passed else Grade.BAD, seen)
    yield _told("自检 Self-test: 动态码核验 codes", _codes_core)
    yield _told("随机源 Random source", _random_source)


def _codes_core() -> str:
    codes.require_operational()
    return "通过 passed"


def _random_source() -> str:
    for _ in range(DRAWS):
        random_source.random_bytes(32)
    sm2.PrivateKey.generate()
    return f"{DRAWS} 次取数、一对新密钥均正常 draws and a new key pair, all sound"


def _clock(settings: Settings, now: datetime) -> Iterator[Finding]:
    shown = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    try:
        made_at = datetime.fromtimestamp(settings.home.facts_file.stat().st_mtime, UTC)
    except OSError:
        made_at = WRITTEN_AT
    wrong = now < max(WRITTEN_AT, made_at - FUTURE_ALLOWED)
    advice = "; 时钟偏早，请校时 behind; set the clock" if wrong else ""
    yield Finding("系统时钟 Clock", Grade.BAD if wrong else Grade.WELL, shown + advice)


def _home(settings: Settings) -> str:
    facts = settings.home.facts()
    if settings.home.path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise IssuanceError(
            "home_open", "对其他用户开放，请设为 0700", "open to others; set it to mode 0700"
        )
    return f"{settings.home.path}（发卡机构 issuer {facts.issuer}）"


def _key_files(settings: Settings) -> str:
    count = KeyFiles.check(settings.home.keys)
    return f"{settings.home.keys}：{count} 个密钥文件 key files"


def _passphrase_file(settings: Settings) -> Iterator[Finding]:
    about = "口令文件 Passphrase file"
    path = settings.passphrase_file
    if path is None:
        yield Finding(about, Grade.NOTE, "未设置，密钥未试开 not set; the keys were not opened")
        return
    yield _told(about, lambda: _passphrase_file_is_private(settings))
    yield _told("签名密钥 Signing key", lambda: _signs(settings))


def _passphrase_file_is_private(settings: Settings) -> str:
    path = settings.passphrase_file
    if path is None or path.stat().st_mode & stat.S_IRWXO:
        raise IssuanceError(
            "passphrase_file_open",
            f"{path} 对其他用户开放，请设为 0400",
            f"{path} is open to others; set it to mode 0400",
        )
    return str(path)


def _signs(settings: Settings) -> str:
    """Opens the keys, makes a signature and verifies it."""
    if settings.passphrase_file is None:
        return ""
    keys = KeyFiles.open(settings.home.keys, read_secret(settings.passphrase_file))
    names = [name for name in keys.names() if name.startswith(f"{KeyPurpose.CODE_SIGNING.value}.")]
    for name in names:
        signer = keys.signer(name)
        signer.public_key.verify(signer.sign(_TO_SIGN), _TO_SIGN)
    if not names:
        raise IssuanceError("no_signing_key", "没有动态码签名密钥", "there is no key for codes")
    return f"{', '.join(names)} 可签名 signs"


def _database(settings: Settings) -> str:
    with open_database_unread(settings) as store:
        if not store.is_current():
            raise IssuanceError(
                "database_not_current",
                "结构与本程序不符，请运行 sscard upgrade",
                "structure doesn't fit this program; run sscard upgrade",
            )
    kind = "SQLite" if settings.database_url.startswith("sqlite") else "PostgreSQL"
    return f"{kind}，可用且结构为最新 reachable and current"


def _database_clock(settings: Settings, now: datetime, began: float) -> Iterator[Finding]:
    """The service takes nothing where the two clocks differ. began: when `now` was, monotonic."""
    about = "数据库时钟 Database clock"
    try:
        with open_database_unread(settings) as store, store.read() as tx:
            database_at = epochs.database_time(tx)
    except Exception:  # noqa: BLE001 - the finding on the database says it
        return
    ahead = (database_at - now).total_seconds() - (time.monotonic() - began)
    seen = f"与本机相差 {ahead:+.0f} 秒 s from this machine's"
    if abs(ahead) <= epochs.CLOCK_OFFSET_SECONDS_MAX:
        yield Finding(about, Grade.WELL, seen)
    else:
        advice = "服务拒绝核验，请校时 the service refuses every scan; set the clocks"
        yield Finding(about, Grade.BAD, f"{seen}；{advice}")


def _fast_store(settings: Settings) -> Finding:
    """Asks the servers as a worker does, and changes nothing there."""
    about = "快速核销库 Fast store"
    config = settings.fast_store
    if config is None or config.mode is Mode.PROCESS:
        return Finding(
            about,
            Grade.NOTE,
            "在服务进程内；多个工作进程须设 SSCARD_REDIS_URL in the service's process; "
            "several workers need SSCARD_REDIS_URL",
        )
    servers = RedisServers(config)
    try:
        survey = servers.survey()
    except FastStoreError:
        hindrance: Hindrance | None = Hindrance.AWAY
    else:
        hindrance = survey.hindrance
    finally:
        servers.close()
    if hindrance is None:
        return Finding(about, Grade.WELL, f"Redis（{config.mode}），可用 usable")
    return Finding(about, Grade.BAD, f"{hindrance.text_zh} {hindrance.text_en}")


def _speed(settings: Settings) -> Iterator[Finding]:
    """What every scan waits for: the disk under the home, and a question to the database."""
    about = "磁盘写入 Disk, one durable write"
    try:
        taken = _median_ms(lambda: _write_durably(settings.home.path))
    except OSError as error:
        yield Finding(about, Grade.BAD, os.strerror(error.errno or 0))
    else:
        yield _timed(about, taken, WRITE_MS_MAX, "换用更快的磁盘 use a faster disk")
    about = "数据库应答 Database, one question"
    try:
        with open_database_unread(settings) as store:
            store.is_current()
            taken = _median_ms(store.is_current)
    except Exception:  # noqa: BLE001 - the finding on the database says it
        return
    near = "数据库应在同一机房 keep the database near"
    yield _timed(about, taken, QUESTION_MS_MAX, near)


def _median_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMED):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def _write_durably(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(4096))
        file.flush()
        os.fsync(file.fileno())


def _timed(about: str, taken: float, most: float, advice: str) -> Finding:
    seen = f"{taken:.1f} ms"
    if taken <= most:
        return Finding(about, Grade.WELL, seen)
    return Finding(about, Grade.NOTE, f"{seen}，偏慢 slow; {advice}")


def _open_files() -> Iterator[Finding]:
    """Each connection is an open file; the service takes so many at a time."""
    about = "可打开文件数 Open files"
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= OPEN_FILES_MIN:
        yield Finding(about, Grade.WELL, str(soft))
        return
    yield Finding(
        about,
        Grade.NOTE,
        f"{soft}，连接多时不够，请设 LimitNOFILE={OPEN_FILES_MIN} few; set LimitNOFILE",
    )


def _told(about: str, check: Callable[[], str]) -> Finding:
    """The finding of a check that returns what it saw, or raises what is wrong."""
    try:
        return Finding(about, Grade.WELL, check())
    except (IssuanceError, CardCoreError, KeyFileError, CryptoError) as error:
        return Finding(about, Grade.BAD, f"{error.message_zh} {error.message_en}")
    except OSError as error:
        return Finding(about, Grade.BAD, os.strerror(error.errno or 0))
    except Exception as error:  # noqa: BLE001 - whatever ends one check, the others are still made
        # Only its kind: a text from below could quote somebody's data.
        return Finding(about, Grade.BAD, type(error).__name__)
