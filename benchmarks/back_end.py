"""C1 to C4 and C8 under the back end of this process; prints the figures as one line of JSON.

`bench_crypto` runs it once for each back end, forced by the environment.
"""

from collections.abc import Callable, Sequence

import gmssl_pyx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB

from benchmarks.contenders import MESSAGE, Contender, contenders
from benchmarks.measure import microseconds, pin_to_one_core
from benchmarks.report import Figure, tell
from crypto import sm2, sm3, sm4

BATCH = 64
KEY, BLOCK = bytes(range(16)), bytes(range(16, 32))


def verification(private: sm2.PrivateKey, others: dict[str, Contender]) -> dict[str, Figure]:
    """C1 and C2: a key kept for good, one met often, one seen for the first time."""
    public, signature = private.public_key(), private.sign(MESSAGE)
    point, compressed = public.to_bytes(), public.to_bytes(compressed=True)
    kept, kept_keys = sm2.Verifier(public), sm2.KeptKeys(bytes_max=1 << 20)
    while not kept_keys.tables:
        kept_keys.verify(compressed, signature, MESSAGE)
    ours: dict[str, Callable[[], object]] = {
        "C1": lambda: kept.verify(signature, MESSAGE),
        "C1.often": lambda: kept_keys.verify(compressed, signature, MESSAGE),
        "C1.table": lambda: sm2.Verifier(public),
        "C2": lambda: sm2.PublicKey.from_bytes(point).verify(signature, MESSAGE),
        "C2.compressed": lambda: sm2.PublicKey.from_bytes(compressed).verify(signature, MESSAGE),
    }
    theirs = {name: other.verify for name, other in others.items()}
    times = microseconds(ours | theirs)
    yardsticks = {name: times[name] for name in theirs}
    return {
        name: Figure(times[name], "us", {} if name == "C1.table" else yardsticks) for name in ours
    }


def one_by_one(signed: Sequence[tuple[sm2.PublicKey | sm2.Verifier, bytes, bytes]]) -> None:
    """What a batch is held against."""
    for key, signature, message in signed:
        key.verify(signature, message)


def batches(yardsticks: dict[str, float]) -> dict[str, Figure]:
    """C3: one signature of a batch, beside the same signatures one by one.

    yardsticks: one verification by the others, who have no batches.
    """
    keys = [sm2.PrivateKey.generate() for _ in range(BATCH)]
    one = sm2.Verifier(keys[0].public_key())
    same = [(one, keys[0].sign(b"%d" % i), b"%d" % i) for i in range(BATCH)]
    different = [(key.public_key(), key.sign(MESSAGE), MESSAGE) for key in keys]
    times = microseconds(
        {
            "kept": lambda: sm2.verify_batch(same),
            "kept, one by one": lambda: one_by_one(same),
            "different": lambda: sm2.verify_batch(different),
            "different, one by one": lambda: one_by_one(different),
        }
    )
    share = {name: round(time / BATCH, 3) for name, time in times.items()}
    return {
        f"C3.{name}": Figure(
            share[name], "us", {"one by one": share[f"{name}, one by one"]} | yardsticks
        )
        for name in ("kept", "different")
    }


def signing(private: sm2.PrivateKey, others: dict[str, Contender]) -> dict[str, Figure]:
    """C4: without the fault check, and verified before it leaves as an issuer's key does."""
    kept = sm2.Verifier(private.public_key())
    ours: dict[str, Callable[[], object]] = {
        "C4": lambda: private.sign(MESSAGE),
        "C4.checked": lambda: kept.verify(private.sign(MESSAGE), MESSAGE),
    }
    theirs = {name: other.sign for name, other in others.items()}
    times = microseconds(ours | theirs)
    yardsticks = {name: times[name] for name in theirs}
    return {name: Figure(times[name], "us", yardsticks) for name in ours}


def digests_and_blocks() -> dict[str, Figure]:
    """C8: one digest of 64 bytes; one block, its key expanded each time, and under a kept key."""

    def digest_by_cryptography() -> bytes:
        digest = hashes.Hash(hashes.SM3())
        digest.update(MESSAGE)
        return digest.finalize()

    def block_by_cryptography() -> bytes:
        return Cipher(SM4(KEY), ECB()).encryptor().update(BLOCK)

    cipher = sm4.Cipher(KEY)
    kept_by_cryptography = Cipher(SM4(KEY), ECB()).encryptor()
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
    kept = microseconds(
        {
            "ours": lambda: cipher.encrypt_block(BLOCK),
            "cryptography": lambda: kept_by_cryptography.update(BLOCK),
        }
    )
    return {
        "C8.sm3": Figure(digests.pop("ours"), "us", digests),
        "C8.sm4": Figure(blocks.pop("ours"), "us", blocks),
        "C8.sm4-kept": Figure(kept.pop("ours"), "us", kept),
    }


def main() -> None:
    """Measure, print."""
    pin_to_one_core()
    private = sm2.PrivateKey.generate()
    others = contenders(private)
    verified = verification(private, others)
    figures = (
        verified
        | batches(verified["C1"].yardsticks)
        | signing(private, others)
        | digests_and_blocks()
    )
    tell(figures)


if __name__ == "__main__":
    main()
