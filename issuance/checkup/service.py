"""A running service, by the numbers that it gives on its metrics port."""

import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from card_core.codes.key_life import CLOCKS_APART_SECONDS_MAX, RING_AGE_SECONDS_MAX
from issuance.checkup.finding import Finding, Grade

ABOUT = "运行中的服务 Running service"
ANSWER_SECONDS = 5
REGISTRY_AGE_SECONDS_MAX = 2
UNRECORDED_MAX = 5_000
WAITING_MAX = 512

Numbers = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A gauge of every worker, and what is wrong with a value. unit: behind the value."""

    gauge: str
    about: str
    is_well: Callable[[float], bool]
    advice: str
    unit: str = "s"
    grade: Grade = Grade.BAD


_RULES = (
    _Rule(
        "self_tests_passed",
        "密码自检 self-tests",
        lambda value: value == 1,
        "请重启；若重现，更换设备 restart; if it stays, replace the machine",
        unit="",
    ),
    _Rule(
        "registry_age_seconds",
        "终端名录 registry age",
        lambda value: 0 <= value <= REGISTRY_AGE_SECONDS_MAX,
        "所有终端均被拒绝，请检查数据库 no terminal is let in; check the database",
    ),
    _Rule(
        "key_ring_age_seconds",
        "公钥 key ring age",
        lambda value: 0 <= value <= RING_AGE_SECONDS_MAX,
        "所有动态码均被拒绝，请检查数据库 no code is taken; check the database",
    ),
    _Rule(
        "fast_store_ready",
        "快速核销库 fast store ready",
        lambda value: value == 1,
        "仅供识别的动态码被要求刷新，原因见日志 codes that only identify are refused; see the log",
        unit="",
    ),
    _Rule(
        "database_ahead_seconds",
        "数据库时钟偏差 database clock offset",
        lambda value: abs(value) <= CLOCKS_APART_SECONDS_MAX,
        "请两边都用 NTP 校时 set both clocks by NTP",
    ),
    _Rule(
        "unrecorded_scans",
        "待入库核验 unrecorded scans",
        lambda value: value <= UNRECORDED_MAX,
        "数据库跟不上，请检查其磁盘 the database does not keep up; look at its disk",
        unit="",
        grade=Grade.NOTE,
    ),
    _Rule(
        "writer_waiting",
        "等待提交的核验 scans waiting",
        lambda value: value <= WAITING_MAX,
        "数据库跟不上，请检查其磁盘 the database does not keep up; look at its disk",
        unit="",
        grade=Grade.NOTE,
    ),
)


def look(port: int) -> Iterator[Finding]:
    """port: of `sscard serve --metrics`, on this machine."""
    try:
        numbers = _read(port)
    except (OSError, ValueError):
        zh = f"127.0.0.1:{port} 没有应答；sscard serve --metrics {port} 是否在运行"
        yield Finding(ABOUT, Grade.BAD, f"{zh} no answer; is it running?")
        return
    workers = sorted(numbers.get("sscard_resident_bytes", {}))
    yield Finding(ABOUT, Grade.WELL, f"{len(workers)} 个工作进程 workers")
    for rule in _RULES:
        for worker, value in sorted(numbers.get(f"sscard_{rule.gauge}", {}).items()):
            yield _judged(rule, worker, value)


def _judged(rule: _Rule, worker: str, value: float) -> Finding:
    about = f"进程 Worker {worker}: {rule.about}"
    seen = f"{value:.3g} {rule.unit}".rstrip()
    if rule.is_well(value):
        return Finding(about, Grade.WELL, seen)
    return Finding(about, rule.grade, f"{seen}，{rule.advice}")


def _read(port: int) -> Numbers:
    """Gauges by name, then by worker. Raises OSError, ValueError."""
    from prometheus_client.parser import (  # noqa: PLC0415 - only where it is asked for
        text_string_to_metric_families,
    )

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=ANSWER_SECONDS) as answer:
        text = answer.read().decode()
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            if "worker" in one.labels:
                found.setdefault(one.name, {})[one.labels["worker"]] = one.value
    return found
