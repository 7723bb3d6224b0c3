"""A process that calls every native entry with random arguments: `random_calls.py SEED CALLS`.

The entries are found by looking at the two extension modules, so that a new one is called as soon
as it is there. Arguments go by their parameter's name: a good value, a good one spoilt, or a
value of the wrong type or size. Several threads call at the same time, on shared objects.

Prints one line of JSON: the process id, per entry how many calls answered and how many refused,
and by how many KiB memory grew after the first tenth. An error that is not declared, a panic
among them, ends the process with its traceback.
"""

import inspect
import json
import os
import random
import resource
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import repeat
from typing import Any

from card_core import _native as codes_native
from card_core.codes import CodeKey, KeyPurpose, KeyState
from card_core.errors import CardCoreError
from crypto import CryptoError, sm2, sm3
from crypto import _native as crypto_native

THREADS = 4
# What an entry may raise: the rooms' own errors, a wrong value, a wrong type. A key ring reads
# the attributes of its keys, and an object without them is a wrong type too.
DECLARED = (CryptoError, CardCoreError, ValueError, TypeError, AttributeError)
# Entries that build tables, or test everything, are called less often: they take 2 ms.
SLOW = {"crypto.Verifier", "card_core.KeyRing", "crypto.run_self_tests"}
# After this one every other refuses, as it should: tests/crypto/error_state_calls.py has it.
ENDING = {"fail_bulk_cipher"}

PRIVATE = sm2.PrivateKey.generate()
OTHER = sm2.PrivateKey.generate()
PUBLIC = PRIVATE.public_key()
MESSAGE = b"message"
DIGEST = sm3.digest(MESSAGE)
TERMINAL = bytes.fromhex("a1b2c3d4e5f60718")
NOW = 1_800_000_000
CODE_KEYS = [
    CodeKey(1, 1, PUBLIC, KeyState.ACTIVE),
    CodeKey(1, 1, OTHER.public_key(), KeyState.ACTIVE, KeyPurpose.DEVICE_CREDENTIAL),
]
KEPT_KEYS = sm2.KeptKeys(bytes_max=200_000)
RING = codes_native.KeyRing(CODE_KEYS)

ONLINE = codes_native.online_to_be_signed(1, 1, NOW, 1, 511, 0, 0, TERMINAL, 7, bytes(16))
DEVICE_POINT = PUBLIC.to_bytes(compressed=True)
CREDENTIAL_FIELDS = codes_native.credential_to_be_signed(
    1, 1, NOW + 3600, 1, 511, 0, 0, 5, DEVICE_POINT
)
CREDENTIAL = codes_native.assemble_credential(CREDENTIAL_FIELDS, OTHER.sign(CREDENTIAL_FIELDS))
OFFLINE = codes_native.offline_to_be_signed(CREDENTIAL, NOW, 1, 511, bytes(8), TERMINAL, 0)
TEXTS = [codes_native.assemble(code, PRIVATE.sign(code)) for code in (ONLINE, OFFLINE)]

SIGNATURES = [PRIVATE.sign(MESSAGE), PRIVATE.sign_digest(DIGEST), OTHER.sign(MESSAGE)]
CIPHERTEXT = PUBLIC.encrypt(MESSAGE)
SEALED = crypto_native.Gcm(bytes(16)).encrypt(bytes(12), MESSAGE, b"row")
SEALED_EACH = crypto_native.Gcm(bytes(16)).encrypt_each(
    b"1", bytes(24), [MESSAGE, b""], [b"row", b"column"], [b"row"]
)
STATUS_LIST = codes_native.StatusList(1000, [(1, 1), (5, 2), (999, 3)])
LATER_LIST = codes_native.StatusList(1000, [(1, 1), (7, 2)])
HUGE = bytes(1 << 20)
ROW = {"id": "1", "version": 1, "mac": None, "key": b"key", "at": datetime.now(UTC)}

# Good values of the parameters, by name. A name that is missing here gets any value at all.
GOOD: dict[str, list[Any]] = {
    "data": [MESSAGE, PRIVATE.to_bytes(), PUBLIC.to_bytes(), DEVICE_POINT],
    "message": [MESSAGE, MESSAGE, MESSAGE, bytes(32)],
    "signer_id": [sm2.DEFAULT_SIGNER_ID, b"", b"another", bytes(8191), bytes(8192)],
    "digest": [DIGEST],
    "ciphertext": [CIPHERTEXT, SEALED],
    "compressed": [True, False],
    "signature": SIGNATURES,
    "der": [sm2.signature_to_der(SIGNATURES[0]), sm2.ciphertext_to_der(CIPHERTEXT)],
    "plaintext": [MESSAGE, b"x"],
    "public_key": [PUBLIC, OTHER.public_key(), sm2.Verifier(PUBLIC), DEVICE_POINT],
    "key": [bytes(16), b"key"],
    "block": [bytes(16)],
    "iv": [bytes(16)],
    "master": [bytes(16)],
    "factor": [bytes(8)],
    "tag": [sm3.hmac(b"key", MESSAGE)],
    "z": [MESSAGE],
    "length": [1, 32, 1000],
    "bytes_max": [0, 1 << 20],
    "size": [0, 16, 1000],
    "text": TEXTS,
    "keys": [RING, CODE_KEYS, CODE_KEYS[:1]],
    "now": [NOW, NOW + 60],
    "purpose": [1, 2],
    "consumes": [True, False],
    "terminal": [TERMINAL],
    "amount_fen": [7, None, 0],
    "to_be_signed": [ONLINE, OFFLINE, CREDENTIAL_FIELDS],
    "credential": [CREDENTIAL],
    "device_key": [DEVICE_POINT],
    "sealed_box": [bytes(16)],
    "nonce": [bytes(8), bytes(12), bytes(12), bytes(129)],
    "aad": [b"", b"row"],
    "table": ["cards"],
    "values": [ROW, {}, {"a": 2**70, "b": True}, [MESSAGE, None], ["a", "\\"], [1, None]],
    "kind": ["bytea", "text", "bigint"],
    "leaves": [[MESSAGE, b""], [MESSAGE] * 100],
    "masters": [bytes(32), bytes(160)],
    "transport": [crypto_native.Cipher(bytes(16))],
    "head": [b"1"],
    "nonces": [bytes(24)],
    "plaintexts": [[MESSAGE, b""]],
    "aads": [[b"row", b"column"]],
    "tails": [[b"row"]],
    "sealed": [SEALED_EACH],
    "rows": [[ROW, ROW], [], [tuple(ROW.values())]],
    "names": [tuple(ROW)],
    "kinds": [["text", "bytea"], ["integer", "date"]],
    "columns": [[["a", None], [MESSAGE, b""]], [[1, 2], [date(2026, 7, 1), None]]],
    "issuer": [1, 65535],
    "key_number": [1, 255],
    "minted_at": [NOW],
    "expires_at": [NOW],
    "status_index": [5],
    "purpose_class": [1, 2],
    "purposes": [511, 1],
    "for_whom": [0, 1],
    "presence": [0, 3],
    "listed": [[(1, 1), (15, 2)], []],
    "changed": [[(1, 1), (15, 0)], []],
    "body": [STATUS_LIST.encode(), LATER_LIST.encode()],
    "index": [0, 999],
    "later": [LATER_LIST, STATUS_LIST],
    "changes": [STATUS_LIST.changes_to(LATER_LIST)],
}


class Hostile:
    """An object whose every protocol fails, or lies about its size."""

    def __len__(self) -> int:
        return 1 << 40

    def __getitem__(self, index: int) -> bytes:
        raise ValueError("hostile")

    def __index__(self) -> int:
        raise ValueError("hostile")

    def __eq__(self, other: object) -> bool:
        raise ValueError("hostile")

    __hash__ = None  # type: ignore[assignment]


NESTED: list[Any] = []
NESTED.append(NESTED)
WRONG: list[Callable[[], Any]] = [
    *(lambda value=value: value for value in (None, True, -1, 0, 2**31, 2**63, 2**200, -(2**63))),
    *(lambda value=value: value for value in (1.5, "text", "\ud800", "7406" * 2000, b"", HUGE)),
    *(lambda value=value: value for value in ([], [NESTED], NESTED, (), {}, {b"a": b"b"}, object)),
    lambda: bytearray(64),
    lambda: memoryview(b"abc"),
    lambda: range(1 << 62),
    lambda: range(1 << 36),
    lambda: repeat(CODE_KEYS[0]),
    lambda: [b"", [b"", [b""]]],
    Hostile,
    lambda: PUBLIC,
    lambda: PRIVATE,
]


class Calls:
    """One thread's calls, decided by its seed."""

    def __init__(self, seed: str) -> None:
        self.source = random.Random(seed)
        self.answered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def argument(self, name: str) -> Any:
        """A value for a parameter of this name."""
        choice = self.source.random()
        if choice < 0.04 or (name not in GOOD and name != "signed"):
            return self.source.choice(WRONG)()
        if name == "signed":
            return [self.signed() for _ in range(self.source.randrange(4))]
        good = self.source.choice(GOOD[name])
        return self.spoilt(good) if choice < 0.15 else good

    def signed(self) -> Any:
        """An element of a batch."""
        names = ("public_key", "signature", "message")
        if self.source.random() < 0.1:
            return self.source.choice(WRONG)()
        return tuple(map(self.argument, names[: 3 if self.source.random() < 0.95 else 2]))

    def spoilt(self, good: Any) -> Any:
        """A value of the same type that is not quite the good one."""
        if isinstance(good, bytes):
            data = bytearray(good)
            if data:
                data[self.source.randrange(len(data))] ^= 1 << self.source.randrange(8)
            cut = self.source.randrange(len(data) + 1) if self.source.random() < 0.3 else len(data)
            return bytes(data[:cut]) + self.source.randbytes(self.source.randrange(3))
        if isinstance(good, str):
            at = self.source.randrange(len(good))
            return good[:at] + self.source.choice("0123456789 x０") + good[at + 1 :]
        if isinstance(good, int):
            return good + self.source.randrange(-300, 300)
        if isinstance(good, list):
            return [*good, self.source.choice([*good, None])]
        return good

    def call(self, entry: str, function: Callable[..., Any], names: list[tuple[str, bool]]) -> None:
        """Call once; what was not declared goes up, a panic (no Exception) among it."""
        by_position = [self.argument(name) for name, by_name in names if not by_name]
        by_name = {name: self.argument(name) for name, is_named in names if is_named}
        if self.source.random() < 0.01:
            by_position = by_position[:-1]
        try:
            function(*by_position, **by_name)
        except DECLARED:
            self.refused[entry] += 1
        except BaseException as error:  # a panic is no Exception
            error.add_note(f"from {entry}")
            raise
        else:
            self.answered[entry] += 1


def entries() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Functions, classes, and the methods of one shared object of each class."""
    shared = [PRIVATE, PUBLIC, sm2.Verifier(PUBLIC), KEPT_KEYS, sm3.Hash(), RING]
    shared += [crypto_native.Cipher(bytes(16)), crypto_native.Gcm(bytes(16))]
    shared += [crypto_native.FieldsKey(b"key"), STATUS_LIST]
    for room, module in (("crypto", crypto_native), ("card_core", codes_native)):
        for name, value in sorted(vars(module).items()):
            if name.startswith("_") or name in ENDING or not callable(value):
                continue
            yield f"{room}.{name}", value
            for method in sorted(vars(value)) if isinstance(value, type) else ():
                owner = next((one for one in shared if isinstance(one, value)), value)
                if not method.startswith("_") and callable(getattr(owner, method)):
                    yield f"{room}.{name}.{method}", getattr(owner, method)
    yield from ((f"repr {type(one).__name__}", one.__repr__) for one in shared)
    yield "equal", lambda data: data == PUBLIC
    yield "pickle", PRIVATE.__reduce__


def parameters(function: Callable[..., Any]) -> list[tuple[str, bool]]:
    """The names of the parameters, and whether each is given by name only."""
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:
        return []
    return [(one.name, one.kind is inspect.Parameter.KEYWORD_ONLY) for one in found]


def peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(seed: str, count: int) -> None:
    known = [(name, function, parameters(function)) for name, function in entries()]
    weights = [0.05 if name in SLOW else 1.0 for name, *_ in known]
    threads = [Calls(f"{seed} {number}") for number in range(THREADS)]
    failures: list[BaseException] = []

    def work(calls: Calls, share: int) -> None:
        try:
            for one in calls.source.choices(known, weights, k=share):
                calls.call(*one)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    def together(share: int) -> None:
        running = [threading.Thread(target=work, args=(calls, share)) for calls in threads]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()

    together(count // 10 // THREADS)
    first_kib = peak_kib()
    together(count // THREADS - count // 10 // THREADS)
    if failures:
        raise failures[0]
    answered = sum((calls.answered for calls in threads), Counter())
    refused = sum((calls.refused for calls in threads), Counter())
    figures = {name: [answered[name], refused[name]] for name, *_ in known}
    grown_kib = peak_kib() - first_kib
    print(json.dumps({"pid": os.getpid(), "calls": figures, "grown_kib": grown_kib}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
