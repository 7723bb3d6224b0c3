"""C5 to C7 under the back end of this process; prints the figures as one line of JSON.

`bench_codes` runs it once for each back end. No code is checked twice in a row: what is read of the
tables of multiples is another part each time, as it is in a service.
"""

import itertools
import os
import statistics
from array import array
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter, perf_counter_ns

from benchmarks.contenders import Contender, fastest_contenders
from benchmarks.measure import ROUNDS, microseconds, pin_to_one_core
from benchmarks.report import Figure, tell
from card_core import business_types, codes
from card_core.codes import KeyPurpose, PurposeClass
from crypto import sm2
from crypto.keys.signer import FileSigner

ONLINE_CODES = 20_000
CALLS = 1_000_000
# All their devices' tables fit into what a ring remembers.
DEVICES = 200
CODES_BEFORE_TABLE = 8

LOOP = "an empty loop as long"

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
REGISTRATION = business_types.get("01101")
TERMINAL = bytes(range(1, 9))
BOX_KEY = bytes(range(16))


def mint(signer: FileSigner, minted_at: datetime) -> str:
    """What the holder service does once it knows that the e-card may be used."""
    box = codes.seal_box(BOX_KEY, 4711, os.urandom(8))
    code = codes.OnlineCode(1, 1, minted_at, PurposeClass.ANY_USE, business_types.ALL_PURPOSES, box)
    to_be_signed = code.to_be_signed()
    return codes.assemble(to_be_signed, signer.sign(to_be_signed))


def check(text: str, keys: codes.KeyRing) -> codes.CheckedCode:
    """Steps 1 to 6."""
    return codes.check(
        text,
        keys=keys,
        now=NOW,
        business_type=REGISTRATION,
        terminal=TERMINAL,
        amount_fen=None,
    )


def key_ring(private: sm2.PrivateKey, purpose: KeyPurpose) -> codes.KeyRing:
    """A ring of one key, which remembers nothing yet."""
    public = private.public_key()
    return codes.KeyRing([codes.CodeKey(1, 1, public, codes.KeyState.ACTIVE, purpose)])


def minting(private: sm2.PrivateKey, others: dict[str, Contender]) -> dict[str, Figure]:
    """C5."""
    checked = FileSigner("checked", private)
    unchecked = FileSigner("unchecked", private, checked=False)
    ours: dict[str, Callable[[], object]] = {
        "C5": lambda: mint(unchecked, NOW),
        "C5.checked": lambda: mint(checked, NOW),
        "signature alone": lambda: private.sign(bytes(61)),
    }
    times = microseconds(ours | {name: other.sign for name, other in others.items()})
    figures = {name: times.pop(name) for name in ("C5", "C5.checked")}
    return {name: Figure(value, "us", times) for name, value in figures.items()}


def online(private: sm2.PrivateKey, others: dict[str, Contender]) -> dict[str, Figure]:
    """C6: in slices beside the others, and then each of a million calls by itself."""
    signer = FileSigner("minting", private, checked=False)
    texts = [mint(signer, NOW - timedelta(seconds=n % 60)) for n in range(ONLINE_CODES)]
    keys = key_ring(private, KeyPurpose.CODE_SIGNING)
    kept = sm2.Verifier(private.public_key())
    signed = [(private.sign(message), message) for message in map(message_of, range(ONLINE_CODES))]
    next_text, next_signed = itertools.cycle(texts).__next__, itertools.cycle(signed).__next__
    ours: dict[str, Callable[[], object]] = {
        "C6": lambda: check(next_text(), keys),
        "signature alone": lambda: kept.verify(*next_signed()),
    }
    times = microseconds(ours | {name: other.verify for name, other in others.items()})
    figure = Figure(times.pop("C6"), "us", times)
    ours_ns, loop_ns = one_by_one(texts, keys, figure.value)
    return {
        "C6": figure,
        "C6.p50": Figure(rank(ours_ns, 0.5), "us", {LOOP: rank(loop_ns, 0.5)}),
        "C6.p99.9": Figure(rank(ours_ns, 0.999), "us", {LOOP: rank(loop_ns, 0.999)}),
    }


def one_by_one(
    texts: Sequence[str], keys: codes.KeyRing, duration_us: float
) -> tuple[Sequence[int], Sequence[int]]:
    """The nanoseconds of each check, and of an empty loop about as long after each of them.

    What interrupts the one interrupts the other: the difference is the check's own.
    """
    turns = 1_000
    start = perf_counter()
    spin(turns)
    turns = max(1, round(turns * duration_us / 1e6 / (perf_counter() - start)))
    ours_ns, loop_ns = array("q"), array("q")
    for text in itertools.islice(itertools.cycle(texts), CALLS):
        start_ns = perf_counter_ns()
        check(text, keys)
        middle_ns = perf_counter_ns()
        spin(turns)
        ours_ns.append(middle_ns - start_ns)
        loop_ns.append(perf_counter_ns() - middle_ns)
    return ours_ns, loop_ns


def spin(turns: int) -> None:
    """Do nothing for a while."""
    for _ in range(turns):
        pass


def rank(durations_ns: Sequence[int], share: float) -> float:
    """The microseconds that this share of the calls does not exceed."""
    return sorted(durations_ns)[int(len(durations_ns) * share)] / 1000


def message_of(number: int) -> bytes:
    """As long as what is signed of an online code."""
    return number.to_bytes(61, "big")


def offline_texts(issuer: sm2.PrivateKey, counts: Sequence[int]) -> list[list[str]]:
    """For each count so many codes of each of the devices, under one credential a device."""
    devices = []
    for index in range(DEVICES):
        device = sm2.PrivateKey.generate()
        to_be_signed = codes.DeviceCredential(
            1,
            1,
            NOW + timedelta(hours=8),
            PurposeClass.IDENTIFY_ONLY,
            business_types.ALL_PURPOSES,
            status_index=index,
            device_key=device.public_key().to_bytes(compressed=True),
        ).to_be_signed()
        credential = codes.assemble_credential(to_be_signed, issuer.sign(to_be_signed))
        devices.append((device, credential))
    return [[offline_text(*device) for _ in range(count) for device in devices] for count in counts]


def offline_text(device: sm2.PrivateKey, credential: bytes) -> str:
    """A new code, as a phone makes it."""
    to_be_signed = codes.OfflineCode(
        credential,
        NOW,
        PurposeClass.IDENTIFY_ONLY,
        business_types.ALL_PURPOSES,
        os.urandom(8),
    ).to_be_signed()
    return codes.assemble(to_be_signed, device.sign(to_be_signed))


def offline(issuer: sm2.PrivateKey, others: dict[str, Contender]) -> dict[str, Figure]:
    """C7: each round begins with a ring that knows no device, and meets all of them nine times."""
    first, second, more, then = offline_texts(issuer, (1, 1, CODES_BEFORE_TABLE - 2, 1))
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        keys = key_ring(issuer, KeyPurpose.DEVICE_CREDENTIAL)
        for name, texts in (("C7", first), ("C7.seen", second), ("", more), ("C7.often", then)):
            start = perf_counter()
            for text in texts:
                check(text, keys)
            times.setdefault(name, []).append((perf_counter() - start) / len(texts) * 1e6)
        if keys.remembered != DEVICES:
            raise RuntimeError("the ring did not remember all of them")
        for name, other in others.items():
            start = perf_counter()
            for _ in range(20):
                other.verify()
            times.setdefault(name, []).append((perf_counter() - start) / 20 * 1e6)
    medians = {name: round(statistics.median(values), 3) for name, values in times.items()}
    one = {name: medians[name] for name in others}
    two = {f"{name}, both signatures": round(2 * value, 3) for name, value in one.items()}
    return {
        "C7": Figure(medians["C7"], "us", two),
        "C7.seen": Figure(medians["C7.seen"], "us", one),
        "C7.often": Figure(medians["C7.often"], "us", one),
    }


def main() -> None:
    """Measure, print."""
    pin_to_one_core()
    private = sm2.PrivateKey.generate()
    others = fastest_contenders(private)
    tell(minting(private, others) | online(private, others) | offline(private, others))


if __name__ == "__main__":
    main()
