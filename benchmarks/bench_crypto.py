"""C1 to C4 and C8: SM2, SM3 and SM4 from Python, beside other libraries, for each back end.

    python -m benchmarks.bench_crypto

Prints the figures and writes them to build/bench/bench.json; README.md says how to read them.
"""

from benchmarks.report import by_back_end

TITLES = {
    "C1": "C1 verify, key kept",
    "C1.often": "C1 verify, key met often, by its bytes (KeptKeys)",
    "C1.table": "C1 building the table of a kept key",
    "C2": "C2 verify, key seen for the first time",
    "C2.compressed": "C2 the same, key compressed",
    "C3.kept": "C3 verify in a batch, key kept",
    "C3.different": "C3 verify in a batch, all keys different",
    "C4": "C4 sign",
    "C4.checked": "C4 sign, verified before it leaves",
    "C8.sm3": "C8 SM3 of 64 bytes",
    "C8.sm4": "C8 SM4, one block with its key",
    "C8.sm4-kept": "C8 SM4, one block under a kept key",
}


def main() -> None:
    """Measure, print, write."""
    by_back_end("benchmarks.back_end", TITLES)


if __name__ == "__main__":
    main()
