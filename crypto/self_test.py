"""Self-tests: what they are, when they run, and what follows when one fails.

Known answers run when the native core is loaded and again with every `run`; the random source is
tested at start-up and with each draw; a new key is tested before it is given out (GM/T 0028,
sections 7.10 and 7.11, name these kinds of test; the limits of the random source's are in
crypto/native/sm/src/health.rs). SM4-GCM has its known answer in crypto/sm4.py.

When one fails, the process is in the error state until it ends: every operation of this package
raises SelfTestError. Programs that serve call `require_operational` before they begin.
"""

from typing import Final, NamedTuple

from crypto import sm4
from crypto._native import require_operational, run_self_tests
from crypto.errors import SelfTestError

__all__ = ["NAMES_ZH", "Result", "SelfTestError", "require_operational", "run"]

NAMES_ZH: Final = {
    "sm3": "SM3 杂凑",
    "hmac_sm3": "HMAC-SM3",
    "kdf": "密钥派生",
    "sm4_encrypt": "SM4 加密",
    "sm4_decrypt": "SM4 解密",
    "sm2_sign": "SM2 签名",
    "sm2_verify": "SM2 验签",
    "sm2_encrypt": "SM2 加密",
    "sm2_decrypt": "SM2 解密",
    "bulk_cipher": "SM4-GCM",
    "key_pair": "新密钥对一致性",
    "random_start": "随机源启动检测",
    "random_draws": "随机源连续检测",
}


class Result(NamedTuple):
    """One test, by its stable name. passed: it has never failed in this process."""

    name: str
    passed: bool


def run() -> tuple[Result, ...]:
    """Run the known answers again and return how every test stands; takes a few milliseconds.

    Never raises: a test that fails is in the answer, and the error state follows.
    """
    sm4.run_known_answer()
    return tuple(Result(name, passed) for name, passed in run_self_tests())
