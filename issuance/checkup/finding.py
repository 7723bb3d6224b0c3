"""What a check says, and how its result is judged."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from card_core.errors import CardCoreError
from crypto import CryptoError
from crypto.keys import KeyFileError
from issuance.errors import IssuanceError

TIMED = 9


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


def told(about: str, check: Callable[[], str]) -> Finding:
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


def timed(about: str, taken_ms: float, most_ms: float, advice: str) -> Finding:
    seen = f"{taken_ms:.2g} ms" if taken_ms < 1 else f"{taken_ms:.1f} ms"
    if taken_ms <= most_ms:
        return Finding(about, Grade.WELL, seen)
    return Finding(about, Grade.NOTE, f"{seen}，偏慢 slow; {advice}")


def median_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMED):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000
