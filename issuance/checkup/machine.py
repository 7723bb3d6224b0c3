"""The machine: cryptography, random source, back end, clock, disk, limits."""

import os
import platform
import resource
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from card_core import codes
from crypto import random_source, self_test, sm2
from issuance.checkup.finding import Finding, Grade, median_ms, timed, told
from issuance.settings import Settings

BACKEND_VARIABLE = "SSCARD_SM2_BACKEND"
# This program is not older; a clock before it is wrong, and every code would be, too.
WRITTEN_AT = datetime(2026, 11, 1, tzinfo=UTC)
FUTURE_ALLOWED = timedelta(minutes=5)
DRAWS = 100
# Slower than this and counters wait for the machine, not for the service.
WRITE_MS_MAX = 10.0
# As many connections as scan_api.server takes, and what else a process has open.
OPEN_FILES_MIN = 8192


def look(settings: Settings, now: datetime) -> Iterator[Finding]:
    """now: aware, UTC."""
    yield from _versions()
    yield from _self_tests()
    yield from _clock(settings, now)


def look_at_speed(settings: Settings) -> Iterator[Finding]:
    """What every scan waits for, and how many may come."""
    about = "磁盘写入 Disk, one durable write"
    try:
        taken = median_ms(lambda: _write_durably(settings.home.path))
    except OSError as error:
        yield Finding(about, Grade.BAD, os.strerror(error.errno or 0))
    else:
        yield timed(about, taken, WRITE_MS_MAX, "换用更快的磁盘 use a faster disk")
    yield from _open_files()


def _versions() -> Iterator[Finding]:
    machine = f"sscard {version('sscard')}, Python {platform.python_version()}, "
    yield Finding("版本 Versions", Grade.WELL, machine + platform.machine())
    yield _back_end()


def _back_end() -> Finding:
    """A back end that was chosen by hand for a test must not stay in an installation."""
    used, usable = sm2.backend(), sm2.available_backends()
    forced = os.environ.get(BACKEND_VARIABLE)
    how = f"由 {BACKEND_VARIABLE} 指定 forced" if forced else "按处理器选择 detected"
    seen = f"{used}（{how}；可用 available: {', '.join(usable)}）"
    if forced and used != usable[-1]:
        advice = f"，仅供测试，请取消 {BACKEND_VARIABLE} for tests alone; unset it"
        return Finding("SM2/SM4 后端 Back end", Grade.NOTE, seen + advice)
    return Finding("SM2/SM4 后端 Back end", Grade.WELL, seen)


def _self_tests() -> Iterator[Finding]:
    for result in self_test.run():
        about = f"自检 Self-test: {self_test.NAMES_ZH[result.name]} {result.name}"
        seen = "通过 passed" if result.passed else "未通过 failed; 请更换设备 replace this machine"
        yield Finding(about, Grade.WELL if result.passed else Grade.BAD, seen)
    yield told("自检 Self-test: 动态码核验 codes", _codes_core)
    yield told("随机源 Random source", _random_source)


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


def _write_durably(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(4096))
        file.flush()
        os.fsync(file.fileno())


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
