"""C5 to C7: codes minted and checked from Python, beside the signatures of other libraries.

    python -m benchmarks.bench_codes

Prints the figures and writes them to build/bench/bench.json; README.md says how to read them.
"""

from benchmarks.report import by_back_end

TITLES = {
    "C5": "C5 mint an online code, text out",
    "C5.checked": "C5 the same, its signature verified before it leaves",
    "C6": "C6 check an online code, text in, fields out",
    "C6.p50": "C6 the median of a million calls",
    "C6.p99.9": "C6 the slowest but one in a thousand of them (p99.9)",
    "C7": "C7 check an offline code, device never seen",
    "C7.seen": "C7 the same, credential seen before",
    "C7.often": "C7 the same, credential seen eight times and more",
}


def main() -> None:
    """Measure, print, write."""
    by_back_end("benchmarks.codes_back_end", TITLES)


if __name__ == "__main__":
    main()
