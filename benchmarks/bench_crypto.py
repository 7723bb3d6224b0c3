"""C1, C2, C4 and C8: SM2, SM3 and SM4 from Python, beside other libraries, in one run.

    python -m benchmarks.bench_crypto

Prints the figures and writes them to build/bench/bench.json; README.md says how to read them.
"""

import gmssl_pyx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB

from benchmarks.contenders import MESSAGE, contenders
from benchmarks.measure import microseconds, pin_to_one_core
from benchmarks.report import Figure, machine, show, write
from crypto import sm2, sm3, sm4

BACK_END = "portable"
KEY, BLOCK = bytes(range(16)), bytes(range(16, 32))


def measure_sm2() -> dict[str, Figure]:
    """Signing, and verifying with the key kept and with a key seen for the first time."""
    private = sm2.PrivateKey.generate()
    point, signature = private.public_key().to_bytes(), private.sign(MESSAGE)
    kept = sm2.Verifier(private.public_key())
    others = contenders(private)
    verify = {name: other.verify for name, other in others.items()}
    ours = {
        "kept": lambda: kept.verify(signature, MESSAGE),
        "first": lambda: sm2.PublicKey.from_bytes(point).verify(signature, MESSAGE),
    }
    verified = microseconds(ours | verify)
    yardsticks = {name: verified[name] for name in verify}
    signed = microseconds(
        {"ours": lambda: private.sign(MESSAGE)}
        | {name: other.sign for name, other in others.items()}
    )
    return {
        f"C1.{BACK_END}": Figure(verified["kept"], "us", yardsticks),
        f"C2.{BACK_END}": Figure(verified["first"], "us", yardsticks),
        f"C4.{BACK_END}": Figure(signed.pop("ours"), "us", signed),
    }


def measure_sm3_and_sm4() -> dict[str, Figure]:
    """One digest of 64 bytes; one block, its key expanded each time, as diversification does."""

    def digest_by_cryptography() -> bytes:
        digest = hashes.Hash(hashes.SM3())
        digest.update(MESSAGE)
        return digest.finalize()

    def block_by_cryptography() -> bytes:
        return Cipher(SM4(KEY), ECB()).encryptor().update(BLOCK)

    digests = microseconds(
        {
            "ours": lambda: sm3.digest(MESSAGE),
            "cryptography": digest_by_cryptography,
            "gmssl-pyx": lambda: gmssl_pyx.sm3_hash(MESSAGE),
        }
    )
    blocks = microseconds(
        {
            "ours": lambda: sm4.encrypt_block(KEY, BLOCK),
            "cryptography": block_by_cryptography,
            # No single block there; one of CTR is one block.
            "gmssl-pyx": lambda: gmssl_pyx.sm4_ctr_encrypt(KEY, BLOCK, BLOCK),
        }
    )
    return {
        "C8.sm3": Figure(digests.pop("ours"), "us", digests),
        "C8.sm4": Figure(blocks.pop("ours"), "us", blocks),
    }


TITLES = {
    f"C1.{BACK_END}": "C1 verify, key kept",
    f"C2.{BACK_END}": "C2 verify, key seen for the first time",
    f"C4.{BACK_END}": "C4 sign",
    "C8.sm3": "C8 SM3 of 64 bytes",
    "C8.sm4": "C8 SM4, one block with its key",
}


def main() -> None:
    """Measure, print, write."""
    pin_to_one_core()
    for name, value in machine().items():
        print(f"{name}: {value}")
    figures = measure_sm2() | measure_sm3_and_sm4()
    for name, title in TITLES.items():
        show(title, figures[name])
    write(figures)


if __name__ == "__main__":
    main()
